package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
)

// output is where a report goes besides the terminal.
type output struct{ json, html, markdown string }

func (o *output) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.json, "json", "", "File to write the results to; - is standard output")
	f.StringVar(&o.html, "html", "", "File to write a page with charts to")
	f.StringVar(&o.markdown, "markdown", "", "File to write a table to, or to replace it in between its markers "+tableBegin+" and "+tableEnd)
}

// write writes the report in all the ways that were asked for.
func (o *output) write(cmd *cobra.Command, r *report.Report) error {
	if o.json != "-" && !quiet(cmd) {
		if err := r.WriteText(cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("print the results: %w", err)
		}
	}
	if o.json == "-" {
		if err := r.WriteJSON(cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("print the results: %w", err)
		}
	} else if err := writeFile(o.json, r.WriteJSON); err != nil {
		return err
	}
	if err := writeFile(o.html, r.WriteHTML); err != nil {
		return err
	}
	return writeTable(o.markdown, r)
}

// writeFile writes a file; "" is none.
func writeFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}

// What a table in a document is between.
const (
	tableBegin = "<!-- bench -->"
	tableEnd   = "<!-- /bench -->"
)

// writeTable writes a table into a document that has the markers, or into a new file.
func writeTable(path string, r *report.Report) error {
	if path == "" {
		return nil
	}
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = []byte(tableBegin+"\n"+tableEnd+"\n"), nil
	}
	if err != nil {
		return err
	}
	before, rest, began := bytes.Cut(old, []byte(tableBegin))
	_, after, ended := bytes.Cut(rest, []byte(tableEnd))
	if !began || !ended {
		return usageError(fmt.Errorf("%s has no place for a table", path), "put the lines "+tableBegin+" and "+tableEnd+" where it belongs")
	}
	return writeFile(path, func(w io.Writer) error {
		fmt.Fprintf(w, "%s%s\n", before, tableBegin)
		if err := r.WriteMarkdown(w); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%s%s", tableEnd, after)
		return err
	})
}
