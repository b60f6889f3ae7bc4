package crew

import (
	"maps"
	"slices"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
)

// problems gathers what should not have happened so far.
func (c *Crew) problems() map[string]int64 {
	perLoop := make([]map[string]int64, len(c.loops))
	c.each(func(l *loop) { perLoop[l.index] = maps.Clone(l.tally.problems) })
	all := make(map[string]int64)
	for _, problems := range perLoop {
		for what, n := range problems {
			all[what] += n
		}
	}
	return all
}

// result gathers what the loops found.
func (c *Crew) result(cpu time.Duration, end int64) Result {
	parts := make([]Result, len(c.loops))
	c.each(func(l *loop) { parts[l.index] = c.loopResult(l) })
	r := Result{CPU: cpu.Seconds(), End: end}
	for i := range parts {
		r.Merge(parts[i])
	}
	return r
}

// loopResult is called on the loop, which goes on: it shares nothing with the result.
func (c *Crew) loopResult(l *loop) Result {
	r := Result{
		Counters: l.Counters,
		Check:    l.book.Counts,
		Altered:  l.altered,
		Problems: maps.Clone(l.tally.problems),
		Latency:  make(map[string]*hist.Histogram),
		Slices:   slices.Clone(l.slices),
		Slow:     int64(len(l.slow)),
	}
	for kind, h := range l.latency {
		r.Latency[kind] = h.Clone()
	}
	r.add(l.before, -1)
	if l.begun.at != 0 {
		r.Busy = []float64{l.ended.share(l.begun)}
	}
	for _, m := range l.slow {
		if m.state == gone {
			r.SlowGone++
		}
	}
	c.addParts(l, &r)
	return r
}

// addParts adds what the groups know about a loop.
func (c *Crew) addParts(l *loop, r *Result) {
	if l == c.sender() {
		for _, s := range c.sendings {
			r.Unsent += s.abandon()
			if n := s.unanswered(); n > 0 {
				r.mergeProblems(map[string]int64{"publish: no answer": n})
			}
		}
		return
	}
	for _, s := range c.arrivals {
		if s.loop == l {
			r.Unsent += s.abandon()
		}
	}
	for _, s := range c.storms {
		if s.loop == l {
			r.Recovery = max(r.Recovery, s.recovery())
			r.Missing += int64(s.missing())
		}
	}
}

// Merge adds what another loop or crew found.
func (r *Result) Merge(o Result) {
	r.Add(o.Counters)
	r.Check.Add(o.Check)
	r.Altered += o.Altered
	r.Unsent += o.Unsent
	r.CPU += o.CPU
	r.Busy = append(r.Busy, o.Busy...)
	r.Recovery = max(r.Recovery, o.Recovery)
	r.Missing += o.Missing
	r.Slow += o.Slow
	r.SlowGone += o.SlowGone
	r.End = max(r.End, o.End)
	r.mergeProblems(o.Problems)
	r.mergeLatency(o.Latency)
	r.mergeSlices(o.Slices)
}

func (r *Result) mergeProblems(problems map[string]int64) {
	if r.Problems == nil {
		r.Problems = make(map[string]int64)
	}
	for what, n := range problems {
		r.Problems[what] += n
	}
}

func (r *Result) mergeLatency(latency map[string]*hist.Histogram) {
	if r.Latency == nil {
		r.Latency = make(map[string]*hist.Histogram)
	}
	for kind, h := range latency {
		if r.Latency[kind] == nil {
			r.Latency[kind] = &hist.Histogram{}
		}
		r.Latency[kind].Merge(h)
	}
}

func (r *Result) mergeSlices(others []Slice) {
	for len(r.Slices) < len(others) {
		r.Slices = append(r.Slices, Slice{})
	}
	for i, s := range others {
		r.Slices[i].Count += s.Count
		if s.Latency.Count() > 0 {
			if r.Slices[i].Latency == nil {
				r.Slices[i].Latency = &hist.Histogram{}
			}
			r.Slices[i].Latency.Merge(s.Latency)
		}
	}
}
