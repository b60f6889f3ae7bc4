package crew

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
)

func TestGate(t *testing.T) {
	woken := 0
	g := gate{window: 10, wake: func() { woken++ }}
	for i, want := range []bool{true, true, false} {
		if got := g.enter(5); got != want {
			t.Errorf("entering %d times 5 of 10: got %v, want %v", i+1, got, want)
		}
	}
	g.deliver(4)
	if woken != 1 {
		t.Errorf("woken %d times by a delivery, want once", woken)
	}
	if g.enter(5) {
		t.Error("5 more got in beside 6")
	}
	g.deliver(6)
	if !g.enter(50) {
		t.Error("one that is larger than the window did not get in alone")
	}
	if g.enter(1) {
		t.Error("another got in beside it")
	}
	if open := (&gate{}); !open.enter(1000) {
		t.Error("a gate without a window is closed")
	}
}

func TestStreamsTravelAsText(t *testing.T) {
	sent := Sent{Streams: map[Stream]uint32{{1, 2}: 3, {4294967295, 65535}: 7}}
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	var got Sent
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, sent) {
		t.Errorf("got %v and %v back from %s, want %v", got, err, text, sent)
	}
	for _, bad := range []string{"", "1", "x/1", "1/x", "1/65536"} {
		var s Stream
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v, want an error", bad, s)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 100} {
		for of := 1; of < 9; of++ {
			sum := int64(0)
			for i := range of {
				sum += share(n, i, of)
			}
			if sum != n {
				t.Errorf("%d shares of %d add up to %d", of, n, sum)
			}
		}
	}
}

func TestPayloadsHaveTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{64, 200, 8_000} {
		g := &group{pad: padding(size), Group: plan.Group{}}
		b := g.appendPayload(nil, stamp.Stamp{Run: 1, Seq: 2})
		if len(b) != max(size, len(payloadHead)+stamp.Size+len(payloadTail)) || !json.Valid(b) {
			t.Errorf("got %d bytes %s, want JSON of %d", len(b), b, size)
		}
		if s, rest, ok := stamp.Find(b); !ok || s.Seq != 2 || !strings.HasPrefix(string(rest), string(g.pad)) {
			t.Errorf("got stamp %+v, %v in a payload of %d", s, ok, size)
		}
	}
}

func TestTallySlices(t *testing.T) {
	tally := tally{primary: "delivery", sliceSize: 100}
	tally.Deliveries = 5 // before the start
	tally.begin(1000)
	tally.Deliveries += 3
	tally.record("delivery", 2_000_000)
	tally.record("publish", 9_000_000)
	if tally.advance(1099) {
		t.Error("a slice ended before its time")
	}
	if !tally.advance(1350) {
		t.Error("a slice did not end after its time")
	}
	tally.Deliveries++
	tally.finish()
	var counts []int64
	for _, s := range tally.slices {
		counts = append(counts, s.Count)
	}
	if want := []int64{3, 0, 0, 1}; !reflect.DeepEqual(counts, want) {
		t.Errorf("got slices %v, want %v", counts, want)
	}
	if n := tally.latency["delivery"].Count(); n != 1 {
		t.Errorf("got %d latencies in all, want 1", n)
	}
	if n := tally.latency["publish"].Count(); n != 1 {
		t.Errorf("got %d latencies of publishing, want 1", n)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var tally tally
	for i := range 100 {
		tally.problem(strings.Repeat("x", i))
	}
	if n := len(tally.problems); n > maxProblems+1 {
		t.Errorf("%d kinds of problems were kept", n)
	}
	if tally.problems[otherProblems] != 100-maxProblems {
		t.Errorf("%d other problems, want %d", tally.problems[otherProblems], 100-maxProblems)
	}
	long := &tally
	long.problems = nil
	long.problem(strings.Repeat("y", 10_000))
	for what := range long.problems {
		if len(what) > maxProblemBytes {
			t.Errorf("a problem of %d bytes was kept", len(what))
		}
	}
}

func TestResultsMerge(t *testing.T) {
	latency := func(ns int64) map[string]*hist.Histogram {
		var h hist.Histogram
		h.Record(ns)
		return map[string]*hist.Histogram{"delivery": &h}
	}
	a := Result{Latency: latency(1e6), Slices: []Slice{{Count: 1}}, Problems: map[string]int64{"x": 1}, Recovery: 2, End: 5, Busy: []float64{0.1}}
	a.Merge(Result{Latency: latency(2e6), Slices: []Slice{{Count: 2}, {Count: 3}}, Problems: map[string]int64{"x": 1, "y": 2}, Recovery: 1, End: 6, Busy: []float64{0.2}})
	if a.Latency["delivery"].Count() != 2 || a.Slices[0].Count != 3 || a.Slices[1].Count != 3 {
		t.Errorf("got latencies %v and slices %v", a.Latency, a.Slices)
	}
	if a.Problems["x"] != 2 || a.Problems["y"] != 2 || a.Recovery != 2 || a.End != 6 || len(a.Busy) != 2 {
		t.Errorf("got %+v", a)
	}
}

func TestServeWithoutAJob(t *testing.T) {
	for _, in := range []string{"", `{"stop":true}`, "nonsense"} {
		var out strings.Builder
		if err := Serve(t.Context(), strings.NewReader(in), &out); err == nil {
			t.Errorf("%q: served, want an error", in)
		}
		if !strings.Contains(out.String(), "error") {
			t.Errorf("%q: answered %q, want an error", in, out.String())
		}
	}
}

// TestShareOfWork has a loop hear of the end long after it: more than all of the time is never work.
func TestShareOfWork(t *testing.T) {
	begun := work{at: 1_000, busy: 300}
	for _, tt := range []struct {
		ended work
		want  float64
	}{
		{work{at: 2_000, busy: 550}, 0.25},
		{work{at: 3_000, busy: 2_200}, 0.95}, // meant to end at 2,000
		{work{at: 2_000, busy: 1_350}, 1},    // the turn at the begin counts later
		{begun, 0},
	} {
		if got := tt.ended.share(begun); got != tt.want {
			t.Errorf("%+v since %+v: got %v, want %v", tt.ended, begun, got, tt.want)
		}
	}
}
