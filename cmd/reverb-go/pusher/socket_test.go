package pusher

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/auth"
)

// serve returns a server that plays its part of a connection.
func serve(t *testing.T, play func(conn net.Conn)) *Server {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		play(conn)
	}))
	t.Cleanup(h.Close)
	return newServer(t, h)
}

func newServer(t *testing.T, h *httptest.Server) *Server {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "1", "a-key", "a-secret"
	app, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &Server{URL: u, App: app}
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if err := wsutil.WriteServerText(conn, []byte(text)); err != nil {
		t.Error(err)
	}
}

func hear(t *testing.T, conn net.Conn) string {
	t.Helper()
	text, err := wsutil.ReadClientText(conn)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// connect gives the test half a minute.
func connect(t *testing.T, s *Server) (*Socket, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c, err := s.Connect(ctx, Options{})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

const welcome = `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":0.01}"}`

func TestSocketAnswersAndAsks(t *testing.T) {
	s := serve(t, func(conn net.Conn) {
		say(t, conn, welcome)
		say(t, conn, `{"event":"pusher:ping"}`)
		pong := hear(t, conn)
		for pong == `{"event":"pusher:ping"}` { // which it also sends in silence
			pong = hear(t, conn)
		}
		if pong != `{"event":"pusher:pong"}` {
			t.Errorf("got %s in answer to a ping", pong)
		}
		if ping := hear(t, conn); ping != `{"event":"pusher:ping"}` {
			t.Errorf("got %s after silence", ping)
		}
		say(t, conn, `{"event":"pusher:pong"}`)
		say(t, conn, `{"event":"x","channel":"c","data":"{\"a\":1}"}`)
	})
	c, err := connect(t, s)
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Next()
	if err != nil || e.Name != "x" || e.Channel != "c" || e.Text() != `{"a":1}` || c.ID != "1.2" {
		t.Errorf("got %+v of %s, %v", e, c.ID, err)
	}
}

func TestConnectErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(net.Conn)
		want string
	}{
		{"refused", func(conn net.Conn) {
			say(t, conn, `{"event":"pusher:error","data":{"code":4001,"message":"Application does not exist"}}`)
		}, "closed with 4001 Application does not exist"},
		{"refused by a close alone", func(conn net.Conn) {
			ws.WriteFrame(conn, ws.NewCloseFrame(ws.NewCloseFrameBody(4100, "Over capacity")))
		}, "closed with 4100 Over capacity"},
		{"something else", func(conn net.Conn) { say(t, conn, `{"event":"hello"}`) }, "another protocol"},
		{"no JSON", func(conn net.Conn) { say(t, conn, `hello`) }, "no message"},
		{"nothing", func(net.Conn) {}, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connect(t, serve(t, tt.play))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestConnectToSomethingElse(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		w.Write([]byte("moved"))
	}))
	t.Cleanup(h.Close)
	_, err := connect(t, newServer(t, h))
	var refused *HandshakeError
	if !errors.As(err, &refused) || refused.Status != 302 || refused.Header.Get("Location") != "/elsewhere" || refused.Body != "moved" {
		t.Errorf("got %+v", err)
	}
}

func TestContextEndsNext(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, func(conn net.Conn) {
		say(t, conn, welcome)
		for {
			if _, _, err := wsutil.ReadClientData(conn); err != nil {
				close(ended)
				return
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := s.Connect(ctx, Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.Next(); err == nil {
		t.Error("Next went on")
	}
	<-ended
	c.Close()
}
