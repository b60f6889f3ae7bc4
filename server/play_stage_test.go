package server_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server"
)

// Stage directions, which nobody speaks:
//
//	(a, b and c connect)     each connects to the first app and hears that it is connected
//	(60s pass)               the server's clock jumps
//	(silence)                nobody hears anything
//	(the server shuts down)  it is told to; what clients hear of that are lines of theirs

func (p *play) direct(l line) {
	p.t.Helper()
	if len(l.notes) != 1 || l.text != "" {
		p.broken(errors.New("a stage direction is one pair of parentheses"))
	}
	note := l.notes[0]
	if names, ok := cutLast(note, " connect", " connects"); ok {
		for _, name := range strings.FieldsFunc(strings.ReplaceAll(names, " and ", ","), isSeparator) {
			p.connects(p.client(name))
		}
	} else if span, ok := cutLast(note, " pass", " passes"); ok {
		p.timePasses(span)
	} else if note == "silence" {
		for _, c := range p.order {
			p.hearsNothing(c)
		}
	} else if note == "the server shuts down" {
		p.stage.shutDown()
	} else {
		p.broken(errors.New("unknown stage direction"))
	}
}

func cutLast(s string, endings ...string) (string, bool) {
	for _, e := range endings {
		if before, ok := strings.CutSuffix(s, e); ok {
			return before, true
		}
	}
	return s, false
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }

func (p *play) connects(c *client) {
	p.t.Helper()
	if err := c.connect(p.stage, p.stage.prefix+"/app/"+p.stage.apps[0].key, nil); err != nil {
		p.broken(err)
	}
	got := c.next()
	want := `{"event":"pusher:connection_established","data":"{\"socket_id\":\"` + c.id + `\",\"activity_timeout\":30}"}`
	if c.id == "" || got != want {
		p.failed(want, c.name+": "+got)
	}
	c.spoke = false // the greeting has answered all it said
}

func (p *play) timePasses(span string) {
	p.t.Helper()
	d, err := time.ParseDuration(span)
	if err != nil {
		p.broken(err)
	}
	p.stage.clock.advance(d)
	p.stage.tick()
}

// A stage is the server that a conversation is played against.
type stage struct {
	addr     string   // host:port
	nodes    []string // the addresses of a cluster, which take turns; else just addr
	turn     int
	prefix   string // before /app and /apps
	apps     []app
	now      func() time.Time
	clock    *clock // nil for a server that is not ours
	tick     func()
	settle   func()     // until what the nodes say has reached Redis; nil for a server that is not ours
	visitors func() int // of the last node
	stops    []func()   // of each node
	shutDown func()
}

// app is what a player needs to know of one.
type app struct{ id, key, secret string }

// app returns the app with this key, or else the first.
func (s *stage) app(key string) app {
	for _, a := range s.apps {
		if a.key == key {
			return a
		}
	}
	return s.apps[0]
}

// appOfPath returns the app whose id is in an API path, or else the first.
func (s *stage) appOfPath(path string) app {
	_, rest, _ := strings.Cut(path, "/apps/")
	id, _, _ := strings.Cut(rest, "/")
	for _, a := range s.apps {
		if a.id == id {
			return a
		}
	}
	return s.apps[0]
}

// clock stands still until it is told otherwise.
type clock struct {
	start time.Time
	since atomic.Int64
}

func (c *clock) now() time.Time          { return c.start.Add(time.Duration(c.since.Load())) }
func (c *clock) advance(d time.Duration) { c.since.Add(int64(d)) }

// settings is the file server.json.
type settings struct {
	Path             string `json:"path"`
	MaxRequestSize   int    `json:"max_request_size"`
	MaxQueued        int    `json:"max_queued"`
	MaxConnections   int    `json:"max_connections"`
	MaxHandshakes    int    `json:"max_handshakes"`
	HandshakeTimeout string `json:"handshake_timeout"`
	Now              int64  `json:"now"` // Unix time at which the conversation begins
}

// nextNode returns where the next connection goes.
func (s *stage) nextNode() string {
	if len(s.nodes) == 0 {
		return s.addr
	}
	s.turn++
	return s.nodes[s.turn%len(s.nodes)]
}

func openStage(t testing.TB, s *script, e engine) *stage {
	t.Helper()
	var set settings
	decode(t, s, "server.json", &set)
	apps, known := readApps(t, s)
	on := &stage{apps: known, prefix: prefix(set.Path), clock: &clock{start: time.Now()}}
	if set.Now != 0 {
		on.clock.start = time.Unix(set.Now, 0)
	}
	on.now = on.clock.now
	timeout, err := time.ParseDuration(cmp.Or(set.HandshakeTimeout, "10s"))
	if err != nil {
		t.Fatal(err)
	}
	raise(t, on, e.brokers(t), server.Config{
		Apps: apps, Path: set.Path, Portable: e.portable, NoIOUring: e.writes, Now: on.now,
		MaxRequestSize: cmp.Or(set.MaxRequestSize, 10_000), MaxQueued: cmp.Or(set.MaxQueued, 1<<20),
		MaxConnections: set.MaxConnections, MaxHandshakes: set.MaxHandshakes,
		HandshakeTimeout: timeout, PongTimeout: 30 * time.Second, Drain: time.Millisecond, Loops: 2,
	})
	return on
}

