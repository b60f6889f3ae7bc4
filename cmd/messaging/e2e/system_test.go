package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// part is a process of the system under test.
type part struct {
	name   string
	health string // the URL that tells that it is there; "" for one that serves nothing
	env    []string
	path   string
	args   []string
}

// system is what the browsers visit: the first of its parts.
type system struct {
	t     *testing.T
	parts []part
	dir   string // where they all run

	mu      sync.Mutex // guards running and said
	running map[string]*services.Server
	said    bytes.Buffer // by processes that were killed
}

// start returns when every part answers. The last part is the one the first needs.
func start(t *testing.T, parts []part) *system {
	t.Helper()
	s := &system{t: t, parts: parts, dir: t.TempDir(), running: make(map[string]*services.Server)}
	t.Cleanup(func() { s.kill("") })
	if err := s.resume(); err != nil {
		t.Fatal(err)
	}
	return s
}

// kill ends one part, or with "" everything, as if the power had failed.
func (s *system) kill(part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, process := range s.running {
		if part == "" || part == name {
			s.said.WriteString(process.Output())
			process.Stop()
			delete(s.running, name)
		}
	}
}

// resume starts what is not running.
func (s *system) resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.parts) {
		if s.running[p.name] != nil {
			continue
		}
		process, err := services.Program(s.dir, p.health, p.env, p.path, p.args...)
		if err != nil {
			return err
		}
		s.running[p.name] = process
	}
	return nil
}

// command runs another command of the app.
func (s *system) command(name string) error {
	cmd := exec.CommandContext(s.t.Context(), s.parts[0].path, name)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.parts[0].env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("messaging %s: %w\n%s", name, err, out)
	}
	return err
}

// control is where the tests in JavaScript ask for death, life and commands.
func (s *system) control() string {
	mux := http.NewServeMux()
	for path, do := range map[string]func(*http.Request) error{
		"POST /kill":    func(r *http.Request) error { s.kill(r.FormValue("part")); return nil },
		"POST /start":   func(*http.Request) error { return s.resume() },
		"POST /command": func(r *http.Request) error { return s.command(r.FormValue("name")) },
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	server := httptest.NewServer(mux)
	s.t.Cleanup(server.Close)
	return server.URL
}

// names is what can be killed, in the form that the tests in JavaScript read.
func (s *system) names() string {
	var list []string
	for _, p := range s.parts {
		list = append(list, p.name)
	}
	return strings.Join(list, ",")
}

// tools are what tests in JavaScript need.
type tools struct{ node, chromium string }

// findTools also sees to it that the page is there to be built in.
func findTools(t *testing.T) tools {
	t.Helper()
	found := tools{services.Find(t, "node"), services.Find(t, "chromium", "chromium-browser", "google-chrome")}
	installModules(t, clientsDir)
	installModules(t, pageDir)
	watch(t)
	buildPage(t)
	return found
}

// play runs one file of tests against the system.
func (n tools) play(t *testing.T, file string, s *system) {
	t.Helper()
	env := []string{
		"MESSAGING_URL=" + strings.TrimSuffix(s.parts[0].health, "/up"), "MESSAGING_CONTROL_URL=" + s.control(), "MESSAGING_PARTS=" + s.names(),
		"CHROMIUM=" + n.chromium,
	}
	if file == "pictures" {
		images, err := filepath.Abs(imagesDir)
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "REVERB_SCREENSHOTS="+images)
	}
	// pusher-js leaves timers behind, hence the forced exit.
	run(t, ".", env, n.node, "--test", "--test-force-exit", "--test-reporter=spec", file+".test.js")
	if t.Failed() {
		s.kill("")
		t.Logf("the servers said:\n%s", s.said.String())
	}
}

func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	// Node ends its children, Chromium among them, when it is asked to.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("%v\n%s", cmd.Args, out)
	if err != nil {
		t.Errorf("%v: %v", cmd.Args, err)
	}
}
