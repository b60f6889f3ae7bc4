package report

import (
	"cmp"
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// chart is lines over a common axis.
type chart struct {
	title string
	unit  string // of y
	nines bool   // x counts nines of a percentile, and y is logarithmic
	over  string // what x counts otherwise; "" is seconds
	lines []line
}

type line struct {
	legend
	points []point
}

type point struct{ x, y float64 }

func chartOfPercentiles() chart {
	return chart{title: "latency by percentile", unit: "ms", nines: true}
}

func chartOverTime(title, unit string) chart { return chart{title: title, unit: unit} }

func (c *chart) add(l legend, points []point) {
	if len(points) > 0 {
		c.lines = append(c.lines, line{l, points})
	}
}

// worthDrawing reports whether there is a line of two points.
func (c *chart) worthDrawing() bool {
	for _, l := range c.lines {
		if len(l.points) > 1 {
			return true
		}
	}
	return false
}

// Sizes of a chart in its own units.
const (
	chartWidth  = 560
	chartHeight = 250
	marginLeft  = 74
	marginRight = 16
	marginTop   = 34
	marginFoot  = 38
	plotWidth   = chartWidth - marginLeft - marginRight
	plotHeight  = chartHeight - marginTop - marginFoot
)

// axis maps values to a length.
type axis struct {
	low, high float64
	log       bool
	ticks     []float64
}

// at returns where v is, from 0 to 1.
func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	if high <= low {
		return 0
	}
	return min(max((v-low)/(high-low), 0), 1)
}

// newLinear returns an axis from 0 with ticks at round numbers.
func newLinear(high float64, ticks int) axis {
	if high <= 0 {
		high = 1
	}
	step := niceStep(high / float64(ticks))
	a := axis{high: math.Ceil(high/step-1e-9) * step}
	for i := 0; float64(i)*step <= a.high*(1+1e-9); i++ {
		a.ticks = append(a.ticks, float64(i)*step)
	}
	return a
}

// niceStep returns 1, 2 or 5 times a power of ten, not less than v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= v*(1-1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// newLog returns an axis over whole powers of ten.
func newLog(low, high float64) axis {
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high)-1e-9)
	if to <= from {
		to = from + 1
	}
	a := axis{low: math.Pow(10, from), high: math.Pow(10, to), log: true}
	for e := from; e <= to; e++ {
		a.ticks = append(a.ticks, math.Pow(10, e))
	}
	return a
}

func (c *chart) bounds() (right, low, high float64) {
	low = math.Inf(1)
	for _, l := range c.lines {
		for _, p := range l.points {
			right, low, high = max(right, p.x), min(low, p.y), max(high, p.y)
		}
	}
	return right, low, high
}

func (c *chart) axes() (x, y axis) {
	right, low, high := c.bounds()
	if c.nines {
		x = axis{high: max(right, 1)}
		for n := 0.0; n <= x.high+1e-9; n++ {
			x.ticks = append(x.ticks, n)
		}
		return x, newLog(low, high)
	}
	if c.over != "" && right > 20_000 {
		return newLog(1, right), newLinear(high, 4)
	}
	x = newLinear(right, 6)
	x.high = max(right, 1e-9) // a line ends where the plot ends
	return x, newLinear(high, 4)
}

// draw returns the chart as an SVG element.
func (c *chart) draw() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartHeight, html.EscapeString(c.title))
	fmt.Fprintf(&b, `<text class="title" x="%d" y="16">%s</text>`, marginLeft, html.EscapeString(strings.ToUpper(c.title[:1])+c.title[1:]))
	x, y := c.axes()
	c.drawGrid(&b, x, y)
	for _, l := range c.lines {
		l.draw(&b, x, y)
	}
	for _, l := range c.lines {
		c.drawLast(&b, l, x, y)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // all text in it is escaped above
}

func place(x, y axis, p point) (px, py float64) {
	return marginLeft + plotWidth*x.at(p.x), marginTop + plotHeight*(1-y.at(p.y))
}

func (c *chart) drawGrid(b *strings.Builder, x, y axis) {
	for _, v := range y.ticks {
		_, py := place(x, y, point{0, v})
		fmt.Fprintf(b, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, marginLeft, py, chartWidth-marginRight, py)
		fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%.1f">%s</text>`, marginLeft-6, py+4, html.EscapeString(tick(v, c.unit)))
	}
	for _, v := range x.ticks {
		if v > x.high*(1+1e-9) {
			continue
		}
		px, _ := place(x, y, point{v, 0})
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, px, marginTop, px, marginTop+plotHeight)
		text, anchor := c.tickX(v), "middle"
		if len(text) > 5 && v >= x.high*(1-1e-9) {
			anchor, px = "end", chartWidth-2 // half of a long number would be cut off
		}
		fmt.Fprintf(b, `<text class="tick" text-anchor="%s" x="%.1f" y="%d">%s</text>`, anchor, px, marginTop+plotHeight+16, text)
	}
	name := cmp.Or(c.over, "seconds")
	if c.nines {
		name = "percent of all take no longer"
	}
	fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%d">%s</text>`, chartWidth-marginRight, chartHeight-6, name)
}

// tick writes the number at a tick, which is round.
func tick(v float64, unit string) string {
	v, unit = scale(v, unit)
	text := number(v)
	switch unit {
	case "processors":
		return text
	case "/s":
		return text + unit
	}
	return text + " " + unit
}

// number writes a round number with no more digits than it has.
func number(v float64) string {
	if v >= 10_000 && v < 1e6 {
		return fmt.Sprintf("%gk", v/1e3)
	}
	if v >= 1e6 {
		return fmt.Sprintf("%gM", v/1e6)
	}
	return fmt.Sprintf("%.6g", v)
}

func (c *chart) tickX(v float64) string {
	if !c.nines {
		return number(v)
	}
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%.*f", max(int(v)-2, 0), 100*(1-math.Pow(10, -v)))
}

func (l line) draw(b *strings.Builder, x, y axis) {
	fmt.Fprintf(b, `<polyline class="line %s" points="`, l.Class)
	for i, p := range l.points {
		if i > 0 {
			b.WriteByte(' ')
		}
		px, py := place(x, y, p)
		fmt.Fprintf(b, "%.1f,%.1f", px, py)
	}
	fmt.Fprintf(b, `"><title>%s</title></polyline>`, html.EscapeString(l.Name))
}

// drawLast draws points one can hover over for the value.
func (c *chart) drawLast(b *strings.Builder, l line, x, y axis) {
	for _, p := range l.points {
		px, py := place(x, y, p)
		at := fmt.Sprintf("%.3g s", p.x)
		switch {
		case c.nines:
			at = fmt.Sprintf("%.5g %%", 100*(1-math.Pow(10, -p.x)))
		case c.over != "":
			at = number(p.x) + " " + c.over
		}
		fmt.Fprintf(b, `<circle class="dot %s" cx="%.1f" cy="%.1f" r="4"><title>%s at %s: %s</title></circle>`,
			l.Class, px, py, html.EscapeString(l.Name), at, html.EscapeString(Format(p.y, c.unit)))
	}
}
