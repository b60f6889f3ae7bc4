package e2e_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// installModules runs npm ci, but only for who has never done so. npm writes the file looked at here last.
func installModules(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
		return
	}
	npm := exec.CommandContext(t.Context(), services.Find(t, "npm"), "ci")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in %s: %v\n%s", dir, err, out)
	}
}

// watch looks at the files of the page and of the tests. Go caches a pass until a file that the test itself looked at
// has changed, and does not see what Node reads.
func watch(t *testing.T) {
	t.Helper()
	newestIn(t, ".", clientsDir, filepath.Join(pageDir, "test"))
	newestIn(t, sources...)
}

// sources is what the page is made of.
var sources = []string{
	filepath.Join(pageDir, "src"), filepath.Join(pageDir, "public"), filepath.Join(pageDir, "index.html"),
	filepath.Join(pageDir, "package-lock.json"), filepath.Join(pageDir, "vite.config.ts"),
}

// newestIn looks at all files and returns when one was last changed.
func newestIn(t *testing.T, paths ...string) time.Time {
	t.Helper()
	var newest time.Time
	for _, dir := range paths {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if entry != nil && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := os.Stat(path)
			if err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return newest
}

// buildPage runs npm run build if the page is not there or older than what it is made of. To do so always would
// pull the files from under whoever builds the program at the same time.
func buildPage(t *testing.T) {
	t.Helper()
	built, err := os.Stat(filepath.Join(pageDir, "dist", "index.html"))
	if err == nil && built.ModTime().After(newestIn(t, sources...)) {
		return
	}
	run(t, pageDir, nil, services.Find(t, "npm"), "run", "build")
	if t.Failed() {
		t.FailNow()
	}
}

func buildProgram(t *testing.T, dir string) string {
	t.Helper()
	whole, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(whole)+"-under-test")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", dir, err, out)
	}
	return path
}
