package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

//go:embed page.html
var pageText string

// chartStyle is the colors, and what charts look like on the page and as pictures.
//
//go:embed chart.css
var chartStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	Title      string
	Made       string
	Machine    string
	Failed     bool
	Verdict    string
	Servers    []legend
	Facts      []fact
	Highlights []highlight
	Sections   []section
	Rounds     int
	ChartStyle template.CSS
}

type legend struct{ Name, URL, Class string }

// fact is a number in large type.
type fact struct {
	Value, What string
	Bad         bool
}

// highlight is what is most telling of a scenario: one metric of several servers as bars, or some of one
// server.
type highlight struct {
	ID, Label, Metric string
	Bars              []bar
	Numbers           []fact
}

type bar struct {
	Name, Class, Value, Ratio string
	Width                     float64 // percent of the longest
	Failed                    bool
}

// section is all about one scenario.
type section struct {
	ID, Label, Shape string
	Servers          []legend
	Charts           []template.HTML
	Rows             []htmlRow
	Remarks          []remark
}

type htmlRow struct {
	Name  string
	Cells []htmlCell
}

type htmlCell struct{ Value, Ratio string }

type remark struct {
	Text   string
	Failed bool
}

// WriteHTML writes one page with everything in it: it loads nothing from anywhere.
func (r *Report) WriteHTML(w io.Writer) error {
	if err := pageTemplate.Execute(w, r.page()); err != nil {
		return fmt.Errorf("fill in the page: %w", err)
	}
	return nil
}

func (r *Report) page() page {
	p := page{
		Title:   "Load test of " + listed(r.Servers()),
		Made:    r.Made.Format("2 January 2006, 15:04 MST"),
		Machine: r.Machine.String(),
		Failed:  r.Failed() > 0,
		Verdict: r.verdict(),
		Facts:   r.facts(),
		Rounds:  r.Rounds,

		ChartStyle: template.CSS(chartStyle),
	}
	all := r.Servers()
	for i, name := range all {
		p.Servers = append(p.Servers, legend{Name: name, URL: r.url(name), Class: class(i)})
	}
	for i, c := range r.Compare() {
		id := fmt.Sprintf("scenario-%d", i+1)
		legends := pick(p.Servers, c.Servers)
		if h, ok := c.highlight(legends); ok {
			h.ID = id
			for i := range h.Bars {
				h.Bars[i].Failed = failed(r.Of(c.Label, h.Bars[i].Name))
			}
			p.Highlights = append(p.Highlights, h)
		}
		p.Sections = append(p.Sections, section{
			ID:      id,
			Label:   c.Label,
			Shape:   c.Shape,
			Servers: legends,
			Charts:  r.charts(c.Label, legends),
			Rows:    c.htmlRows(),
			Remarks: r.remarks(c.Label),
		})
	}
	return p
}

// listed writes "a, b and c".
func listed(names []string) string {
	if n := len(names) - 1; n > 0 {
		return strings.Join(names[:n], ", ") + " and " + names[n]
	}
	return strings.Join(names, "")
}

// class returns the style of the i-th server; there are six.
func class(i int) string { return fmt.Sprintf("s%d", i%6) }

func pick(all []legend, names []string) (some []legend) {
	for _, l := range all {
		for _, name := range names {
			if l.Name == name {
				some = append(some, l)
			}
		}
	}
	return some
}

func (r *Report) url(server string) string {
	for i := range r.Runs {
		if r.Runs[i].Server == server {
			return r.Runs[i].URL
		}
	}
	return ""
}

func (r *Report) verdict() string {
	if failed := r.Failed(); failed > 0 {
		return fmt.Sprintf("%d of %d runs failed: see the remarks below.", failed, len(r.Runs))
	}
	if !slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Check.Delivered > 0 }) {
		return "Nothing failed."
	}
	return "Every message arrived once, complete and in order."
}

