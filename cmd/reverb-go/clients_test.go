package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// clientsDir holds the tests that are written in JavaScript, because the clients are.
const clientsDir = "../../testdata/clients"

// clientsTimeout is for one file of tests. Its slowest test waits for pusher-js, which tries again 15 and 45 seconds
// after it found nobody listening.
const clientsTimeout = 4 * time.Minute

// TestClients lets the clients that people use talk to the server: pusher-js and laravel-echo in Node and in Chromium,
// and Pusher's server library. Each file gets a server of its own, since some of them restart it.
//
// REVERB_SCREENSHOTS names a folder in which the browser tests leave pictures.
func TestClients(t *testing.T) {
	node := lookFor(t, "node")
	installModules(t)
	watchFiles(t)
	binary := buildBinary(t)

	webhookURL := fmt.Sprintf("REVERB_GO_WEBHOOK_URL=http://127.0.0.1:%d/hooks", services.FreePort())
	for name, settings := range map[string][]string{
		"echo":        nil,
		"pusher":      nil,
		"api":         nil,
		"browser":     nil,
		"users":       {"REVERB_GO_SUBSCRIPTION_COUNT=true"},
		"compression": {"REVERB_GO_COMPRESSION=auto", fmt.Sprintf("REVERB_GO_METRICS_ADDR=127.0.0.1:%d", services.FreePort())},
		"inspector":   {"REVERB_GO_INSPECTOR=true", "REVERB_GO_ADMIN_TOKEN=the-token-of-a-test"},
		"webhooks":    {"REVERB_GO_SUBSCRIPTION_COUNT=true", webhookURL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := append(settings, "REVERB_APP_ID=app-id", "REVERB_APP_KEY=app-key", "REVERB_APP_SECRET=app-secret")
			runClients(t, node, name+".test.js", startServer(t, binary, env...))
		})
	}
	t.Run("welcome", func(t *testing.T) {
		t.Parallel()
		// Without credentials the server runs a throw-away app and shows its page.
		runClients(t, node, "welcome.test.js", startServer(t, binary))
	})
}

// missing skips the test, or fails it in CI, where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// lookFor returns the path of the first of the programs that is installed.
func lookFor(t *testing.T, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	missing(t, "%s is not installed", strings.Join(programs, " or "))
	return ""
}

// installModules runs npm ci, but only for who has not done so since the list of modules changed. npm writes the file
// looked at here last.
func installModules(t *testing.T) {
	t.Helper()
	installed, err := os.Stat(filepath.Join(clientsDir, "node_modules", ".package-lock.json"))
	wanted, wantedErr := os.Stat(filepath.Join(clientsDir, "package-lock.json"))
	if err == nil && wantedErr == nil && !installed.ModTime().Before(wanted.ModTime()) {
		return
	}
	npm := exec.CommandContext(t.Context(), lookFor(t, "npm"), "ci")
	npm.Dir = clientsDir
	if out, err := npm.CombinedOutput(); err != nil {
		missing(t, "npm ci in %s: %v\n%s", clientsDir, err, out)
	}
}

// watchFiles looks at the files of the tests. Go caches a pass until a file that the test itself looked at has changed,
// and does not see what Node reads.
func watchFiles(t *testing.T) {
	t.Helper()
	for _, dir := range []string{clientsDir, filepath.Join(clientsDir, "page")} {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func buildBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "reverb-go")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// runClients runs one file of JavaScript tests against the server.
func runClients(t *testing.T, node, file string, srv *server) {
	t.Helper()
	env := append(os.Environ(), srv.env...)
	env = append(env,
		"REVERB_HOST=127.0.0.1",
		"REVERB_PORT="+strconv.Itoa(srv.port),
		"REVERB_CONTROL_URL="+srv.control(t),
	)
	if slices.Contains([]string{"browser.test.js", "welcome.test.js", "inspector.test.js", "compression.test.js"}, file) {
		env = append(env, "CHROMIUM="+lookFor(t, "chromium", "chromium-browser", "google-chrome"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), clientsTimeout)
	defer cancel()
	// pusher-js leaves a timer of 30 seconds behind when the server ends the connection, hence the forced exit.
	cmd := exec.CommandContext(ctx, node, "--test", "--test-force-exit", "--test-reporter=spec", file)
	cmd.Dir = clientsDir
	cmd.Env = env
	// Node ends its children, Chromium among them, when it is asked to.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("node --test %s\n%s", file, out)
	if err != nil {
		t.Errorf("%s: %v\nThe server said:\n%s", file, err, srv.output.String())
	}
}

// server is a reverb-go process that can be stopped and started again on the same port.
type server struct {
	binary string
	dir    string // where it runs; empty, so that no .env is found
	port   int
	env    []string // REVERB_APP_…; nil for a throw-away app
	output outputBuffer

	mu     sync.Mutex // guards what follows
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// startServer starts a server that is stopped when the test ends.
func startServer(t *testing.T, binary string, env ...string) *server {
	t.Helper()
	s := &server{binary: binary, dir: t.TempDir(), port: services.FreePort(), env: env}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("stop the server: %v\nThe server said:\n%s", err, s.output.String())
		}
	})
	if err := s.start(t.Context()); err != nil {
		t.Fatalf("start the server: %v\nThe server said:\n%s", err, s.output.String())
	}
	return s
}

func (s *server) url() string {
	return fmt.Sprintf("http://127.0.0.1:%d", s.port)
}

// start returns when the server answers.
func (s *server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.binary, "start", "--host=127.0.0.1", "--port="+strconv.Itoa(s.port))
	cmd.Dir = s.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "REVERB_GO_DRAIN=1s"}, s.env...)
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		cmd.Wait()
		close(exited)
	}()
	return s.waitUntilUp(ctx)
}

func (s *server) waitUntilUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !isUp(ctx, s.url()+"/up") {
		select {
		case <-tick.C:
		case <-s.exited:
			return fmt.Errorf("it ended: %v", s.cmd.ProcessState)
		case <-ctx.Done():
			return errors.New("it does not answer GET /up")
		}
	}
	return nil
}

func isUp(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends the server as a service manager does and reports what it should not have done on the way.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-s.exited
		return fmt.Errorf("it had ended by itself: %v", cmd.ProcessState)
	}
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		<-s.exited
		return errors.New("it did not end within 20 s of SIGTERM")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("it ended with %v after SIGTERM", cmd.ProcessState)
	}
	return nil
}

// control is the address at which the JavaScript tests can ask for a restart.
func (s *server) control(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restart", func(w http.ResponseWriter, r *http.Request) {
		if err := errors.Join(s.stop(), s.start(r.Context())); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// outputBuffer keeps what a process writes and can be read meanwhile.
type outputBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *outputBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *outputBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
