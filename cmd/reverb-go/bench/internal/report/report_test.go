package report

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/check"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

var day = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// outcome is a fan-out of 1,000 deliveries in 2 s that cost the server 0.5 s, each a millisecond late.
func outcome(change func(*conduct.Outcome)) *conduct.Outcome {
	var h, slice hist.Histogram
	for range 1_000 {
		h.Record(int64(time.Millisecond))
	}
	slice.Record(int64(2 * time.Millisecond))
	o := &conduct.Outcome{
		Plan:     plan.Plan{Primary: plan.Delivery},
		Measured: 2 * time.Second,
		Slice:    time.Second,
		Workers:  1,
		Loops:    1,
		Sockets:  10,
		Result: crew.Result{
			Counters: crew.Counters{Frames: 1_000, Deliveries: 1_000, Published: 100},
			Check:    check.Counts{Delivered: 1_000},
			Latency:  map[string]*hist.Histogram{plan.Delivery: &h},
			Slices:   []crew.Slice{{Count: 400, Latency: &slice}, {Count: 600, Latency: &slice}, {Count: 1}},
			CPU:      0.25,
			Busy:     []float64{0.1, 0.2},
		},
		Server: &conduct.Server{
			Local:  true,
			Before: usage.Sample{RSS: 10_000_000},
			Ready:  usage.Sample{RSS: 11_000_000},
			Begin:  usage.Sample{CPU: time.Second, RSS: 11_000_000},
			End:    usage.Sample{CPU: 1500 * time.Millisecond, RSS: 12_000_000},
			Span:   2 * time.Second,
			Points: []conduct.Point{{At: time.Second, CPU: 300 * time.Millisecond, RSS: 13_000_000}},
		},
	}
	if change != nil {
		change(o)
	}
	return o
}

