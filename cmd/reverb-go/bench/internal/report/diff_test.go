package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

func TestDiff(t *testing.T) {
	tol := Tolerance{Cost: 0.1, Latency: 0.5, Floor: 1}
	set := func(key string, values ...float64) func(*Report) {
		return func(r *Report) {
			for i := range r.Runs {
				r.Runs[i].Metric(key).Value = values[i%len(values)]
			}
		}
	}
	for _, tt := range []struct {
		name   string
		rounds int
		before func(*Report)
		after  func(*Report)
		worse  bool
		says   string
	}{
		{"the same", 1, nil, nil, false, "0 better, 0 worse"},
		{"within the tolerance", 1, set(KeyCost, 1000), set(KeyCost, 1090), false, "0 worse"},
		{"dearer", 1, set(KeyCost, 1000), set(KeyCost, 1110), true, "+11.0 %"},
		{"cheaper", 1, set(KeyCost, 1000), set(KeyCost, 800), false, "1 better"},
		{"one bad round", 3, set(KeyCost, 100), set(KeyCost, 100, 300, 400), false, "0 worse"},
		{"all rounds bad", 3, set(KeyCost, 100, 110, 120), set(KeyCost, 130, 140, 150), true, "1 worse"},
		{"slower", 1, set(KeyP99, 10), set(KeyP99, 20), true, "latency p99"},
		{"slower by little", 1, set(KeyP99, 0.1), set(KeyP99, 0.9), false, "0 worse"},
		{"failed", 1, nil, func(r *Report) { r.Runs[0].Failures = []string{"it broke"} }, true, "it broke"},
		{"failed before as well", 1, func(r *Report) { r.Runs[0].Failures = []string{"x"} }, func(r *Report) { r.Runs[0].Failures = []string{"y"} }, false,
			"failed before as well  fanout with new name: y"},
		// 20 ms of processor time, which is what the kernel's clock may be wrong by, are 20 µs for each of 1,000 deliveries.
		{"dearer by a tick", 1, set(KeyCost, 10), set(KeyCost, 30), false, "0 worse"},
		{"dearer by more", 1, set(KeyCost, 10), set(KeyCost, 31), true, "1 worse"},
		{"the cost is not known any more", 1, nil, func(r *Report) {
			r.Runs[0].Cost = nil
			r.Runs[0].Metrics = slices.DeleteFunc(r.Runs[0].Metrics, func(m Metric) bool { return m.Key == KeyCost })
		}, true, "missing fanout with new name: server CPU per delivery"},
	} {
		old, now := newReport(t, tt.rounds, "old name"), newReport(t, tt.rounds, "new name")
		if tt.before != nil {
			tt.before(old)
		}
		if tt.after != nil {
			tt.after(now)
		}
		d, err := Diff(old, now, tol)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var b strings.Builder
		if err := d.WriteText(&b, false); err != nil {
			t.Fatal(err)
		}
		if d.Worse() != tt.worse || !strings.Contains(b.String(), tt.says) {
			t.Errorf("%s: worse is %v, want %v with %q; it says\n%s", tt.name, d.Worse(), tt.worse, tt.says, b.String())
		}
	}
}

// TestDiffOfIdleServers has a server that does nothing use a tick of the kernel's clock, or none.
func TestDiffOfIdleServers(t *testing.T) {
	idle := func(cpu time.Duration) *Report {
		r := New(1, day)
		r.Runs = append(r.Runs, NewRun(scenario(t, "idle"), target.Target{Name: "a"}, 1, outcome(func(o *conduct.Outcome) {
			o.Server.End.CPU = o.Server.Begin.CPU + cpu
		})))
		return r
	}
	for _, tt := range []struct {
		cpu   time.Duration // in 2 s
		worse bool
	}{{10 * time.Millisecond, false}, {200 * time.Millisecond, true}} {
		d, err := Diff(idle(0), idle(tt.cpu), Tolerance{Cost: 0.1})
		if err != nil || d.Worse() != tt.worse {
			t.Errorf("%v instead of nothing: got %+v and %v, want worse to be %v", tt.cpu, d.Changes, err, tt.worse)
		}
	}
}

func TestDiffOfDifferentReports(t *testing.T) {
	a, b := newReport(t, 1, "a"), newReport(t, 1, "a")
	b.Runs[0].Label = "another"
	if _, err := Diff(a, b, Tolerance{}); err == nil {
		t.Error("reports without a common scenario were compared")
	}
	b.Join(newReport(t, 1, "a"))
	a.Join(newReport(t, 1, "gone"))
	d, err := Diff(a, b, Tolerance{})
	if err != nil || len(d.Missing) != 1 || !d.Worse() {
		t.Errorf("got %+v and %v, want to hear that a server is missing", d, err)
	}
}
