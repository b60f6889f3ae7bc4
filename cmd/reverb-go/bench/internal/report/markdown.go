package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes a table for a README: a line for each scenario with the metric it is known by, a column
// for each server, and how it was made.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	servers := r.Servers()
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(servers, " | "), strings.Repeat("---:|", len(servers)))
	for _, c := range r.Compare() {
		for _, key := range markdownKeys(c) {
			if row := c.row(key); row != nil {
				fmt.Fprintf(&b, "| %s<br>%s |%s\n", c.Label, row.Name, c.markdownCells(row, servers))
			}
		}
	}
	fmt.Fprintf(&b, "\n%s; %s", r.Made.Format("2 January 2006"), r.Machine)
	if r.Rounds > 1 {
		fmt.Fprintf(&b, "; medians of %d rounds in turn, with the lowest and the highest", r.Rounds)
	}
	b.WriteString(".\n")
	if failed := r.Failed(); failed > 0 {
		fmt.Fprintf(&b, "\n%d of %d runs failed:\n\n", failed, len(r.Runs))
		for i := range r.Runs {
			for _, f := range r.Runs[i].Failures {
				fmt.Fprintf(&b, "- %s, %s\n", r.Runs[i].Label, r.who(&r.Runs[i])+f)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownKeys are the metrics worth a line: what the scenario is known by, and how long it took where the
// rate was given. At full speed latency says how long the queue was.
func markdownKeys(c Comparison) []string {
	keys := c.known()
	if rate := c.row(KeyRate); rate != nil && rate.Better == "" && (len(keys) == 0 || keys[0] != KeyP99) {
		keys = append(keys, KeyP99)
	}
	return keys
}

// known returns the key of the first highlight the scenario has, or nothing.
func (c Comparison) known() []string {
	for _, key := range highlightKeys {
		if c.row(key) != nil {
			return []string{key}
		}
	}
	return nil
}

func (c Comparison) row(key string) *Row {
	for i := range c.Rows {
		if c.Rows[i].Key == key {
			return &c.Rows[i]
		}
	}
	return nil
}

func (c Comparison) markdownCells(row *Row, servers []string) string {
	var b strings.Builder
	for _, server := range servers {
		cell := "–"
		for i, name := range c.Servers {
			if name != server || row.Spreads[i].N == 0 {
				continue
			}
			cell = row.Spreads[i].format(row.Unit)
			if i > 0 && row.Ratios[i].N > 0 {
				cell += fmt.Sprintf("<br>%s", Format(row.Ratios[i].Median, "×"))
			}
		}
		fmt.Fprintf(&b, " %s |", cell)
	}
	return b.String()
}
