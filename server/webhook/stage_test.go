package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// hook is the URL of most tests. Its token must not be seen in a log.
const hook = "https://user:pass@backend.example/hooks?token=t0k3n"

func newApp(t testing.TB, id, secret string) *auth.App {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = id, "key-"+id, secret
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// backend receives requests without a network, so that it works where time is not real.
type backend struct {
	t       testing.TB
	started time.Time
	// answer says what becomes of a request; nil is 200 for all.
	answer func(*http.Request) (status int, err error)

	mu       sync.Mutex
	requests []request
}

type request struct {
	after  time.Duration // since the test began
	url    string
	header http.Header
	body   string
	isOK   bool
}

func newBackend(t testing.TB) *backend { return &backend{t: t, started: time.Now()} }

func (b *backend) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		b.t.Error(err)
	}
	r := request{after: time.Since(b.started), url: req.URL.String(), header: req.Header, body: string(body)}
	status := http.StatusOK
	if b.answer != nil {
		status, err = b.answer(req)
	}
	r.isOK = err == nil && status == http.StatusOK
	b.mu.Lock()
	b.requests = append(b.requests, r)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
}

func (b *backend) got() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// events returns what was delivered to url, each event as "name channel user event" without what is empty.
func (b *backend) events(url string) []string {
	var all []string
	for _, r := range b.got() {
		if r.isOK && r.url == url {
			all = append(all, eventsOf(b.t, r.body)...)
		}
	}
	return all
}

func eventsOf(t testing.TB, body string) []string {
	t.Helper()
	var decoded struct {
		Events []letterEvent `json:"events"`
	}
	if err := json.Unmarshal([]byte(body), &decoded); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	all := make([]string, len(decoded.Events))
	for i, e := range decoded.Events {
		all[i] = strings.Join(strings.Fields(string(e.Name)+" "+e.Channel+" "+e.UserID+" "+e.Event), " ")
	}
	return all
}

// hang waits until the sender loses patience.
func hang(req *http.Request) (int, error) {
	<-req.Context().Done()
	return 0, req.Context().Err()
}

// down is a backend that answers 500.
func down(*http.Request) (int, error) { return http.StatusInternalServerError, nil }

// newCounters returns counters that can be read.
func newCounters() Counters { return Counters{}.withDefaults() }

// count reads a counter or a gauge.
func count(m prometheus.Metric) int {
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		panic(err)
	}
	return int(out.GetCounter().GetValue() + out.GetGauge().GetValue())
}

// logs collects what is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// start returns a dispatcher that the test closes in the end.
func start(t *testing.T, cfg Config, opts Options) *Dispatcher {
	t.Helper()
	d, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, d) })
	return d
}

// stop closes d unless that was done.
func stop(t testing.TB, d *Dispatcher) {
	t.Helper()
	d.mu.Lock()
	isClosed := d.isClosed
	d.mu.Unlock()
	if isClosed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func countSenders(d *Dispatcher) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.byKey)
}

func toHook(appID string, endpoints ...Endpoint) Config {
	if len(endpoints) == 0 {
		endpoints = []Endpoint{{URL: hook}}
	}
	return Config{appID: {Endpoints: endpoints}}
}

func occupied(channel string) channels.Event {
	return channels.Event{Name: channels.ChannelOccupied, Channel: channel}
}

func vacated(channel string) channels.Event {
	return channels.Event{Name: channels.ChannelVacated, Channel: channel}
}

func added(channel, user string) channels.Event {
	return channels.Event{Name: channels.MemberAdded, Channel: channel, UserID: user}
}

func removed(channel, user string) channels.Event {
	return channels.Event{Name: channels.MemberRemoved, Channel: channel, UserID: user}
}

func clientEvent(channel, event, data string) channels.Event {
	return channels.Event{
		Name: channels.ClientEvent, Channel: channel, Event: event, Data: data, SocketID: protocol.NewSocketID(12, 34),
	}
}

func wantEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %v\nwant %v", what, got, want)
	}
}

func wantList(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}
