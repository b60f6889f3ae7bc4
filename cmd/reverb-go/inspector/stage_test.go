package inspector

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
	"github.com/reverb-go/reverb-go/metrics"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// A stage is a server with an inspector, on a socket.
type stage struct {
	t         *testing.T
	url       string
	inspector *Inspector
	app       *auth.App
	token     string
	skipped   atomic.Int64 // time that the test has let pass
}

// serve starts a server with an inspector.
func serve(t *testing.T, token string, proxies ...string) *stage {
	t.Helper()
	return serveWith(t, Options{Token: token}, proxies...)
}

// serveWith adds to the options what all tests need.
func serveWith(t *testing.T, o Options, proxies ...string) *stage {
	t.Helper()
	s := &stage{t: t, token: o.Token, app: newApp(t, "1", "app-key", "app-secret")}
	numbers := prometheus.NewRegistry()
	m := metrics.New(numbers)
	apps, err := auth.NewApps(s.app, newApp(t, "2", "other-key", "other-secret"))
	if err != nil {
		t.Fatal(err)
	}
	o.Version, o.Apps, o.Numbers, o.Logger = "v1", apps.All, numbers, slog.New(slog.DiscardHandler)
	o.Now = func() time.Time { return time.Now().Add(time.Duration(s.skipped.Load())) }
	s.inspector = New(o)
	cfg := server.Config{Apps: apps, Metrics: m, Inspector: s.inspector.Handle}
	for _, p := range proxies {
		cfg.TrustedProxies = append(cfg.TrustedProxies, netip.MustParsePrefix(p))
	}
	s.url = listen(t, cfg)
	return s
}

func newApp(t *testing.T, id, key, secret string) *auth.App {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = id, key, secret
	app, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// listen serves until the test ends, and returns the address as a URL.
func listen(t *testing.T, cfg server.Config) string {
	t.Helper()
	srv, err := server.New(cfg, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

// do sends a request with headers in the form "Name: value", and those a page would send unless they are among them.
// "Name:" leaves one out.
func (s *stage) do(method, path, body string, headers ...string) (status int, answer string, h http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defaults := []string{viewerHeader + ": test", "Content-Type: application/json"}
	if s.token != "" {
		defaults = append(defaults, "Authorization: Bearer "+s.token)
	}
	for _, header := range append(defaults, headers...) {
		name, value, _ := strings.Cut(header, ":")
		value = strings.TrimSpace(value)
		switch {
		case name == "Host":
			req.Host = value
		case value == "":
			req.Header.Del(name)
		default:
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// call makes a call that succeeds, and decodes its answer.
func (s *stage) call(method, name, body string, answer any) {
	s.t.Helper()
	status, text, _ := s.do(method, prefix+"/api/"+name, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s", method, name, status, text)
	}
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, name, err, text)
	}
}

// refused makes a call that fails, and compares its status and sentence.
func (s *stage) refused(method, name, body string, status int, sentence string) {
	s.t.Helper()
	got, text, _ := s.do(method, prefix+"/api/"+name, body)
	if got != status || !strings.Contains(text, sentence) {
		s.t.Errorf("%s %s %s: got %d %s, want %d %s", method, name, body, got, text, status, sentence)
	}
}

// join connects a client and subscribes it; channels are "name" or "name user".
func (s *stage) join(channels ...string) *pusher.Socket {
	s.t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := (&pusher.Server{URL: u, App: s.app}).Connect(s.t.Context(), pusher.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	for _, channel := range channels {
		name, user, _ := strings.Cut(channel, " ")
		data := ""
		if user != "" {
			data = `{"user_id":"` + user + `","user_info":{"name":"secret"}}`
		}
		if err := c.Subscribe(name, data); err != nil {
			s.t.Fatal(err)
		}
		s.hear(c, "pusher_internal:subscription_succeeded")
	}
	return c
}

// hear waits for an event.
func (s *stage) hear(c *pusher.Socket, name string) pusher.Event {
	s.t.Helper()
	for {
		e, err := c.Next()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", name, err)
		}
		if e.Name == name {
			return e
		}
	}
}

// ended waits until a connection is closed.
func (s *stage) ended(c *pusher.Socket) {
	for {
		if _, err := c.Next(); err != nil {
			return
		}
	}
}

// await waits until a condition holds.
func (s *stage) await(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}
