package netloop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
)

// eachDriver runs a test with every kind of loop there is.
func eachDriver(t *testing.T, f func(t *testing.T, l *Loop)) {
	for _, tt := range []struct {
		name string
		make func() (*Loop, error)
	}{
		{"native", New},
		{"portable", func() (*Loop, error) { return NewPortable(), nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := tt.make()
			if err != nil {
				t.Fatal(err)
			}
			l.Start()
			t.Cleanup(l.Stop)
			f(t, l)
		})
	}
}

// listen accepts connections and gives each to serve.
func listen(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

func echo(c net.Conn) {
	defer c.Close()
	io.Copy(c, c)
}

// lines is a Handler that uses whole lines only and says what happened.
type lines struct {
	opened chan *Conn
	got    chan string
	closed chan error
}

func newLines() *lines {
	return &lines{make(chan *Conn, 1), make(chan string, 10_000), make(chan error, 1)}
}

func (h *lines) Opened(c *Conn, _ int64) { h.opened <- c }

func (h *lines) Received(_ *Conn, b []byte, _ int64) int {
	used := 0
	for {
		i := bytes.IndexByte(b[used:], '\n')
		if i < 0 {
			return used
		}
		h.got <- string(b[used : used+i])
		used += i + 1
	}
}

func (h *lines) Closed(_ *Conn, err error) { h.closed <- err }

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("no %s within 10 s", what)
		panic("unreachable")
	}
}

func TestWhatIsSentComesBack(t *testing.T) {
	addr := listen(t, echo)
	eachDriver(t, func(t *testing.T, l *Loop) {
		h := newLines()
		l.Post(func() { l.Dial(Dial{Remote: addr, Local: netip.MustParseAddr("127.0.0.1")}, h).Send([]byte("early\n")) })
		c := receive(t, h.opened, "connection")
		if got := receive(t, h.got, "echo"); got != "early" {
			t.Errorf("got %q, want what was sent before the connection was there", got)
		}
		long := bytes.Repeat([]byte("x"), 3*readBuffer)
		l.Post(func() {
			c.Send([]byte("a\nb"))
			c.Send([]byte("c\n"))
			c.Send(append(long, '\n'))
		})
		for _, want := range []string{"a", "bc", string(long)} {
			if got := receive(t, h.got, "echo"); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		}
	})
}

func TestClosedByTheOtherEnd(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		io.WriteString(c, "bye\n")
		c.Close()
	})
	eachDriver(t, func(t *testing.T, l *Loop) {
		h := newLines()
		l.Post(func() { l.Dial(Dial{Remote: addr}, h) })
		if got := receive(t, h.got, "line"); got != "bye" {
			t.Errorf("got %q, want the last line before the end", got)
		}
		if err := receive(t, h.closed, "end"); !errors.Is(err, io.EOF) {
			t.Errorf("closed with %v, want io.EOF", err)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(ln.Addr().String())
	ln.Close()
	eachDriver(t, func(t *testing.T, l *Loop) {
		h := newLines()
		l.Post(func() { l.Dial(Dial{Remote: addr}, h) })
		if err := receive(t, h.closed, "end"); err == nil {
			t.Error("closed without an error, want connection refused")
		}
	})
}

// TestPausedConnectionReceivesNothing keeps the server writing until it cannot any more.
func TestPausedConnectionReceivesNothing(t *testing.T) {
	const total = 2000
	addr := listen(t, func(c net.Conn) {
		for range total {
			c.Write([]byte("line\n"))
		}
	})
	eachDriver(t, func(t *testing.T, l *Loop) {
		h := newLines()
		paused := make(chan struct{})
		l.Post(func() {
			l.Dial(Dial{Remote: addr, Buffer: 4096}, h).Pause()
			close(paused)
		})
		<-paused
		c := receive(t, h.opened, "connection")
		settled := make(chan struct{})
		l.Post(func() { close(settled) })
		<-settled
		// The portable loop has one read under way, which ends in the handler.
		before := len(h.got)
		l.Post(c.Resume)
		for range total {
			receive(t, h.got, "line")
		}
		t.Logf("%d of %d lines arrived while paused", before, total)
	})
}

func TestAlarmsFireInTime(t *testing.T) {
	eachDriver(t, func(t *testing.T, l *Loop) {
		type shot struct {
			n        int
			due, now int64
		}
		fired := make(chan shot, 10)
		l.Post(func() {
			now := clock.Now()
			for n, delay := range []time.Duration{20 * time.Millisecond, 5 * time.Millisecond, 0} {
				a := &Alarm{Due: now + int64(delay)}
				a.Fire = func(at int64) { fired <- shot{n, now + int64(delay), at} }
				l.AddAlarm(a)
			}
			l.AddAlarm(&Alarm{Fire: func(int64) { t.Error("an alarm without a time went off") }})
		})
		// A loop that is late may fire several in one turn, in any order.
		seen := make(map[int]bool)
		for range 3 {
			s := receive(t, fired, "alarm")
			if seen[s.n] {
				t.Errorf("alarm %d came twice", s.n)
			}
			seen[s.n] = true
			if s.now < s.due {
				t.Errorf("alarm %d came %v early", s.n, time.Duration(s.due-s.now))
			}
		}
	})
}

// TestSendingAfterTheTurn sends when all that was ready has been handled, and nothing else wakes the loop.
func TestSendingAfterTheTurn(t *testing.T) {
	addr := listen(t, echo)
	for _, l := range []*Loop{must(New()), NewPortable()} {
		h := newLines()
		var c *Conn // owned by the loop
		sent := false
		l.AfterTurn = func(int64) {
			if c != nil && !sent && len(h.opened) > 0 {
				sent = true
				c.Send([]byte("late\n"))
			}
		}
		l.Start()
		l.Post(func() { c = l.Dial(Dial{Remote: addr}, h) })
		if got := receive(t, h.got, "echo"); got != "late" {
			t.Errorf("got %q, want what was sent after the turn", got)
		}
		l.Stop()
	}
}

func TestStopEndsConnections(t *testing.T) {
	ended := make(chan struct{}, 2)
	addr := listen(t, func(c net.Conn) {
		io.Copy(io.Discard, c)
		ended <- struct{}{}
	})
	for _, l := range []*Loop{must(New()), NewPortable()} {
		l.Start()
		h := newLines()
		l.Post(func() { l.Dial(Dial{Remote: addr}, h) })
		receive(t, h.opened, "connection")
		l.Stop()
		receive(t, ended, "end of the connection")
	}
}

func must(l *Loop, err error) *Loop {
	if err != nil {
		panic(err)
	}
	return l
}
