package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"slices"
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
const patience = 14 * time.Minute

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
	tools := findTools(t)
	app, reverb := buildProgram(t, ".."), buildProgram(t, "../../reverb-go")
	for _, suite := range []suite{
		{"sqlite", []string{"access", "look"}, func(*testing.T) []part { return embedded(app) }},
		{"postgres", []string{"live", "horizon"}, func(t *testing.T) []part { return separate(t, app, reverb) }},
	} {
		t.Run(suite.name, func(t *testing.T) {
			for _, file := range suite.files() {
				t.Run(file, func(t *testing.T) { tools.play(t, file, start(t, suite.parts(t))) })
			}
			t.Run("poll", func(t *testing.T) {
				parts := suite.parts(t)
				for i := range parts {
					parts[i].env = slices.Concat(parts[i].env, []string{"MESSAGING_REALTIME=false", "MESSAGING_POLL_INTERVAL_MS=500"})
				}
				tools.play(t, "poll", start(t, parts))
			})
			if os.Getenv("MESSAGING_PICTURES") != "" && suite.name == "sqlite" {
				t.Run("pictures", func(t *testing.T) { tools.play(t, "pictures", start(t, suite.parts(t))) })
			}
		})
	}
}

// TestSoketi has the same page and the same app use another server of the Pusher protocol. SOKETI is the path of its
// bin/server.js; "make e2e-soketi" installs it for the time of the test.
func TestSoketi(t *testing.T) {
	server := os.Getenv("SOKETI")
	if server == "" {
		t.Skip(`SOKETI does not say where soketi is; hint: "make e2e-soketi" installs it`)
	}
	tools := findTools(t)
	app := buildProgram(t, "..")
	for _, file := range []string{"live", "access", "reconnect"} {
		t.Run(file, func(t *testing.T) { tools.play(t, file, start(t, withSoketi(app, tools.node, server))) })
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
		return []string{"live", "access", "look", "horizon", "reconnect"}
	}
	return s.usual
}

// embedded is the app as it comes: everything in one process, on SQLite.
func embedded(app string) []part {
	host, port := address()
	_, websockets := address()
	env := credentials(host, port, websockets)
	return []part{{"app", up(host, port), env, app, []string{"start", "--with-reverb", "--host=" + host, "--port=" + port}}}
}

// separate is the app as in production: serving and working are processes of their own, with the websocket server,
// PostgreSQL and Redis beside them.
func separate(t *testing.T, app, reverb string) []part {
	host, port := address()
	websocketHost, websockets := address()
	env := append(credentials(host, port, websockets),
		"DB_CONNECTION=pgsql", "DB_URL="+services.Postgres(t).DSN(), "REDIS_URL=redis://"+services.Redis(t).Addr)
	for _, args := range [][]string{{"migrate"}, {"seed", "--password=password"}} {
		cmd := exec.CommandContext(t.Context(), app, args...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("messaging %s: %v\n%s", args[0], err, out)
		}
	}
	return []part{
		{"app", up(host, port), env, app, []string{"serve", "--host=" + host, "--port=" + port}},
		{"work", "", env, app, []string{"work", "--queue=broadcasts,notifications,default", "--tries=1"}},
		{"websockets", up(websocketHost, websockets), slices.Concat(env, []string{"REVERB_GO_DRAIN=1s"}), reverb,
			[]string{"start", "--host=" + websocketHost, "--port=" + websockets}},
	}
}

// withSoketi is the app with soketi in reverb-go's place.
func withSoketi(app, node, soketi string) []part {
	host, port := address()
	websocketHost, websockets := address()
	metricsHost, metrics := address()
	return []part{
		{"app", up(host, port), credentials(host, port, websockets), app, []string{"start", "--host=" + host, "--port=" + port}},
		{"websockets", "http://" + net.JoinHostPort(websocketHost, websockets) + "/ready", []string{
			"SOKETI_HOST=" + websocketHost, "SOKETI_PORT=" + websockets,
			"SOKETI_METRICS_HOST=" + metricsHost, "SOKETI_METRICS_SERVER_PORT=" + metrics,
			"SOKETI_DEFAULT_APP_ID=messaging", "SOKETI_DEFAULT_APP_KEY=messaging-key", "SOKETI_DEFAULT_APP_SECRET=messaging-secret",
		}, node, []string{soketi, "start"}},
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

// up is where the app and reverb-go say that they are well.
func up(host, port string) string { return "http://" + net.JoinHostPort(host, port) + "/up" }

func credentials(host, port, websockets string) []string {
	return []string{
		"APP_KEY=base64:bWVzc2FnaW5nLW1lc3NhZ2luZy1tZXNzYWdpbmctISE=", "APP_URL=http://" + net.JoinHostPort(host, port),
		"REVERB_APP_ID=messaging", "REVERB_APP_KEY=messaging-key", "REVERB_APP_SECRET=messaging-secret",
		"REVERB_HOST=127.0.0.1", "REVERB_PORT=" + websockets, "REVERB_SCHEME=http",
		"REVERB_SERVER_HOST=127.0.0.1", "REVERB_SERVER_PORT=" + websockets,
	}
}
