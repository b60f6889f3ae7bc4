package webhook

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// P:WHK-07, with the numbers of Pusher's documentation.
func TestSignature(t *testing.T) {
	body, n := appendBody(nil, time.UnixMilli(1327078148132), []*record{{event: occupied("test_channel")}})
	wantEqual(t, "body", string(body), `{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"test_channel"}]}`)
	wantEqual(t, "events", n, 1)
	wantEqual(t, "signature", sign(body, "7ad3773142a6692b25b8"), "709fdb84c03664445f7698120b0edf0acc1ab1c8c6e93a0368c61841d6b998aa")
}

func TestAppendEvent(t *testing.T) {
	inPresence := clientEvent("presence-p", "client-x", "d")
	inPresence.UserID = "7"
	for _, tc := range []struct {
		name  string
		event channels.Event
		want  string
	}{
		{"P:WHK-01", occupied("a"), `{"name":"channel_occupied","channel":"a"}`},
		{"P:WHK-02", vacated("a"), `{"name":"channel_vacated","channel":"a"}`},
		{"P:WHK-03", added("presence-p", "7"), `{"name":"member_added","channel":"presence-p","user_id":"7"}`},
		{"P:WHK-03", removed("presence-p", "é\""), `{"name":"member_removed","channel":"presence-p","user_id":"é\""}`},
		{"P:WHK-04", clientEvent("private-a", "client-x", `{"a":1}`), `{"name":"client_event","channel":"private-a","event":"client-x","data":"{\"a\":1}","socket_id":"12.34"}`},
		{"P:WHK-04", inPresence, `{"name":"client_event","channel":"presence-p","event":"client-x","data":"d","socket_id":"12.34","user_id":"7"}`},
		{"P:WHK-05", channels.Event{Name: channels.CacheMiss, Channel: "cache-a"}, `{"name":"cache_miss","channel":"cache-a"}`},
		{"P:WHK-06", channels.Event{Name: channels.SubscriptionCount, Channel: "a", Count: 3}, `{"name":"subscription_count","channel":"a","subscription_count":3}`},
		{"P:WHK-06", channels.Event{Name: channels.SubscriptionCount, Channel: "a"}, `{"name":"subscription_count","channel":"a","subscription_count":0}`},
		{"P:WHK-04", channels.Event{Name: channels.ClientEvent, Channel: "<a>/&", Event: "client-\u2028", SocketID: protocol.NewSocketID(1, 1)}, `{"name":"client_event","channel":"<a>/&","event":"client-` + "\u2028" + `","data":"","socket_id":"1.1"}`},
	} {
		wantEqual(t, tc.name, string(appendEvent(nil, &tc.event)), tc.want)
	}
}

// sendTo sends one event to a server with the handler, or to e if that is not nil.
func sendTo(t *testing.T, handler http.HandlerFunc, change func(*Endpoint)) error {
	t.Helper()
	srv := httptest.NewServer(handler)
	defer srv.Close()
	opts := Options{}.withDefaults()
	defer opts.closeTransport()
	cfg := Endpoint{URL: srv.URL + "/hooks?token=t0k3n"}
	if change != nil {
		change(&cfg)
	}
	e := newEndpoint(cfg, &opts)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return e.send(ctx, e.pack(time.Now(), []*record{{app: newApp(t, "1", "s3cret"), event: occupied("a")}}))
}

