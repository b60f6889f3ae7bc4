package inspector

import (
	"cmp"
	"context"
	"maps"
	"os"
	runtimemetrics "runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// How long an answer is good for all.
const (
	overviewTTL = 500 * time.Millisecond
	nodesTTL    = 2 * time.Second
)

// An overview is what there is to know of this node. The page makes rates of the numbers, which only grow.
type overview struct {
	At      time.Time          `json:"at"`
	Version string             `json:"version"`
	Host    string             `json:"host"`
	PID     int                `json:"pid"`
	Started time.Time          `json:"started"`
	Health  string             `json:"health"` // what is wrong; "" is nothing
	Viewers int                `json:"viewers"`
	Memory  uint64             `json:"memory"` // bytes that the Go runtime has of the system
	Apps    []appNumbers       `json:"apps"`
	Loops   []loopNumbers      `json:"loops"`
	Totals  map[string]float64 `json:"totals"`  // by the name of the metric, without its prefix
	Closed  map[string]float64 `json:"closed"`  // connections, by reason
	Refused map[string]float64 `json:"refused"` // connections, by reason
	Dropped map[string]float64 `json:"dropped"` // messages, by reason
	Errors  map[string]float64 `json:"errors"`  // messages of clients that were refused, by reason
}

type appNumbers struct {
	ID            string  `json:"id"`
	Connections   float64 `json:"connections"`
	Channels      float64 `json:"channels"`
	Subscriptions float64 `json:"subscriptions"`
}

type loopNumbers struct {
	server.LoopState
	Busy  float64 `json:"busy"`  // seconds, in all
	Turns uint64  `json:"turns"` // in all
}

func (r *request) getOverview(ctx context.Context) (any, error) {
	now := r.inspector.options.Now()
	return r.inspector.overview.get(now, func() (any, error) { return r.newOverview(ctx, now) })
}

func (r *request) newOverview(ctx context.Context, now time.Time) (*overview, error) {
	o := &overview{
		At: now, Version: r.inspector.options.Version, PID: os.Getpid(), Started: r.in.Started(), Health: r.in.Health(),
		Viewers: r.inspector.viewers.count(), Memory: memoryUsed(), Apps: []appNumbers{},
	}
	o.Host, _ = os.Hostname()
	for _, state := range r.in.Loops(ctx) {
		o.Loops = append(o.Loops, loopNumbers{LoopState: state})
	}
	samples, err := r.inspector.read()
	if err != nil {
		return nil, err
	}
	o.addNumbers(samples, slices.Collect(maps.Keys(r.apps())))
	return o, nil
}

// memoryUsed asks without stopping anything.
func memoryUsed() uint64 {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtimemetrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// apps are those that are configured, and those of a table that the server has met.
func (r *request) apps() map[string]*auth.App {
	all := make(map[string]*auth.App)
	for _, a := range slices.Concat(r.in.Apps(), r.inspector.options.Apps()) {
		all[a.ID] = a
	}
	return all
}

// A sample is one series: a metric with the value of its first label.
type sample struct {
	name, label string
	value       float64 // of a histogram, the sum
	count       uint64  // of a histogram
}

func (i *Inspector) read() (samples []sample, err error) {
	families, err := i.options.Numbers.Gather()
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		name, isOurs := strings.CutPrefix(f.GetName(), "reverb_")
		if !isOurs {
			continue
		}
		for _, m := range f.GetMetric() {
			s := sample{name: name, value: m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()}
			s.count = m.GetHistogram().GetSampleCount()
			if labels := m.GetLabel(); len(labels) > 0 {
				s.label = labels[0].GetValue()
			}
			samples = append(samples, s)
		}
	}
	return samples, nil
}

// addNumbers sorts the samples into their places. Apps are listed though they have no connection yet.
func (o *overview) addNumbers(samples []sample, apps []string) {
	o.Totals = make(map[string]float64)
	byReason := map[string]*map[string]float64{
		"connections_closed_total": &o.Closed, "connections_refused_total": &o.Refused,
		"messages_dropped_total": &o.Dropped, "messages_refused_total": &o.Errors,
	}
	for _, reasons := range byReason {
		*reasons = make(map[string]float64)
	}
	byApp := make(map[string]*appNumbers)
	for _, id := range apps {
		byApp[id] = &appNumbers{ID: id}
	}
	for _, s := range samples {
		o.Totals[s.name] += s.value
		if reasons := byReason[s.name]; reasons != nil && s.value > 0 {
			(*reasons)[s.label] = s.value
		}
		switch s.name {
		case "connections", "channels", "subscriptions":
			countApp(byApp, s)
		case "loop_busy_seconds":
			o.countLoop(s)
		}
	}
	for _, a := range byApp {
		o.Apps = append(o.Apps, *a)
	}
	slices.SortFunc(o.Apps, func(a, b appNumbers) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(a.ID, b.ID))
	})
}

func countApp(byApp map[string]*appNumbers, s sample) {
	a := byApp[s.label]
	if a == nil {
		a = &appNumbers{ID: s.label}
		byApp[s.label] = a
	}
	switch s.name {
	case "connections":
		a.Connections = s.value
	case "channels":
		a.Channels = s.value
	case "subscriptions":
		a.Subscriptions = s.value
	}
}

func (o *overview) countLoop(s sample) {
	if n, err := strconv.Atoi(s.label); err == nil && n < len(o.Loops) {
		o.Loops[n].Busy, o.Loops[n].Turns = s.value, s.count
	}
}

// nodeView is a node of the cluster.
type nodeView struct {
	scaling.NodeInfo
	Lease  float64 `json:"lease"` // seconds
	IsThis bool    `json:"this"`
}

// getNodes lists the nodes that share a Redis; for a node that is alone there are none.
func (r *request) getNodes(ctx context.Context) (any, error) {
	if r.inspector.options.Nodes == nil {
		return struct {
			Nodes []nodeView `json:"nodes"`
		}{[]nodeView{}}, nil
	}
	return r.inspector.nodes.get(r.inspector.options.Now(), func() (any, error) {
		nodes, err := r.inspector.options.Nodes(ctx)
		if err != nil {
			return nil, err
		}
		host, _ := os.Hostname()
		views := make([]nodeView, len(nodes))
		for i, n := range nodes {
			views[i] = nodeView{n, n.Lease.Seconds(), n.PID == os.Getpid() && n.Name == host}
		}
		return struct {
			Nodes []nodeView `json:"nodes"`
		}{views}, nil
	})
}
