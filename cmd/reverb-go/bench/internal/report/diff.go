package report

import (
	"fmt"
	"math"
	"slices"
)

// Tolerance says how much worse a metric may be.
type Tolerance struct {
	Cost    float64 // of costs and rates, as a share: 0.1 is 10 %
	Latency float64 // of what is noisy by nature
	Floor   float64 // milliseconds of latency that are no change, whatever their share
}

// A Change is a metric in two reports.
type Change struct {
	Label, Server string
	Metric        Metric
	Old, New      Spread
	Grain         float64 // by how much the metric differs without a reason
	Verdict       Verdict
}

// Verdict is what became of a metric.
type Verdict string

// The verdicts.
const (
	Same   Verdict = "same"
	Better Verdict = "better"
	Worse  Verdict = "worse"
)

// A Difference is what lies between two reports.
type Difference struct {
	Changes []Change
	Failed  []string // what failed in the new report and not in the old one
	Broken  []string // what failed in both
	Missing []string // what the new report does not have
}

// Worse reports whether the new report is not as good as the old one.
func (d Difference) Worse() bool {
	return len(d.Failed) > 0 || len(d.Missing) > 0 || slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Verdict == Worse })
}

// Diff compares what two reports have in common. If both have one server only, its name does not matter.
func Diff(before, after *Report, tol Tolerance) (Difference, error) {
	var d Difference
	alone := len(before.Servers()) == 1 && len(after.Servers()) == 1
	common := 0
	for _, label := range before.Labels() {
		for _, server := range before.Servers() {
			olds := before.Of(label, server)
			if len(olds) == 0 {
				continue
			}
			name := server
			if alone {
				name = after.Servers()[0]
			}
			news := after.Of(label, name)
			if len(news) == 0 {
				d.Missing = append(d.Missing, fmt.Sprintf("%s with %s", label, server))
				continue
			}
			common++
			d.add(olds, news, tol)
		}
	}
	if common == 0 {
		return d, fmt.Errorf("the reports have no scenario in common")
	}
	return d, nil
}

func (d *Difference) add(olds, news []Run, tol Tolerance) {
	for _, m := range metricsOf([][]Run{olds}) {
		if m.Better == "" {
			continue
		}
		c := Change{Label: olds[0].Label, Server: news[0].Server, Metric: m}
		c.Old, c.New = NewSpread(values(olds, m.Key)), NewSpread(values(news, m.Key))
		c.Grain = max(grain(olds, m.Key), grain(news, m.Key))
		switch {
		case c.Old.N == 0:
		case c.New.N > 0:
			c.Verdict = judge(c, tol)
			d.Changes = append(d.Changes, c)
		case m.Key == KeyCost && !failed(news):
			d.Missing = append(d.Missing, fmt.Sprintf("%s with %s: %s", c.Label, c.Server, m.Name))
		}
	}
	if failed(news) {
		what := fmt.Sprintf("%s with %s: %s", news[0].Label, news[0].Server, firstFailure(news))
		if failed(olds) {
			d.Broken = append(d.Broken, what)
		} else {
			d.Failed = append(d.Failed, what)
		}
	}
}

// grain returns by how much a metric differs for no other reason than that the kernel counts processor time in
// steps: a server that does nothing at all uses one of them or none.
func grain(runs []Run, key string) (most float64) {
	const seconds = 0.02 // a step at the begin and one at the end
	for i := range runs {
		run := &runs[i]
		if run.Cost == nil {
			continue
		}
		switch _, n := run.unit(); {
		case key == KeyCores && run.Cost.Span > 0:
			most = max(most, seconds/run.Cost.Span)
		case key == KeyCost && n > 0:
			most = max(most, seconds/float64(n)*1e6)
		}
	}
	return most
}

func failed(runs []Run) bool { return firstFailure(runs) != "" }

func firstFailure(runs []Run) string {
	for _, run := range runs {
		if len(run.Failures) > 0 {
			return run.Failures[0]
		}
	}
	return ""
}

// judge needs the medians to differ by more than is tolerated, and with several rounds the spreads not to
// touch either: one bad round is no change.
func judge(c Change, tol Tolerance) Verdict {
	allowed := tol.Cost
	if c.Metric.Noisy {
		allowed = tol.Latency
	}
	old, now := c.Old, c.New
	if c.Metric.Better == Higher {
		old, now = now, old
	}
	// From here on lower is better.
	change := math.Abs(old.Median - now.Median)
	switch {
	case change <= c.Grain || c.Metric.Unit == "ms" && change < tol.Floor:
		return Same
	case exceeds(old, now, allowed):
		return Worse
	case exceeds(now, old, allowed):
		return Better
	}
	return Same
}

func exceeds(low, high Spread, allowed float64) bool {
	if high.Median <= low.Median*(1+allowed) || math.IsNaN(high.Median) {
		return false
	}
	return low.N < 2 || high.N < 2 || high.Low > low.High
}
