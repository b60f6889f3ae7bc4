package report

import (
	"html/template"
	"math"
	"slices"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
)

// charts draws what is known of a scenario: latency by percentile, and what happened over time. What
// nothing is known of is left out.
func (r *Report) charts(label string, servers []legend) (all []template.HTML) {
	add := func(c chart) {
		if c.worthDrawing() {
			all = append(all, c.draw())
		}
	}
	latency, rate, p99 := chartOfPercentiles(), chartOverTime("throughput", "/s"), chartOverTime("p99 latency", "ms")
	cpu, memory := chartOverTime("server CPU", "processors"), chartOverTime("server memory", "MB")
	for _, s := range servers {
		runs := r.Of(label, s.Name)
		what := whatOf(runs)
		if what != "" {
			latency.title, rate.title = what+" latency by percentile", rateTitle(what)
		}
		latency.add(s, percentiles(mergedLatency(runs)))
		rate.add(s, overTime(runs, func(p Point) float64 { return p.Rate }))
		p99.add(s, positive(overTime(runs, func(p Point) float64 { return p.P99 })))
		cpu.add(s, overTime(runs, func(p Point) float64 { return p.CPU }))
		memory.add(s, overTime(runs, func(p Point) float64 { return float64(p.RSS) / 1e6 }))
	}
	for _, c := range []chart{latency, rate, p99, cpu, memory} {
		add(c)
	}
	return all
}

func whatOf(runs []Run) string {
	for i := range runs {
		if runs[i].Primary != "" {
			return runs[i].Primary
		}
	}
	return ""
}

// rateTitle says what the points of a series count.
func rateTitle(primary string) string {
	switch primary {
	case "publish":
		return "events per second"
	case "ready":
		return "connections per second"
	}
	return "deliveries per second"
}

// mergedLatency joins the primary latencies of all rounds.
func mergedLatency(runs []Run) *hist.Histogram {
	var all hist.Histogram
	for i := range runs {
		if l, ok := runs[i].Latency[runs[i].Primary]; ok {
			all.Merge(l.Histogram)
		}
	}
	return &all
}

// percentiles returns the curve of a distribution up to where single values begin. X is the number of
// nines: 1 is 90 %, 2 is 99 %.
func percentiles(h *hist.Histogram) (points []point) {
	if h.Count() == 0 {
		return nil
	}
	last := math.Min(math.Log10(float64(h.Count())), maxNines)
	const step = 0.1
	for nines := 0.0; nines <= last+1e-9; nines += step {
		ms := milliseconds(h.Quantile(1 - math.Pow(10, -nines)))
		points = append(points, point{nines, math.Max(ms, 0.001)})
	}
	return points
}

const maxNines = 5

// overTime returns a series of all rounds: at each moment the median of those that have one.
func overTime(runs []Run, value func(Point) float64) (points []point) {
	longest := 0
	for i := range runs {
		longest = max(longest, len(runs[i].Series))
	}
	for n := range longest {
		var at float64
		var values []float64
		for i := range runs {
			if n < len(runs[i].Series) {
				at = runs[i].Series[n].At
				values = append(values, value(runs[i].Series[n]))
			}
		}
		points = append(points, point{at, NewSpread(values).Median})
	}
	if !slices.ContainsFunc(points, func(p point) bool { return p.y > 0 }) {
		return nil
	}
	return points
}

// positive leaves out moments at which nothing was measured.
func positive(points []point) []point {
	return slices.DeleteFunc(points, func(p point) bool { return p.y <= 0 })
}
