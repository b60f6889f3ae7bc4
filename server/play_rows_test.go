package server_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rowsFile lists the rows of the two conformance lists, one a line: R:… of Laravel Reverb's and P:… of Pusher's. A row
// that nothing here can show is followed by the reason.
const rowsFile = "../testdata/rows.txt"

var rowID = regexp.MustCompile(`\b[RP]:[A-Z]+-\d+b?\b`)

// TestRowsAreCited wants each row to be named by a conversation, a script of the command line or a test, and no
// other row to be.
func TestRowsAreCited(t *testing.T) {
	reasons, cited := readRows(t), citedRows(t)
	for _, id := range slices.Sorted(maps.Keys(reasons)) {
		switch reason, where := reasons[id], cited[id]; {
		case reason == "" && where == "":
			t.Errorf("%s is shown nowhere. Show it, or give a reason in %s", id, rowsFile)
		case reason != "" && where != "":
			t.Errorf("%s is shown in %s, although %s says %q", id, where, rowsFile, reason)
		}
		delete(cited, id)
	}
	for _, id := range slices.Sorted(maps.Keys(cited)) {
		t.Errorf("%s names %s, and %s does not", cited[id], id, rowsFile)
	}
}

func readRows(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(rowsFile)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		id, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, twice := reasons[id]; twice || rowID.FindString(id) != id {
			t.Fatalf("%s: %q is no row, or there twice", rowsFile, line)
		}
		reasons[id] = reason
	}
	return reasons
}

// citedRows returns the rows that are named, and a file that does it.
func citedRows(t *testing.T) map[string]string {
	t.Helper()
	cited := make(map[string]string)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case entry.IsDir() || !citesRows(filepath.ToSlash(path)):
			return nil
		}
		data, err := os.ReadFile(path)
		for _, id := range rowID.FindAllString(string(data), -1) {
			cited[id] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cited
}

// citesRows leaves out the player, where rows are only examples.
func citesRows(path string) bool {
	switch base := filepath.Base(path); {
	case strings.HasSuffix(base, ".txtar"), strings.HasSuffix(base, ".test.js"):
		return strings.Contains(path, "/testdata/")
	default:
		return strings.HasSuffix(base, "_test.go") && !strings.HasPrefix(base, "play_")
	}
}