// raise starts a node for each broker. Two loops are enough to see clients of different loops meet.
func raise(t testing.TB, on *stage, brokers []server.Broker, cfg server.Config) {
	t.Helper()
	for _, broker := range brokers {
		raiseNode(t, on, broker, cfg)
	}
	on.addr = on.nodes[0]
	on.settle = func() { settle(t, brokers) }
}

func raiseNode(t testing.TB, on *stage, broker server.Broker, cfg server.Config) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	raiseOn(t, on, ln, broker, cfg)
}

func raiseOn(t testing.TB, on *stage, ln net.Listener, broker server.Broker, cfg server.Config) {
	t.Helper()
	srv, err := server.New(cfg, broker)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	on.nodes = append(on.nodes, ln.Addr().String())
	on.visitors = srv.Visitors
	if on.tick == nil {
		on.tick, on.shutDown = func() {}, func() {}
	}
	tick, shutDown := on.tick, on.shutDown
	on.tick = func() { tick(); srv.Tick() }
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
	on.stops = append(on.stops, stop)
	on.shutDown = func() { shutDown(); stop() }
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// visitStage is a server that runs already.
func visitStage(t *testing.T, address string) *stage {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ws" {
		t.Fatalf("-against=%s is not a ws:// URL", address)
	}
	return &stage{
		addr: u.Host, prefix: strings.TrimSuffix(u.Path, "/"), now: time.Now,
		apps: []app{{*appID, *key, *secret}},
	}
}

func prefix(path string) string {
	if path = strings.Trim(path, "/"); path != "" {
		return "/" + path
	}
	return ""
}

// appConfig is one of apps.json, in the words of config/reverb.php.
type appConfig struct {
	AppID                  string   `json:"app_id"`
	Key                    string   `json:"key"`
	Secret                 string   `json:"secret"`
	PingInterval           *int     `json:"ping_interval"`
	ActivityTimeout        *int     `json:"activity_timeout"`
	AllowedOrigins         []string `json:"allowed_origins"`
	MaxConnections         *int     `json:"max_connections"`
	MaxMessageSize         *int     `json:"max_message_size"`
	AcceptClientEventsFrom string   `json:"accept_client_events_from"`
	RateLimiting           struct {
		Enabled          bool `json:"enabled"`
		MaxAttempts      int  `json:"max_attempts"`
		DecaySeconds     int  `json:"decay_seconds"`
		TerminateOnLimit bool `json:"terminate_on_limit"`
	} `json:"rate_limiting"`
	ownConfig
}

// readApps returns the apps of apps.json, or one with everything at its default.
func readApps(t testing.TB, s *script) (*auth.Apps, []app) {
	t.Helper()
	configs := []appConfig{{AppID: "1", Key: "app-key", Secret: "app-secret"}}
	decode(t, s, "apps.json", &configs)
	var all []*auth.App
	var known []app
	for _, c := range configs {
		a, err := auth.NewApp(c.app())
		if err != nil {
			t.Fatal(err)
		}
		all, known = append(all, a), append(known, app{c.AppID, c.Key, c.Secret})
	}
	apps, err := auth.NewApps(all...)
	if err != nil {
		t.Fatal(err)
	}
	return apps, known
}

func (c appConfig) app() auth.App {
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = c.AppID, c.Key, c.Secret
	setSeconds(&a.PingInterval, c.PingInterval)
	setSeconds(&a.ActivityTimeout, c.ActivityTimeout)
	setInt(&a.MaxConnections, c.MaxConnections)
	setInt(&a.MaxMessageSize, c.MaxMessageSize)
	if c.AllowedOrigins != nil {
		a.AllowedOrigins = c.AllowedOrigins
	}
	switch c.AcceptClientEventsFrom {
	case "", "members":
	case "all":
		a.ClientEvents = auth.ClientEventsAll
	default:
		a.ClientEvents = auth.ClientEventsNone
	}
	a.RateLimit = auth.RateLimit{
		Enabled:     c.RateLimiting.Enabled,
		MaxAttempts: c.RateLimiting.MaxAttempts,
		Decay:       time.Duration(c.RateLimiting.DecaySeconds) * time.Second,
		Terminate:   c.RateLimiting.TerminateOnLimit,
	}
	c.ownConfig.apply(&a)
	return a
}

func setSeconds(to *time.Duration, seconds *int) {
	if seconds != nil {
		*to = time.Duration(*seconds) * time.Second
	}
}

func setInt(to *int, n *int) {
	if n != nil {
		*to = *n
	}
}

// decode reads a JSON file of the script into v; one that is missing leaves v as it is.
func decode(t testing.TB, s *script, name string, v any) {
	t.Helper()
	data, ok := s.files[name]
	if !ok {
		return
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %s: %v", s.file, name, err)
	}
}
