package crew

import (
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
)

// tally is what one loop has counted and measured. It is owned by that loop.
type tally struct {
	Counters
	before   Counters // when the measured time began
	altered  int64
	problems map[string]int64
	latency  map[string]*hist.Histogram

	// Of the primary latency: its histogram of the slice under way, and the slices before.
	primary   string
	slice     hist.Histogram
	count     int64
	slices    []Slice
	sliceEnd  int64
	sliceSize int64
}

const (
	maxProblems     = 20
	otherProblems   = "other problems"
	maxProblemBytes = 160
)

// problem notes something that should not happen.
func (t *tally) problem(what string) {
	if t.problems == nil {
		t.problems = make(map[string]int64)
	}
	what = what[:min(len(what), maxProblemBytes)]
	if _, known := t.problems[what]; !known && len(t.problems) >= maxProblems {
		what = otherProblems
	}
	t.problems[what]++
}

// record adds a latency. The primary one is kept by slice and joined when a slice is over.
func (t *tally) record(kind string, ns int64) {
	if kind == t.primary {
		t.slice.Record(ns)
		return
	}
	t.histogram(kind).Record(ns)
}

func (t *tally) histogram(kind string) *hist.Histogram {
	h := t.latency[kind]
	if h == nil {
		if t.latency == nil {
			t.latency = make(map[string]*hist.Histogram)
		}
		h = &hist.Histogram{}
		t.latency[kind] = h
	}
	return h
}

// begin starts the measured time.
func (t *tally) begin(now int64) {
	t.before = t.Counters
	t.count = t.primaryCount()
	t.slice.Reset()
	t.sliceEnd = now + t.sliceSize
}

// advance ends slices whose time is over, and reports whether there was one.
func (t *tally) advance(now int64) bool {
	if t.sliceEnd == 0 || now < t.sliceEnd {
		return false
	}
	t.endSlice()
	for t.sliceEnd += t.sliceSize; t.sliceEnd <= now; t.sliceEnd += t.sliceSize {
		t.slices = append(t.slices, Slice{})
	}
	return true
}

func (t *tally) endSlice() {
	count := t.primaryCount()
	s := Slice{Count: count - t.count}
	t.count = count
	if t.slice.Count() > 0 {
		s.Latency = t.slice.Clone()
		t.histogram(t.primary).Merge(&t.slice)
		t.slice.Reset()
	}
	t.slices = append(t.slices, s)
}

// finish ends the last slice and stops recording by slice.
func (t *tally) finish() {
	if t.sliceEnd != 0 {
		t.endSlice()
		t.sliceEnd = 0
	}
}

// primaryCount returns how often what matters most has happened.
func (t *tally) primaryCount() int64 {
	switch t.primary {
	case "publish":
		return t.Published
	case "ready":
		return t.Counters.Ready
	}
	return t.Deliveries
}
