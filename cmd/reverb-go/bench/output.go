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
	}
	// One that cannot be written does not stop the others.
	return errors.Join(
		writeFile(o.jsonFile(), r.WriteJSON),
		writeFile(o.html, r.WriteHTML),
		writeTable(o.markdown, r),
	)
}

// jsonFile returns the file for the results; "" is none.
func (o *output) jsonFile() string {
	if o.json == "-" {
		return ""
	}
	return o.json
}

// check reports a file that cannot be written. It is asked before the tests: results that took minutes
// should not be lost to a misspelt folder.
func (o *output) check() error {
	for _, path := range []string{o.jsonFile(), o.html, o.markdown} {
		if err := checkFile(path); err != nil {
			return usageError(err, "the results are to be written there")
		}
	}
	if o.markdown != "" {
		_, _, err := readAround(o.markdown)
		return err
	}
	return nil
}

// checkFile opens a file for writing and leaves everything as it was. What is no file, such as a pipe, may take it
// amiss to be opened twice.
func checkFile(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	switch {
	case isNew:
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", path)
	case !info.Mode().IsRegular():
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	err = f.Close()
	if isNew {
		err = errors.Join(err, os.Remove(path))
	}
	return err
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
	before, after, err := readAround(path)
	if err != nil {
		return err
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

// readAround returns what is before and after the table of a document.
func readAround(path string) (before, after []byte, err error) {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = []byte(tableBegin+"\n"+tableEnd+"\n"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	before, rest, began := bytes.Cut(old, []byte(tableBegin))
	_, after, ended := bytes.Cut(rest, []byte(tableEnd))
	if !began || !ended {
		return nil, nil, usageError(fmt.Errorf("%s has no place for a table", path), "put the lines "+tableBegin+" and "+tableEnd+" where it belongs")
	}
	return before, after, nil
}
