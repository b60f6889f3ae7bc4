package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/reverb-go/reverb-go/auth"
)

// signedEvent is a request that publishes on the channel a.
func signedEvent(a *auth.App, data string, now time.Time) string {
	const path = "/apps/1/events"
	body := fmt.Sprintf(`{"name":"n","channel":"a","data":%q}`, data)
	return fmt.Sprintf("POST %s?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, a.SignRequest("POST", path, nil, []byte(body), now), len(body), body)
}

const handshakeText = "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// A stillCaller is the other end of a visitor.
type stillCaller struct {
	*visitor
	t   *testing.T
	far net.Conn
	in  *bufio.Reader
}

// visited returns a visitor of the loop.
func (s *still) visited(t *testing.T) *stillCaller {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	far, err := requestConn(fds[1], "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if err := far.SetDeadline(time.Now().Add(relayPatience)); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(fds[0], netip.Addr{})
	s.visit(v)
	s.turn()
	if s.loop.visitors[v.fd] != v {
		t.Fatal("the loop takes no visitors")
	}
	return &stillCaller{v, t, far, bufio.NewReader(far)}
}

// says has the loop read text, and returns the status of the answer.
func (c *stillCaller) says(s *still, text string) string {
	c.t.Helper()
	if _, err := io.WriteString(c.far, text); err != nil {
		c.t.Fatal(err)
	}
	s.takeTurn()
	return c.hears()
}

// takeTurn takes a turn with what has happened.
func (s *still) takeTurn() {
	s.loop.events, _ = s.loop.poller.Wait(s.loop.events[:0], time.Second)
	s.turn()
}

func (c *stillCaller) hears() string {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err.Error()
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, response.Body)
	}
	return response.Status
}

const noAnswer = "unexpected EOF"

// TestFullInboxDuringEvent fills the inbox of a loop after that has looked whether it may publish: it would be the only one to
// empty it, and must not wait for that.
func TestFullInboxDuringEvent(t *testing.T) {
	s := newStill(t, Config{}, func(a *auth.App) { a.MaxAPIEvents = 10 })
	c, epoch, asked := s.visited(t), s.cfg.Now(), 0
	s.cfg.Now = func() time.Time {
		if asked++; asked == 2 { // for the rate of events
			for range maxInbox {
				s.loop.inbox.post(note{do: func(*loop) {}})
			}
		}
		return epoch
	}
	answered := make(chan string, 1)
	go func() { answered <- c.says(s, signedEvent(s.app.get(), "x", epoch)) }()
	select {
	case got := <-answered:
		if got != "200 OK" {
			t.Errorf("answered with %s", got)
		}
	case <-time.After(relayPatience):
		t.Fatal("the loop waits for itself")
	}
	if asked < 2 {
		t.Error("the inbox was not filled")
	}
}

// TestCongestedLoop passes on what is to be published.
func TestCongestedLoop(t *testing.T) {
	s := newStill(t, Config{}, nil)
	c := s.visited(t)
	for range maxInbox {
		s.loop.inbox.post(note{do: func(*loop) {}})
	}
	if got := c.says(s, signedEvent(s.app.get(), "x", s.cfg.Now())); got != "200 OK" {
		t.Errorf("answered with %s", got)
	}
	if len(s.loop.visitors) != 0 {
		t.Error("the loop has published")
	}
	c.far.Close()
	s.streamsWG.Wait()
	s.checkLoad(t, 0)
}

// TestCrowdedLoop passes on what is for a crowd, and nothing that is for one fewer.
func TestCrowdedLoop(t *testing.T) {
	s := newStill(t, Config{}, nil)
	s.subscribed(t, crowd-1, "a")
	c := s.visited(t)
	if got := c.says(s, signedEvent(s.app.get(), "x", s.cfg.Now())); got != "200 OK" || len(s.loop.visitors) != 1 {
		t.Errorf("answered with %s, and %d visitors are left, want 1", got, len(s.loop.visitors))
	}
	s.subscribed(t, 1, "a")
	if got := c.says(s, signedEvent(s.app.get(), "y", s.cfg.Now())); got != "200 OK" || len(s.loop.visitors) != 0 {
		t.Errorf("answered with %s, and %d visitors are left, want none", got, len(s.loop.visitors))
	}
	c.far.Close()
	s.streamsWG.Wait()
}