func scenario(t *testing.T, kind string) plan.Scenario {
	t.Helper()
	s, err := plan.Builtin(kind)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newReport returns a report of rounds with each of the servers.
func newReport(t *testing.T, rounds int, servers ...string) *Report {
	t.Helper()
	r := New(rounds, day)
	for round := 1; round <= rounds; round++ {
		for _, name := range servers {
			r.Runs = append(r.Runs, NewRun(scenario(t, "fanout"), target.Target{Name: name, Host: "127.0.0.1:1"}, round, outcome(nil)))
		}
	}
	return r
}

func TestMetrics(t *testing.T) {
	r := NewRun(scenario(t, "fanout"), target.Target{Name: "a"}, 1, outcome(func(o *conduct.Outcome) { o.Result.Late = 100 }))
	for _, tt := range []struct {
		key  string
		want float64
	}{
		{KeyRate, 450}, // what came late does not count
		{KeyCost, 500},
		{KeyCores, 0.25},
		{"memory", 13},
		{KeyClient, 250},
	} {
		if m := r.Metric(tt.key); m == nil || m.Value != tt.want {
			t.Errorf("%s: got %+v, want %v", tt.key, m, tt.want)
		}
	}
	if m := r.Metric(KeyP99); m == nil || m.Value < 0.99 || m.Value > 1.01 {
		t.Errorf("got p99 %+v, want 1 ms", m)
	}
	if len(r.Series) != 2 || r.Series[0].Rate != 400 || r.Series[0].CPU != 0.3 || r.Series[0].RSS != 13_000_000 || r.Series[1].At != 2 || r.Series[1].Rate != 600 {
		t.Errorf("got series %+v, want the two whole slices", r.Series)
	}
	idle := NewRun(scenario(t, "idle"), target.Target{Name: "a"}, 1, outcome(nil))
	if m := idle.Metric(KeyMemory); m == nil || m.Value != 200_000 {
		t.Errorf("got %+v, want the memory that 10 connections added", m)
	}
}

// TestCPUOverTime has a server use a step of the kernel's clock every now and then.
func TestCPUOverTime(t *testing.T) {
	r := NewRun(scenario(t, "fanout"), target.Target{Name: "a"}, 1, outcome(func(o *conduct.Outcome) {
		o.Slice = 100 * time.Millisecond
		o.Result.Slices, o.Server.Points = nil, nil
		for i := range 10 {
			o.Result.Slices = append(o.Result.Slices, crew.Slice{Count: 1})
			o.Server.Points = append(o.Server.Points, conduct.Point{CPU: time.Duration(i%5/4) * 10 * time.Millisecond})
		}
	}))
	for i, p := range r.Series {
		want := 0.02
		if i < 4 {
			want = 0
		}
		if math.Abs(p.CPU-want) > 1e-9 {
			t.Errorf("point %d: got %v processors, want %v, the mean of half a second", i, p.CPU, want)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		change func(*conduct.Outcome)
		want   string // "" is none
	}{
		{nil, ""},
		{func(o *conduct.Outcome) { o.Result.Check.Lost = 3 }, "3 deliveries were lost"},
		{func(o *conduct.Outcome) { o.Result.Check.Lost = 1 }, "1 delivery was lost"},
		{func(o *conduct.Outcome) { o.Result.Check.Duplicated = 3 }, "3 deliveries came twice"},
		{func(o *conduct.Outcome) { o.Result.Check.Reordered = 3 }, "3 deliveries came out of order"},
		{func(o *conduct.Outcome) { o.Result.Check.Stray = 3 }, "not meant for"},
		{func(o *conduct.Outcome) { o.Result.Altered = 3 }, "not sent"},
		{func(o *conduct.Outcome) { o.Result.Unsent = 3 }, "could not be done"},
		{func(o *conduct.Outcome) { o.Result.Missing = 3 }, "did not come back"},
		{func(o *conduct.Outcome) { o.Result.Problems = map[string]int64{"a quarrel": 2} }, "2 × a quarrel"},
		{func(o *conduct.Outcome) { o.Result.Deliveries = 0 }, "nothing was measured"},
		{func(o *conduct.Outcome) { o.Result.Check.Lost, o.Result.Problems = 3, map[string]int64{"a refusal": 1} }, "1 × a refusal; 3 deliveries were lost"},
		{func(o *conduct.Outcome) { o.Server, o.ServerErr = nil, fmt.Errorf("process 7: %w", usage.ErrEnded) }, "the server's process ended"},
	} {
		r := NewRun(scenario(t, "fanout"), target.Target{Name: "a"}, 1, outcome(tt.change))
		got := strings.Join(r.Failures, "; ")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("got failures %q, want %q", got, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	var late, soon hist.Histogram
	for range 1_000 {
		late.Record(int64(50 * time.Millisecond))
		soon.Record(int64(time.Microsecond))
	}
	for _, tt := range []struct {
		change func(*conduct.Outcome)
		want   string // "" is none
	}{
		{nil, ""},
		{func(o *conduct.Outcome) { o.Result.Latency[plan.Lag] = &soon }, ""},
		{func(o *conduct.Outcome) { o.Result.Busy = []float64{0.95} }, "the client was the bottleneck"},
		{func(o *conduct.Outcome) { o.Result.Latency[plan.Lag] = &late }, "the client was late itself"},
		{func(o *conduct.Outcome) { o.Server = nil }, "is not known: give its --pid"},
		{func(o *conduct.Outcome) { o.Server, o.ServerErr = nil, errors.New("no page") }, "is not known: no page"},
		{func(o *conduct.Outcome) { o.Server, o.ServerErr = nil, usage.ErrEnded }, ""},
		{func(o *conduct.Outcome) { o.Server.End.CPU = 1010 * time.Millisecond }, "rough"},
		{func(o *conduct.Outcome) { o.Result.CPU = 2 }, "more processor time than the server"},
		{func(o *conduct.Outcome) { o.Result.CPU = 1e4 }, "together used all"},
		// Client and server used 0.75 s of the 2 s.
		{func(o *conduct.Outcome) {
			o.Machine = conduct.Machine{Processors: 4, Busy: time.Second, Span: 2 * time.Second}
		}, ""},
		{func(o *conduct.Outcome) {
			o.Machine = conduct.Machine{Processors: 4, Busy: 3750 * time.Millisecond, Span: 2 * time.Second}
		}, "other programs used 1.50 of this machine's 4 processors"},
		{func(o *conduct.Outcome) {
			o.Machine = conduct.Machine{Processors: 1 << 20, Span: 2 * time.Second}
			o.Result.CPU = 2 * float64(runtime.GOMAXPROCS(0))
		}, "it used all of the"},
		{func(o *conduct.Outcome) { o.Server.Files = 64 }, "open 64 files only"},
	} {
		r := NewRun(scenario(t, "fanout"), target.Target{Name: "a"}, 1, outcome(tt.change))
		got := strings.Join(r.Warnings, "; ")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("got warnings %q, want %q", got, tt.want)
		}
	}
}

// TestMemoryOfAServerThatIsNotFresh has the server grow by less than its connections can need. The number
// would be one of the server's past.
func TestMemoryOfAServerThatIsNotFresh(t *testing.T) {
	for _, tt := range []struct {
		growth int64 // bytes, for 10 connections
		want   float64
		warns  string // "" is not at all
	}{
		{2_000_000, 200_000, ""},
		{5_000, 500, "grew by 5,000 B in all"},
		{900, 0, "from before"},
		{-40_000, 0, "from before"},
	} {
		r := NewRun(scenario(t, "idle"), target.Target{Name: "a"}, 1, outcome(func(o *conduct.Outcome) {
			o.Server.End.RSS = o.Server.Before.RSS + tt.growth
		}))
		got := 0.0
		if m := r.Metric(KeyMemory); m != nil {
			got = m.Value
		}
		warnings := strings.Join(r.Warnings, "; ")
		if got != tt.want || tt.warns == "" && warnings != "" || !strings.Contains(warnings, tt.warns) {
			t.Errorf("grown by %d B: got %v B and warnings %q, want %v B and %q", tt.growth, got, warnings, tt.want, tt.warns)
		}
	}
}

func TestReportsAreReadAsWritten(t *testing.T) {
	r := newReport(t, 2, "a", "b")
	path := filepath.Join(t.TempDir(), "r.json")
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := got.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("it is written another way after it was read:\n%s\n%s", again.Bytes(), b.Bytes())
	}
	for _, bad := range []string{"", "{}", `{"version":99,"runs":[{}]}`, `{"version":1,"runs":[]}`} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Errorf("%q was read as a report", bad)
		}
	}
}

