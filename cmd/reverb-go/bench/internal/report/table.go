package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// WriteText writes what people read on a terminal: an overview, or with several servers one block for each
// scenario, and what went wrong.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(r.Servers()) > 1 || r.Rounds > 1 {
		for _, c := range r.Compare() {
			c.write(&b)
		}
	} else {
		r.overview().write(&b)
	}
	r.writeRemarks(&b)
	r.writeEnd(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// table is text in columns, the first of which is on the left.
type table [][]string

func (t table) write(b *strings.Builder) {
	widths := make([]int, 0, 16)
	for _, row := range t {
		for i, cell := range row {
			for len(widths) <= i {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t {
		line := ""
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line += cell + space
			} else {
				line += "  " + space + cell
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteByte('\n')
}

// overview is one line for each scenario of one server.
func (r *Report) overview() table {
	t := table{{"scenario", "rate", "p50", "p99", "max", "server CPU", "memory", "client CPU", "result"}}
	for i := range r.Runs {
		run := &r.Runs[i]
		t = append(t, []string{
			run.Label,
			run.cell(KeyRate),
			run.cell(KeyP50),
			run.cell(KeyP99),
			run.cell("max"),
			run.costCell(),
			run.memoryCell(),
			run.cell(KeyClient),
			run.verdict(),
		})
	}
	return t
}

func (r *Run) cell(key string) string {
	m := r.Metric(key)
	if m == nil {
		return "–"
	}
	return Format(m.Value, m.Unit)
}

// costCell says what the server's work cost, and by what.
func (r *Run) costCell() string {
	if m := r.Metric(KeyCost); m != nil {
		name, _ := r.unit()
		return Format(m.Value, m.Unit) + "/" + name
	}
	if m := r.Metric(KeyCores); m != nil {
		return digits(m.Value) + " processors"
	}
	return "–"
}

func (r *Run) memoryCell() string {
	if m := r.Metric(KeyMemory); m != nil {
		return Format(m.Value, m.Unit) + "/connection"
	}
	return r.cell("memory")
}

func (r *Run) verdict() string {
	switch {
	case len(r.Failures) > 0:
		return "FAILED"
	case len(r.Warnings) > 0:
		return "ok, see below"
	}
	return "ok"
}

// write is a table of metrics with a column for each server, and its ratio to the first.
func (c Comparison) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s\n", c.Label, c.Shape)
	t := table{{""}}
	for i, server := range c.Servers {
		t[0] = append(t[0], server)
		if i > 0 {
			t[0] = append(t[0], "÷ "+c.Servers[0])
		}
	}
	for _, row := range c.Rows {
		cells := []string{"  " + row.Name}
		for i, s := range row.Spreads {
			cells = append(cells, s.format(row.Unit))
			if i > 0 {
				cells = append(cells, row.Ratios[i].format("×"))
			}
		}
		t = append(t, cells)
	}
	t.write(b)
}

// format writes the median, and with several rounds the lowest and the highest.
func (s Spread) format(unit string) string {
	switch {
	case s.N == 0:
		return "–"
	case s.N == 1:
		return Format(s.Median, unit)
	}
	_, scaled := scale(s.Median, unit)
	factor := 1.0
	if v, _ := scale(s.Median, unit); s.Median != 0 {
		factor = v / s.Median
	}
	return fmt.Sprintf("%s (%s–%s)", Format(s.Median*factor, scaled), digits(s.Low*factor), digits(s.High*factor))
}

// writeRemarks lists failures and warnings of all runs.
func (r *Report) writeRemarks(b *strings.Builder) {
	for _, run := range r.Runs {
		name := run.Label
		if len(r.Servers()) > 1 {
			name += " with " + run.Server
		}
		if r.Rounds > 1 {
			name += fmt.Sprintf(", round %d", run.Round)
		}
		for _, f := range run.Failures {
			fmt.Fprintf(b, "FAILED  %s: %s\n", name, f)
		}
		for _, w := range run.Warnings {
			fmt.Fprintf(b, "warning %s: %s\n", name, w)
		}
	}
}

// writeEnd says in one line what all of it comes to.
func (r *Report) writeEnd(b *strings.Builder) {
	if failed := r.Failed(); failed > 0 {
		fmt.Fprintf(b, "%d of %d runs failed.\n", failed, len(r.Runs))
		return
	}
	delivered := int64(0)
	for _, run := range r.Runs {
		delivered += run.Check.Delivered
	}
	runs := "1 run"
	if len(r.Runs) != 1 {
		runs = fmt.Sprintf("%d runs", len(r.Runs))
	}
	if delivered == 0 {
		fmt.Fprintf(b, "%s, no failures.\n", runs)
		return
	}
	fmt.Fprintf(b, "%s deliveries in %s, each arrived once and in order.\n", plan.Count(delivered), runs)
}

// WriteText writes what differs, and with all also what does not.
func (d Difference) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	t := table{{"scenario", "metric", "old", "new", "change", ""}}
	for _, c := range d.Changes {
		if c.Verdict == Same && !all {
			continue
		}
		t = append(t, []string{c.Label, c.Metric.Name, c.Old.format(c.Metric.Unit), c.New.format(c.Metric.Unit), c.percent(), string(c.Verdict)})
	}
	if len(t) > 1 {
		t.write(&b)
	}
	for _, f := range d.Failed {
		fmt.Fprintf(&b, "FAILED  %s\n", f)
	}
	for _, f := range d.Broken {
		fmt.Fprintf(&b, "failed before as well  %s\n", f)
	}
	for _, m := range d.Missing {
		fmt.Fprintf(&b, "missing %s\n", m)
	}
	fmt.Fprintf(&b, "%d metrics compared: %d better, %d worse.\n", len(d.Changes), d.count(Better), d.count(Worse))
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Difference) count(v Verdict) (n int) {
	for _, c := range d.Changes {
		if c.Verdict == v {
			n++
		}
	}
	return n
}

func (c Change) percent() string {
	if c.Old.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.1f %%", (c.New.Median/c.Old.Median-1)*100)
}
