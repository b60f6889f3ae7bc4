package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// TestFilesAreCheckedFirst names files that cannot be written. Nothing is tested, and nothing is left behind.
func TestFilesAreCheckedFirst(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.json")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flag, path, want string
	}{
		{"--json", filepath.Join(dir, "nowhere", "r.json"), "nowhere"},
		{"--html", dir, "is a folder"},
		{"--markdown", old, "no place for a table"},
	} {
		fresh := filepath.Join(dir, "fresh.json")
		args := []string{"idle", "--url", "ws://k:s@127.0.0.1:9/1", "--json", fresh, tt.flag, tt.path}
		stdout, _, err := bench(t, args...)
		var p *config.Problem
		if !errors.As(err, &p) || !strings.Contains(p.Sentence, tt.want) || stdout != "" {
			t.Errorf("%s %s: got %v and %q, want a usage error about it before anything is tested", tt.flag, tt.path, err, stdout)
		}
		if _, err := os.Stat(fresh); err == nil {
			t.Errorf("%s %s: an empty report was left behind", tt.flag, tt.path)
		}
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "old" {
		t.Errorf("got %q and %v, want the old report as it was", text, err)
	}
}

// TestOneFileThatCannotBeWritten has the disk fail for one of the files; the other is written.
func TestOneFileThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	o := output{json: filepath.Join(dir, "nowhere", "r.json"), html: filepath.Join(dir, "r.html")}
	cmd := NewCommand()
	cmd.SetOut(&strings.Builder{})
	if err := o.write(cmd, report.New(1, time.Now())); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v, want to hear of the file that could not be written", err)
	}
	if _, err := os.Stat(o.html); err != nil {
		t.Errorf("got %v, want the page", err)
	}
}
