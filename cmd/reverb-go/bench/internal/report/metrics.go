package report

import (
	"fmt"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// A Metric is a number of a run that can be compared with the same of another.
type Metric struct {
	Key    string  `json:"key"`
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Value  float64 `json:"value"`
	Better string  `json:"better,omitempty"` // Lower or Higher; "" if neither is
	Noisy  bool    `json:"noisy,omitempty"`  // differs much between runs by its nature
	First  bool    `json:"first,omitempty"`  // says something only with a fresh server
}

// Which way a metric is better.
const (
	Lower  = "lower"
	Higher = "higher"
)

// Keys of metrics that are shown in a place of their own.
const (
	KeyCost   = "cpu_per_unit"
	KeyMemory = "memory_per_connection"
	KeyRate   = "rate"
	KeyP50    = "p50"
	KeyP99    = "p99"
	KeyClient = "client_cpu_per_frame"
	KeyBack   = "recovery"
	KeyCores  = "server_cpu"
)

// Metric returns a metric of the run, or nil.
func (r *Run) Metric(key string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Key == key {
			return &r.Metrics[i]
		}
	}
	return nil
}

func metrics(r *Run, o *conduct.Outcome) (m []Metric) {
	add := func(key, name, unit string, value float64, better string) *Metric {
		m = append(m, Metric{Key: key, Name: name, Unit: unit, Value: value, Better: better})
		return &m[len(m)-1]
	}
	addRate(r, add)
	if back := o.Result.Recovery; back > 0 && r.Missing == 0 {
		add(KeyBack, "until all were back", "s", back, Lower).Noisy = true
	}
	addCost(r, add)
	addMemory(r, add)
	if r.Slow > 0 {
		add("slow_closed", fmt.Sprintf("slow connections closed, of %d", r.Slow), "", float64(r.SlowGone), "")
	}
	addLatency(r, r.Primary, "", add)
	if r.Primary != plan.Delivery {
		addLatency(r, plan.Delivery, "delivery ", add)
	}
	if r.Client.PerFrame > 0 {
		add(KeyClient, "client CPU per frame received", "µs", r.Client.PerFrame, "")
	}
	return m
}

type adder func(key, name, unit string, value float64, better string) *Metric

// unit returns what the server's work is counted in, and how much of it there was.
func (r *Run) unit() (name string, n int64) {
	switch r.Scenario.Scenario {
	case "connect", "churn", "reconnect-storm":
		return "connection", r.Counters.Ready
	case "publish":
		return "event", r.Counters.Published
	case "idle", "mix":
		return "", 0
	}
	return "delivery", r.Counters.Deliveries
}

// addRate adds how much was done in the measured time. At a fixed rate more is not better: it is what was asked for.
func addRate(r *Run, add adder) {
	name, n := r.unit()
	if r.Scenario.Scenario == "mix" {
		name, n = "delivery", r.Counters.Deliveries
	}
	if name == "delivery" {
		n -= r.Counters.Late
	}
	if n <= 0 || r.Measured <= 0 || r.Scenario.Scenario == "reconnect-storm" {
		return
	}
	better := ""
	if r.Scenario.Rate == plan.Max {
		better = Higher
	}
	add(KeyRate, pluralOf(name)+" per second", "/s", float64(n)/r.Measured, better)
}

func pluralOf(name string) string {
	if name == "delivery" {
		return "deliveries"
	}
	return name + "s"
}

func addCost(r *Run, add adder) {
	if r.Cost == nil || r.Cost.Span <= 0 {
		return
	}
	if name, n := r.unit(); n > 0 {
		add(KeyCost, "server CPU per "+name, "µs", r.Cost.CPU/float64(n)*1e6, Lower)
	}
	better := ""
	if r.Scenario.Scenario == "idle" || r.Scenario.Scenario == "mix" {
		better = Lower
	}
	add(KeyCores, "server CPU", "processors", r.Cost.CPU/r.Cost.Span, better)
}

func addMemory(r *Run, add adder) {
	if r.Cost == nil {
		return
	}
	if each, ok := r.memoryEach(); ok && each >= leastEach {
		add(KeyMemory, "server memory per connection", "B", each, Lower).First = true
	}
	add("memory", "server memory, at most", "MB", float64(r.Cost.RSSPeak)/1e6, Lower).First = true
}

// leastEach is less than any server needs for a connection, in bytes. One that grew by less than that, or shrank,
// had room from before.
const leastEach = 100

// memoryEach returns by how much the server grew for each connection. ok is false if that was not looked at.
func (r *Run) memoryEach() (bytes float64, ok bool) {
	if r.Cost == nil || r.Scenario.Scenario != "idle" || r.Client.Sockets == 0 {
		return 0, false
	}
	return float64(r.Cost.RSSEnd-r.Cost.RSSBefore) / float64(r.Client.Sockets), true
}

func addLatency(r *Run, kind, prefix string, add adder) {
	l, ok := r.Latency[kind]
	if kind == "" || !ok || l.Count == 0 {
		return
	}
	what := prefix + "latency "
	for _, q := range []struct {
		key, name string
		value     float64
		needs     int64 // fewer say nothing about it
	}{
		{KeyP50, "p50", l.P50, 1},
		{"p90", "p90", l.P90, 10},
		{KeyP99, "p99", l.P99, 100},
		{"p999", "p99.9", l.P999, 1000},
		{"max", "max", l.Max, 1},
	} {
		if l.Count >= q.needs {
			key := q.key
			if prefix != "" {
				key = kind + "_" + q.key
			}
			add(key, what+q.name, "ms", q.value, Lower).Noisy = true
		}
	}
}