// checkLoad compares how many connections there are with what is counted.
func (s *still) checkLoad(t *testing.T, want int) {
	t.Helper()
	conns := 0
	for range s.loop.all() {
		conns++
	}
	if got := [4]int{conns + len(s.loop.visitors), int(s.loop.load.Load()), int(s.visitors.Load()), int(s.total.Load())}; got != [4]int{want, want, len(s.loop.visitors), got[3]} {
		t.Errorf("there are, are counted for the loop, as visitors and established: %v, want %d", got, want)
	}
}

// TestLateVisitors: who has been answered before is dismissed in silence, others are told.
func TestLateVisitors(t *testing.T) {
	s := newStill(t, Config{}, nil)
	silent, idle, early := s.visited(t), s.visited(t), s.visited(t)
	if got := idle.says(s, signedEvent(s.app.get(), "x", s.cfg.Now())); got != "200 OK" {
		t.Fatalf("answered with %s", got)
	}
	silent.due, idle.due = time.Now(), time.Now()
	s.loop.looked = time.Time{}
	s.turn()
	if got := silent.hears(); got != "408 Request Timeout" {
		t.Errorf("who said nothing heard %s", got)
	}
	for name, c := range map[string]*stillCaller{"who said nothing": silent, "who was answered": idle} {
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			t.Errorf("%s heard %q and %v, want the end", name, rest, err)
		}
	}
	if got := early.says(s, signedEvent(s.app.get(), "x", s.cfg.Now())); got != "200 OK" {
		t.Errorf("who is in time was answered with %s", got)
	}
	s.checkLoad(t, 1)
}

// A brokenApps is a source with a bug.
type brokenApps struct{ PromptSource }

func (b brokenApps) RecallByID(id string) (*auth.App, bool) {
	if id == "broken" {
		panic("a bug")
	}
	return b.PromptSource.RecallByID(id)
}

// A brokenTracer has a bug for one kind of event.
type brokenTracer struct{ kind TraceKind }

func (b brokenTracer) Trace(e TraceEvent) {
	if e.Kind == b.kind {
		panic("a bug")
	}
}

// TestBugOnLoop: a panic ends the connection whose request led to it, and no other.
func TestBugOnLoop(t *testing.T) {
	ping := string(said(`{"event":"pusher:ping"}`))
	for _, tt := range []struct {
		name, said string
		kind       TraceKind
		want       string // the answer, if there is one
	}{
		{"app source", "POST /apps/broken/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", -1, noAnswer},
		{"refusal", "POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", TraceHTTP, noAnswer},
		{"handshake", handshakeText, TraceOpened, ""},
		{"refused handshake", strings.Replace(handshakeText, "app-key", "nobody", 1), TraceRefused, ""},
		{"early message", handshakeText + ping, TraceReceived, ""},
		{"early ping", handshakeText + string(masked(ws.OpPing, true, "x")), TraceControl, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStill(t, Config{}, nil)
			s.cfg.Apps = brokenApps{s.cfg.Apps.(PromptSource)}
			tracer := brokenTracer{tt.kind}
			s.addTracer(tracer)
			other, c := s.visited(t), s.visited(t)
			if got := c.says(s, tt.said); tt.want != "" && got != tt.want {
				t.Errorf("heard %s, want %s", got, tt.want)
			}
			if _, err := io.Copy(io.Discard, c.in); err != nil {
				t.Errorf("the connection does not end: %v", err)
			}
			s.removeTracer(tracer)
			if got := other.says(s, signedEvent(s.app.get(), "x", s.cfg.Now())); got != "200 OK" {
				t.Errorf("another one was answered with %s", got)
			}
			s.checkLoad(t, 1)
			if n := s.Connections(); n != 0 {
				t.Errorf("%d connections are counted", n)
			}
		})
	}
}

// TestBugInAdoption has a bug show in what a client has sent right behind a handshake that fasthttp has read.
func TestBugInAdoption(t *testing.T) {
	s := newStill(t, Config{}, nil)
	s.addTracer(brokenTracer{TraceReceived})
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	s.loop.load.Add(1)
	s.loop.adopt(&conn{fd: int32(fds[0]), slot: noSlot}, handshake{app: s.app}, said(`{"event":"pusher:ping"}`))
	s.turn()
	s.checkLoad(t, 0)
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections are counted", n)
	}
}

// TestBugAboutLateVisitor has a bug show where nobody has asked for anything.
func TestBugAboutLateVisitor(t *testing.T) {
	s := newStill(t, Config{}, nil)
	s.addTracer(brokenTracer{TraceHTTP})
	c := s.visited(t)
	c.due = time.Now()
	s.loop.looked = time.Time{}
	s.turn()
	if got := c.hears(); got != noAnswer {
		t.Errorf("heard %s", got)
	}
	s.checkLoad(t, 0)
}