func TestJoin(t *testing.T) {
	r := newReport(t, 1, "a", "b")
	r.Join(newReport(t, 2, "b", "c"))
	var got []string
	for _, run := range r.Of("fanout", "b") {
		got = append(got, strings.Repeat("I", run.Round))
	}
	if want := []string{"I", "II", "III"}; !reflect.DeepEqual(got, want) || r.Rounds != 3 {
		t.Errorf("got rounds %q of %d, want %q", got, r.Rounds, want)
	}
	if n := len(r.Of("fanout", "c")); n != 2 {
		t.Errorf("got %d runs of what is in one only, want 2", n)
	}
}

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 1}},
		{[]float64{5, 1, 2}, Spread{2, 1, 5, 3}},
		{[]float64{4, 1, 2, 8}, Spread{3, 1, 8, 4}},
	} {
		if got := NewSpread(tt.values); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.values, got, tt.want)
		}
	}
}

// TestRatiosAreTakenRoundByRound has a machine that becomes twice as slow from round to round.
func TestRatiosAreTakenRoundByRound(t *testing.T) {
	r := newReport(t, 3, "a", "b")
	for i := range r.Runs {
		m := r.Runs[i].Metric(KeyCost)
		m.Value = float64(int(10) << r.Runs[i].Round)
		if r.Runs[i].Server == "b" {
			m.Value *= 3
		}
	}
	c := r.Compare()[0]
	if row := c.row(KeyCost); row.Ratios[1] != (Spread{3, 3, 3, 3}) || row.Ratios[0] != (Spread{1, 1, 1, 3}) {
		t.Errorf("got ratios %+v, want 3 without any spread", row.Ratios)
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, "ms", "0 ms"},
		{0.5, "ms", "500 µs"},
		{1.234, "ms", "1.23 ms"},
		{12.34, "ms", "12.3 ms"},
		{1234, "ms", "1.23 s"},
		{1500, "µs", "1.50 ms"},
		{9_999, "B", "9,999 B"},
		{20_500, "B", "20.5 kB"},
		{12_000, "MB", "12.0 GB"},
		{1_234_567, "/s", "1,234,567/s"},
		{2, "×", "2.00×"},
	} {
		if got := Format(tt.value, tt.unit); got != tt.want {
			t.Errorf("%v %s: got %q, want %q", tt.value, tt.unit, got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		r    *Report
		want []string
	}{
		{newReport(t, 1, "a"), []string{"scenario", "500 µs/delivery", "500/s", "ok", "1,000 deliveries in 1 run, each arrived once and in order."}},
		{newReport(t, 2, "a", "b"), []string{"÷ a", "1.00× (1.00–1.00)", "server CPU per delivery", "4,000 deliveries in 4 runs"}},
	} {
		var b strings.Builder
		if err := tt.r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("got\n%s\nwant it to have %q", b.String(), want)
			}
		}
	}
	failed := newReport(t, 1, "a")
	failed.Runs[0].Failures = []string{"it went wrong"}
	var b strings.Builder
	if err := failed.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "FAILED  fanout: it went wrong") || !strings.Contains(got, "1 of 1 runs failed.") {
		t.Errorf("got\n%s\nwant the failure", got)
	}
}