// facts are the sums that say how much was tested and what went wrong.
func (r *Report) facts() []fact {
	var delivered, lost, twice, order, connections int64
	for i := range r.Runs {
		run := &r.Runs[i]
		delivered += run.Check.Delivered
		lost += run.Check.Lost
		twice += run.Check.Duplicated
		order += run.Check.Reordered
		connections += int64(run.Client.Sockets) + run.Counters.Ready
	}
	return []fact{
		{Value: plan.Count(delivered), What: "deliveries checked"},
		{Value: plan.Count(connections), What: "connections made"},
		{Value: plan.Count(lost), What: "lost", Bad: lost > 0},
		{Value: plan.Count(twice), What: "came twice", Bad: twice > 0},
		{Value: plan.Count(order), What: "out of order", Bad: order > 0},
	}
}

// highlightKeys are the metrics a scenario is known by, the most telling first.
var highlightKeys = []string{KeyMemory, KeyBack, KeyCost, KeyP99, KeyCores, KeyRate}

// flatOutKeys are those of one that goes as fast as the server confirms, whose latency is that of its queues.
var flatOutKeys = []string{KeyCost, KeyRate, KeyP99}

func (c Comparison) highlight(servers []legend) (h highlight, ok bool) {
	h.Label = c.Label
	keys := highlightKeys
	if rate := c.row(KeyRate); rate != nil && rate.Better == Higher {
		keys = flatOutKeys
	}
	for _, key := range keys {
		row := c.row(key)
		switch {
		case row == nil:
		case len(servers) > 1:
			h.Metric, h.Bars = row.Name, row.bars(servers)
			return h, true
		case len(h.Numbers) < 3:
			h.Numbers = append(h.Numbers, fact{Value: row.Spreads[0].short(row.Unit), What: row.Name})
		}
	}
	return h, len(h.Numbers) > 0
}

func (row *Row) bars(servers []legend) (bars []bar) {
	longest := 0.0
	for _, s := range row.Spreads {
		longest = max(longest, s.Median)
	}
	for i, s := range row.Spreads {
		b := bar{Name: servers[i].Name, Class: servers[i].Class, Value: s.short(row.Unit)}
		if longest > 0 {
			b.Width = max(100*s.Median/longest, 0)
		}
		if i > 0 && row.Ratios[i].N > 0 {
			b.Ratio = Format(row.Ratios[i].Median, "×")
		}
		bars = append(bars, b)
	}
	return bars
}

// short writes the median alone.
func (s Spread) short(unit string) string {
	if s.N == 0 {
		return "–"
	}
	return Format(s.Median, unit)
}

func (c Comparison) htmlRows() (rows []htmlRow) {
	for _, row := range c.Rows {
		h := htmlRow{Name: row.Name}
		for i, s := range row.Spreads {
			cell := htmlCell{Value: s.format(row.Unit)}
			if i > 0 && row.Ratios[i].N > 0 {
				cell.Ratio = row.Ratios[i].format("×")
			}
			h.Cells = append(h.Cells, cell)
		}
		rows = append(rows, h)
	}
	return rows
}

func (r *Report) remarks(label string) (all []remark) {
	for i := range r.Runs {
		run := &r.Runs[i]
		if run.Label != label {
			continue
		}
		who := r.who(run)
		for _, f := range run.Failures {
			all = append(all, remark{Text: who + f, Failed: true})
		}
		for _, w := range run.Warnings {
			all = append(all, remark{Text: who + w})
		}
	}
	return all
}

// who names a run among those of its scenario, as far as there are several.
func (r *Report) who(run *Run) string {
	who := ""
	if len(r.Servers()) > 1 {
		who = run.Server
	}
	if r.Rounds > 1 {
		who = strings.TrimLeft(fmt.Sprintf("%s, round %d", who, run.Round), ", ")
	}
	if who != "" {
		who += ": "
	}
	return who
}

// String describes the machine in a line.
func (m Machine) String() string {
	parts := []string{}
	if m.CPU != "" {
		parts = append(parts, m.CPU)
	}
	parts = append(parts, fmt.Sprintf("%d processors", m.Processors))
	if m.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GB", float64(m.Memory)/1e9))
	}
	parts = append(parts, strings.TrimSpace(m.OS+" "+m.Kernel), m.Go)
	if m.Load > float64(m.Processors)/2 {
		parts = append(parts, fmt.Sprintf("busy with other work (load average %.1f before)", m.Load))
	}
	return strings.Join(parts, ", ")
}