// P:WHK-07: what the libraries of Pusher look at.
func TestRequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	body := make(chan string, 1)
	err := sendTo(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r
		body <- string(b)
	}, func(e *Endpoint) {
		e.Headers = map[string]string{"authorization": "Bearer x", "host": "app.test", "User-Agent": "mine"}
	})
	if err != nil {
		t.Fatal(err)
	}
	r, b := <-got, <-body
	wantEqual(t, "method and URI", r.Method+" "+r.RequestURI, "POST /hooks?token=t0k3n")
	wantEqual(t, "host", r.Host, "app.test")
	for name, want := range map[string]string{
		"Content-Type":       "application/json",
		"X-Pusher-Key":       "key-1",
		"X-Pusher-Signature": sign([]byte(b), "s3cret"),
		"Authorization":      "Bearer x",
		"User-Agent":         "mine",
	} {
		wantList(t, name, r.Header[name], want)
	}
	wantEqual(t, "length", r.ContentLength, int64(len(b)))
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // of the error; "" is none
	}{
		{"200", func(w http.ResponseWriter, r *http.Request) {}, ""},
		{"204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, ""},
		{"P:WHK-08 500", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "sorry", 500) }, "HTTP status 500"},
		{"404", http.NotFound, "HTTP status 404"},
		{"a redirect, which is not followed", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect was followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		}, "HTTP status 301; hint: redirects are not followed"},
		{"a redirect that keeps the method", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect was followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "HTTP status 307; hint: redirects are not followed"},
		{"no answer but the end", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"the end in the middle of the answer", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("short"))
		}, ""}, // the status was a success
		{"garbage", func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			c.Write([]byte("hello\r\n\r\n"))
			c.Close()
		}, "malformed HTTP"},
		{"an endless header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*maxAnswer))
		}, "exceeded"},
		{"an endless answer", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := sendTo(t, tc.handler, nil)
			if tc.want == "" {
				if err != nil {
					t.Errorf("send: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("send: got %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "t0k3n") {
				t.Errorf("the error has a secret: %v", err)
			}
		})
	}
}

// P:WHK-09 with a real connection: the receiver accepts the request and says nothing.
func TestReceiverHangs(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-release
	}))
	defer srv.Close()
	defer close(release)
	opts := Options{}.withDefaults()
	defer opts.closeTransport()
	e := newEndpoint(Endpoint{URL: srv.URL + "/?token=t0k3n"}, &opts)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error)
	go func() {
		result <- e.send(ctx, e.pack(time.Now(), []*record{{app: newApp(t, "1", "s"), event: occupied("a")}}))
	}()
	<-arrived
	cancel()
	if err := <-result; err == nil || err.Error() != context.Canceled.Error() {
		t.Errorf("send: got %v, want that it was cancelled", err)
	}
}

// A whole dispatcher with real connections, whose endpoints fail in their own ways.
func TestReceivers(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	got := make(chan string, 100)
	failedOnce := false
	working := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if !failedOnce {
			failedOnce = true
			panic(http.ErrAbortHandler)
		}
		got <- string(b)
	}))
	defer working.Close()

	d, err := New(toHook("1", Endpoint{URL: hanging.URL}, Endpoint{URL: "http://127.0.0.1:1/"}, Endpoint{URL: working.URL}), Options{Interval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(t, "1", "s")
	d.Notify(app, occupied("a"))
	d.Notify(app, occupied("b"))
	var events []string
	for len(events) < 2 {
		select {
		case body := <-got:
			events = append(events, eventsOf(t, body)...)
		case <-time.After(time.Minute):
			t.Fatalf("got %q after a minute, want two events", events)
		}
	}
	wantList(t, "events", events, "channel_occupied a", "channel_occupied b")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Close(ctx) // it would wait for the hanging receiver
}

func BenchmarkNotify(b *testing.B) {
	opts := Options{Transport: newBackend(b), MaxEvents: 1 << 30, MaxBytes: 1 << 40}
	d, err := New(Config{"1": {Endpoints: []Endpoint{{URL: hook, Channels: []string{"presence-*", "private-*"}}}}}, opts)
	if err != nil {
		b.Fatal(err)
	}
	app := newApp(b, "1", "s")
	for _, bc := range []struct {
		name string
		app  *auth.App
		ch   string
	}{{"wanted", app, "private-a"}, {"filtered", app, "public"}, {"no-webhooks", newApp(b, "2", "s"), "a"}} {
		b.Run(bc.name, func(b *testing.B) {
			e := clientEvent(bc.ch, "client-x", "{}")
			b.ReportAllocs()
			for b.Loop() {
				d.Notify(bc.app, e)
			}
		})
	}
	stop(b, d)
}
