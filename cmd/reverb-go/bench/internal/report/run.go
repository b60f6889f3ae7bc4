package report

import (
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

// NewRun puts an outcome into words and numbers.
func NewRun(s plan.Scenario, t target.Target, round int, o *conduct.Outcome) Run {
	r := Run{
		Label:    s.Label(),
		Shape:    s.Shape(),
		Scenario: s,
		Server:   t.Name,
		URL:      t.String(),
		Round:    round,
		Fresh:    round == 1,
		Measured: o.Measured.Seconds(),
		Counters: o.Result.Counters,
		Check:    o.Result.Check,
		Altered:  o.Result.Altered,
		Unsent:   o.Result.Unsent,
		Missing:  o.Result.Missing,
		Slow:     o.Result.Slow,
		SlowGone: o.Result.SlowGone,
		Problems: o.Result.Problems,
		Latency:  make(map[string]Latency),
		Primary:  o.Plan.Primary,
		Client:   newClient(o),
		Series:   newSeries(o),
	}
	for kind, h := range o.Result.Latency {
		r.Latency[kind] = newLatency(h)
	}
	if o.Server != nil {
		r.Cost = newCost(o.Server)
	}
	r.Metrics = metrics(&r, o)
	r.Failures = failures(&r, o)
	r.Warnings = warnings(&r, o)
	return r
}

func newLatency(h *hist.Histogram) Latency {
	return Latency{
		Count:     h.Count(),
		Mean:      milliseconds(h.Mean()),
		P50:       milliseconds(h.Quantile(0.5)),
		P90:       milliseconds(h.Quantile(0.9)),
		P99:       milliseconds(h.Quantile(0.99)),
		P999:      milliseconds(h.Quantile(0.999)),
		Max:       milliseconds(h.Quantile(1)),
		Histogram: h,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func newCost(s *conduct.Server) *Cost {
	c := &Cost{
		CPU:       (s.End.CPU - s.Begin.CPU).Seconds(),
		Span:      s.Span.Seconds(),
		RSSBefore: s.Before.RSS,
		RSSReady:  s.Ready.RSS,
		RSSEnd:    s.End.RSS,
		RSSPeak:   max(s.Before.RSS, s.Ready.RSS, s.End.RSS),
	}
	for _, p := range s.Points {
		c.RSSPeak = max(c.RSSPeak, p.RSS)
	}
	return c
}

func newClient(o *conduct.Outcome) Client {
	c := Client{CPU: o.Result.CPU, Busy: o.Result.Busy, Workers: o.Workers, Loops: o.Loops, Sockets: o.Sockets}
	if n := o.Result.Frames; n > 0 {
		c.PerFrame = o.Result.CPU / float64(n) * 1e6
	}
	return c
}

// newSeries joins what the crews and the server had at each moment. A slice that is over after the measured
// time is left out: it is not a whole one.
func newSeries(o *conduct.Outcome) (points []Point) {
	for i, s := range o.Result.Slices {
		at := time.Duration(i+1) * o.Slice
		if at > o.Measured {
			break
		}
		p := Point{At: at.Seconds(), Rate: float64(s.Count) / o.Slice.Seconds()}
		if s.Latency.Count() > 0 {
			p.P50 = milliseconds(s.Latency.Quantile(0.5))
			p.P99 = milliseconds(s.Latency.Quantile(0.99))
			p.Max = milliseconds(s.Latency.Quantile(1))
		}
		if o.Server != nil && i < len(o.Server.Points) {
			p.CPU = recentCPU(o.Server.Points[:i+1], o.Slice)
			p.RSS = o.Server.Points[i].RSS
		}
		points = append(points, p)
	}
	return points
}

// recentCPU returns how many processors the server used in the last half second. In less time, the steps in which
// the kernel counts would be all there is to see.
func recentCPU(points []conduct.Point, slice time.Duration) float64 {
	const span = 500 * time.Millisecond
	n := min(max(int(span/slice), 1), len(points))
	var used time.Duration
	for _, p := range points[len(points)-n:] {
		used += p.CPU
	}
	return used.Seconds() / (slice * time.Duration(n)).Seconds()
}

// NewFailure returns a run that could not be done.
func NewFailure(s plan.Scenario, t target.Target, round int, err error) Run {
	return Run{
		Label:    s.Label(),
		Shape:    s.Shape(),
		Scenario: s,
		Server:   t.Name,
		URL:      t.String(),
		Round:    round,
		Fresh:    round == 1,
		Failures: []string{"could not be done: " + err.Error()},
	}
}

// Line returns the run in a few words.
func (r *Run) Line() string {
	if len(r.Failures) > 0 {
		return "FAILED: " + r.Failures[0]
	}
	var parts []string
	for _, key := range []string{KeyRate, KeyBack, KeyP50, KeyP99, KeyCost, KeyMemory, KeyCores} {
		if m := r.Metric(key); m != nil {
			parts = append(parts, m.Name+" "+Format(m.Value, m.Unit))
		}
	}
	return strings.Join(parts, ", ")
}
