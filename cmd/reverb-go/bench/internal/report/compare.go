package report

import (
	"slices"
)

// A Comparison is one scenario with all servers that were tested with it.
type Comparison struct {
	Label   string
	Shape   string
	Servers []string
	Rows    []Row
}

// A Row is one metric of a Comparison.
type Row struct {
	Metric
	Spreads []Spread // by server
	Ratios  []Spread // by server, to the first one
}

// A Spread is a metric over several rounds.
type Spread struct {
	Median, Low, High float64
	N                 int // rounds; 0 is not known
}

// NewSpread returns the spread of values.
func NewSpread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (v[len(v)/2-1] + v[len(v)/2]) / 2
	}
	return Spread{Median: middle, Low: v[0], High: v[len(v)-1], N: len(v)}
}

// Compare returns the comparisons of all scenarios.
func (r *Report) Compare() (all []Comparison) {
	for _, label := range r.Labels() {
		all = append(all, r.compare(label))
	}
	return all
}

func (r *Report) compare(label string) Comparison {
	c := Comparison{Label: label}
	var byServer [][]Run
	for _, server := range r.Servers() {
		runs := r.Of(label, server)
		if len(runs) == 0 {
			continue
		}
		c.Shape = runs[0].Shape
		c.Servers = append(c.Servers, server)
		byServer = append(byServer, runs)
	}
	for _, m := range metricsOf(byServer) {
		row := Row{Metric: m}
		for i, runs := range byServer {
			row.Spreads = append(row.Spreads, NewSpread(values(runs, m.Key)))
			row.Ratios = append(row.Ratios, NewSpread(ratios(byServer[0], byServer[i], m.Key)))
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// metricsOf returns the metrics that any run has, in the order of the first that has them.
func metricsOf(byServer [][]Run) (all []Metric) {
	for _, runs := range byServer {
		for _, run := range runs {
			for _, m := range run.Metrics {
				if !slices.ContainsFunc(all, func(known Metric) bool { return known.Key == m.Key }) {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// values returns a metric in each round, or with fresh servers if it says something there only.
func values(runs []Run, key string) (v []float64) {
	for i := range runs {
		if m := runs[i].Metric(key); m != nil && (!m.First || runs[i].Fresh) {
			v = append(v, m.Value)
		}
	}
	return v
}

// ratios returns how many times base a metric is, round by round: what disturbs a round disturbs both.
func ratios(base, runs []Run, key string) (v []float64) {
	for i := range runs {
		j := slices.IndexFunc(base, func(b Run) bool { return b.Round == runs[i].Round })
		if j < 0 {
			continue
		}
		m, b := runs[i].Metric(key), base[j].Metric(key)
		if m != nil && b != nil && b.Value > 0 && (!m.First || runs[i].Fresh) {
			v = append(v, m.Value/b.Value)
		}
	}
	return v
}
