package report

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// A Growth is how a number grows with another, for several things that are compared.
type Growth struct {
	Title  string
	Unit   string // of what grows
	Over   string // what it grows with, such as "connections"
	Curves []Curve
}

// A Curve is one of the things: its value at each size.
type Curve struct {
	Name   string
	Points map[float64]Spread
}

// GrowthOf returns how a metric of scenarios of one kind grows with the connections, with a curve for each server.
func (r *Report) GrowthOf(kind, key, title string) (g Growth) {
	g.Title, g.Over = title, "connections"
	for _, server := range r.Servers() {
		values := make(map[float64][]float64)
		for i := range r.Runs {
			run := &r.Runs[i]
			m := run.Metric(key)
			if run.Server != server || run.Scenario.Scenario != kind || m == nil || len(run.Failures) > 0 {
				continue
			}
			at := float64(run.Scenario.Channels * run.Scenario.Subscribers)
			values[at], g.Unit = append(values[at], m.Value), m.Unit
		}
		c := Curve{Name: server, Points: make(map[float64]Spread)}
		for at, all := range values {
			c.Points[at] = NewSpread(all)
		}
		g.Curves = append(g.Curves, c)
	}
	return g
}

// sizes returns where there is a value, in order.
func (g Growth) sizes() (all []float64) {
	for _, c := range g.Curves {
		for at := range c.Points {
			all = append(all, at)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SVG draws the medians, as a picture of its own that suits light and dark pages.
func (g Growth) SVG() []byte {
	c := chart{title: g.Title, unit: g.Unit, over: g.Over}
	for i, curve := range g.Curves {
		var points []point
		for _, at := range g.sizes() {
			if s, ok := curve.Points[at]; ok {
				points = append(points, point{at, s.Median})
			}
		}
		c.add(legend{Name: curve.Name, Class: class(i)}, points)
	}
	drawn := string(c.draw())
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"`, chartWidth, chartHeight)
	return []byte(head + strings.TrimSuffix(strings.TrimPrefix(drawn, "<svg"), "</svg>") + c.names() + "<style>" + chartStyle + pictureStyle + "</style></svg>\n")
}

// names writes what the lines are, each in its color.
func (c *chart) names() string {
	var b strings.Builder
	x := chartWidth - marginRight
	for _, l := range slices.Backward(c.lines) {
		b.WriteString(fmt.Sprintf(`<text class="name %s" text-anchor="end" x="%d" y="16">`, l.Class, x))
		_ = xml.EscapeText(&b, []byte(l.Name)) // a Builder takes all
		b.WriteString(`</text>`)
		x -= 12 + 7*len(l.Name)
	}
	return b.String()
}

// What a picture does not share with the page: nothing can be hovered over in it.
const pictureStyle = ".chart .dot { opacity: 1; } .chart .name { fill: var(--c); font-weight: 600; }"

// Table writes all values as Markdown.
func (g Growth) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s, by %s |", g.Title, g.Over)
	for _, at := range g.sizes() {
		fmt.Fprintf(&b, " %s |", number(at))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(g.sizes())) + "\n")
	for _, c := range g.Curves {
		fmt.Fprintf(&b, "| %s |", c.Name)
		for _, at := range g.sizes() {
			fmt.Fprintf(&b, " %s |", c.Points[at].short(g.Unit))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
