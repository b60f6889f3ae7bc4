package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/metrics"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// notPlayed are the reasons that no client can bring about.
var notPlayed = map[string]string{
	`connections_closed_total{reason="panic"}`:   "it is a bug of ours",
	`connections_refused_total{reason="system"}`: "the system takes a socket away",
}

// TestRefusals is refused in every way there is and looks for it in the metrics. A reason that the
// metrics have and no script leads to is an error as well.
func TestRefusals(t *testing.T) {
	tested := make(map[string]bool)
	for _, r := range refusals {
		tested[r.series] = true
		t.Run(r.series, func(t *testing.T) {
			t.Parallel()
			s := scriptOf(t, r)
			on, registry := openRefusing(t, s, r)
			perform(t, s, on)
			wantSeries(t, registry, r.series, 1)
		})
	}
	for series, test := range map[string]func(*testing.T, string){
		`connections_refused_total{reason="shutdown"}`: testRefusedAtShutdown,
		`connections_refused_total{reason="files"}`:    testRefusedWithoutFiles,
		`connections_closed_total{reason="app_gone"}`:  testClosedWithApp,
	} {
		tested[series] = true
		t.Run(series, func(t *testing.T) { test(t, series) })
	}
	_, registry := openRefusing(t, scriptOf(t, refusal{}), refusal{})
	for series := range gather(t, registry) {
		name, label, _ := strings.Cut(series, "{")
		if strings.HasPrefix(label, "reason=") && name != "messages_dropped_total" && !tested[series] && notPlayed[series] == "" {
			t.Errorf("nothing here leads to %s", series)
		}
	}
}

func scriptOf(t *testing.T, r refusal) *script {
	t.Helper()
	archive := txtar.Parse([]byte(r.script))
	s := &script{file: r.series, files: make(map[string][]byte), vars: make(map[string]string)}
	for _, f := range archive.Files {
		s.files[f.Name] = f.Data
	}
	s.files["apps.json"] = []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret"` + r.app + `}]`)
	if err := s.parse(string(archive.Comment)); err != nil {
		t.Fatal(err)
	}
	return s
}

// openRefusing starts a server whose metrics can be read.
func openRefusing(t *testing.T, s *script, r refusal) (*stage, *prometheus.Registry) {
	t.Helper()
	apps, known := readApps(t, s)
	registry := prometheus.NewRegistry()
	on := &stage{apps: known, clock: &clock{start: time.Now()}}
	on.now = on.clock.now
	cfg := server.Config{Apps: apps, Now: on.now, MaxRequestSize: 1_000_000, Drain: time.Millisecond, Loops: 2, Metrics: metrics.New(registry)}
	if r.set != nil {
		r.set(&cfg)
	}
	if r.broker == nil {
		r.broker = scaling.NewLocal()
	}
	raise(t, on, []server.Broker{r.broker}, cfg)
	return on, registry
}

// testClosedWithApp takes an app away from its source while it has a connection.
func testClosedWithApp(t *testing.T, series string) {
	var isGone atomic.Bool
	broker := &knownBroker{Local: scaling.NewLocal()}
	r := refusal{script: connected, broker: broker, set: func(c *server.Config) { c.Apps = vanishing{c.Apps, &isGone} }}
	s := scriptOf(t, r)
	on, registry := openRefusing(t, s, r)
	perform(t, s, on)
	isGone.Store(true)
	broker.node.(interface{ RefreshApps() }).RefreshApps()
	wantSeries(t, registry, series, 1)
}

// A knownBroker remembers the server that it was given to.
type knownBroker struct {
	*scaling.Local
	node server.Node
}

func (b *knownBroker) Start(n server.Node) {
	b.node = n
	b.Local.Start(n)
}

// vanishing is a source whose apps are gone at some time.
type vanishing struct {
	server.AppSource
	isGone *atomic.Bool
}

func (v vanishing) ByID(id string) (*auth.App, error) {
	if v.isGone.Load() {
		return nil, nil
	}
	return v.AppSource.ByID(id)
}

// lostApps is a source that cannot be asked.
type lostApps struct{}

func (lostApps) ByKey(string) (*auth.App, error) { return nil, errors.New("down") }
func (lostApps) ByID(string) (*auth.App, error)  { return nil, errors.New("down") }

// wantSeries waits until a counter has its value: loops report at the end of a turn.
func wantSeries(t *testing.T, g prometheus.Gatherer, series string, want float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s is %v", series, want), func() bool { return gather(t, g)[series] == want })
}

// gather returns the counters as /metrics has them, without the prefix.
func gather(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			series := strings.TrimPrefix(f.GetName(), "reverb_") + "{" + strings.Join(labels, ",") + "}"
			all[series] = m.GetCounter().GetValue()
		}
	}
	return all
}

// testRefusedWithoutFiles connects while there are no descriptors but those that are kept back.
func testRefusedWithoutFiles(t *testing.T, series string) {
	on, registry := openRefusing(t, scriptOf(t, refusal{}), refusal{set: func(c *server.Config) { c.MaxFiles = 1 }})
	conn, err := net.Dial("tcp", on.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	heard, err := io.ReadAll(conn)
	if want := "HTTP/1.1 503 "; err != nil || !strings.HasPrefix(string(heard), want) {
		t.Errorf("heard %q and %v, want %q", heard, err, want)
	}
	wantSeries(t, registry, series, 1)
}

// testRefusedAtShutdown sends half a handshake, and the rest when the server has begun to shut down.
func testRefusedAtShutdown(t *testing.T, series string) {
	s := scriptOf(t, refusal{})
	on, registry := openRefusing(t, s, refusal{})
	conn, err := net.Dial("tcp", on.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /app/app-key HTTP/1.1\r\nHost: x\r\n")
	// That another connection is served shows that this one is accepted; it waits on a loop until the half has been read.
	perform(t, readScript(t, conversations+"/connect.txtar"), on)
	eventually(t, "the half is read", func() bool { return on.visitors() == 0 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		on.shutDown()
	}()
	for err == nil {
		var again net.Conn
		if again, err = net.Dial("tcp", on.addr); err == nil {
			again.Close()
		}
	}
	fmt.Fprint(conn, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	heard, _ := io.ReadAll(conn)
	if !strings.Contains(string(heard), `"code":4100`) {
		t.Errorf("a handshake during the shutdown was answered with %q, want a 4100", heard)
	}
	wantSeries(t, registry, series, 1)
	<-done
}
