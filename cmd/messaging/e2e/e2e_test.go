package e2e_test

import (
	"bytes"
	"context"
	"io/fs"
	"net"
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

const (
	pageDir    = "../web"
	clientsDir = "../../../testdata/clients" // has the browser's driver
	imagesDir  = "../../../docs/images"
)

// patience is for one file of tests. The longest kills the server ten times and waits for both browsers to be back.
const patience = 12 * time.Minute

func TestMain(m *testing.M) { services.Main(m) }

// TestPageModel runs the tests of what the page does without a browser.
func TestPageModel(t *testing.T) {
	services.Find(t, "node")
	installModules(t, pageDir)
	watch(t)
	run(t, pageDir, nil, services.Find(t, "npm"), "test")
}

// TestBrowsers has people use the page. That takes minutes, so by default each thing is done on one of the two
// databases; with MESSAGING_E2E=full, as "make e2e" has it, all is done on both, and servers are killed ten times.
//
// With MESSAGING_PICTURES=1 the pictures of the documentation are taken anew.
func TestBrowsers(t *testing.T) {
	node, chromium := services.Find(t, "node"), services.Find(t, "chromium", "chromium-browser", "google-chrome")
	installModules(t, clientsDir)
	installModules(t, pageDir)
	watch(t)
	buildPage(t)
	app, reverb := buildProgram(t, ".."), buildProgram(t, "../../reverb-go")
	for _, suite := range []suite{
		{"sqlite", []string{"access", "look"}, func(*testing.T) []part { return embedded(app) }},
		{"postgres", []string{"live"}, func(t *testing.T) []part { return separate(t, app, reverb) }},
	} {
		t.Run(suite.name, func(t *testing.T) {
			for _, file := range suite.files() {
				t.Run(file, func(t *testing.T) { play(t, node, chromium, file, start(t, suite.parts(t))) })
			}
			t.Run("poll", func(t *testing.T) {
				parts := suite.parts(t)
				parts[0].env = slices.Concat(parts[0].env, []string{"MESSAGING_REALTIME=false", "MESSAGING_POLL_INTERVAL_MS=500"})
				play(t, node, chromium, "poll", start(t, parts))
			})
			if os.Getenv("MESSAGING_PICTURES") != "" && suite.name == "sqlite" {
				t.Run("pictures", func(t *testing.T) { play(t, node, chromium, "pictures", start(t, suite.parts(t))) })
			}
		})
	}
}

// suite is a set of processes to try things with.
type suite struct {
	name  string
	usual []string // files that are run unless all are
	parts func(*testing.T) []part
}

func (s suite) files() []string {
	if os.Getenv("MESSAGING_E2E") == "full" {
		return []string{"live", "access", "look", "reconnect"}
	}
	return s.usual
}

// part is a process of the system under test.
type part struct {
	name string
	addr string
	env  []string
	path string
	args []string
}

// embedded is the app as it comes: everything in one process, on SQLite.
func embedded(app string) []part {
	appHost, appPort := address()
	_, reverbPort := address()
	env := credentials(appHost+":"+appPort, reverbPort)
	return []part{{"app", appHost + ":" + appPort, env, app, []string{"start", "--with-reverb", "--host=" + appHost, "--port=" + appPort}}}
}

// separate is the app as in production: the websocket server, PostgreSQL and Redis beside it.
func separate(t *testing.T, app, reverb string) []part {
	appHost, appPort := address()
	reverbHost, reverbPort := address()
	env := append(credentials(appHost+":"+appPort, reverbPort),
		"DB_CONNECTION=pgsql", "DB_URL="+services.Postgres(t).DSN(), "REDIS_URL=redis://"+services.Redis(t).Addr)
	for _, args := range [][]string{{"migrate"}, {"seed", "--password=password"}} {
		cmd := exec.CommandContext(t.Context(), app, args...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("messaging %s: %v\n%s", args[0], err, out)
		}
	}
	return []part{
		{"app", appHost + ":" + appPort, env, app, []string{"start", "--host=" + appHost, "--port=" + appPort}},
		{"reverb", reverbHost + ":" + reverbPort, slices.Concat(env, []string{"REVERB_GO_DRAIN=1s"}), reverb, []string{"start", "--host=" + reverbHost, "--port=" + reverbPort}},
	}
}

// address is a free one for a server, as it is written in flags.
func address() (host, port string) {
	host, port, err := net.SplitHostPort(services.FreeAddr())
	if err != nil {
		panic(err)
	}
	return host, port
}

func credentials(app, reverbPort string) []string {
	return []string{
		"APP_KEY=base64:bWVzc2FnaW5nLW1lc3NhZ2luZy1tZXNzYWdpbmctISE=", "APP_URL=http://" + app,
		"REVERB_APP_ID=messaging", "REVERB_APP_KEY=messaging-key", "REVERB_APP_SECRET=messaging-secret",
		"REVERB_HOST=127.0.0.1", "REVERB_PORT=" + reverbPort, "REVERB_SCHEME=http",
		"REVERB_SERVER_HOST=127.0.0.1", "REVERB_SERVER_PORT=" + reverbPort,
	}
}

// system is what the browsers visit.
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
		process, err := services.Program(s.dir, p.addr, p.env, p.path, p.args...)
		if err != nil {
			return err
		}
		s.running[p.name] = process
	}
	return nil
}

// control is where the tests in JavaScript ask for death and life.
func (s *system) control() string {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /kill", func(_ http.ResponseWriter, r *http.Request) { s.kill(r.FormValue("part")) })
	mux.HandleFunc("POST /start", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.resume(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
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

// play runs one file of tests against the system.
func play(t *testing.T, node, chromium, file string, s *system) {
	t.Helper()
	env := []string{
		"MESSAGING_URL=http://" + s.parts[0].addr, "MESSAGING_CONTROL_URL=" + s.control(), "MESSAGING_PARTS=" + s.names(),
		"CHROMIUM=" + chromium,
	}
	if file == "pictures" {
		images, err := filepath.Abs(imagesDir)
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "REVERB_SCREENSHOTS="+images)
	}
	// pusher-js leaves timers behind, hence the forced exit.
	run(t, ".", env, node, "--test", "--test-force-exit", "--test-reporter=spec", file+".test.js")
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
	path := filepath.Join(t.TempDir(), filepath.Base(filepath.Clean(dir))+"-under-test")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", dir, err, out)
	}
	return path
}
