package server

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A pair is a connection and the other end of its socket.
type pair struct {
	*conn
	peer int
	got  []byte
}

func (s *still) pair(t *testing.T) *pair {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	p := &pair{conn: s.connect(t, int32(fds[0])), peer: fds[1]}
	if err := s.loop.watch(p.conn); err != nil {
		t.Fatal(err)
	}
	return p
}

// read takes what has arrived.
func (p *pair) read(buf []byte) {
	for {
		n, err := poll.Read(p.peer, buf)
		if err != nil {
			return
		}
		p.got = append(p.got, buf[:n]...)
	}
}

// TestFlush writes to connections of every kind in one turn, with a ring, without one, and with one that fails:
// who reads gets every byte once, in order, who does not is waited for, and who is gone is closed.
func TestFlush(t *testing.T) {
	for _, name := range []string{"ring", "writes", "failing ring"} {
		t.Run(name, func(t *testing.T) {
			s := newStill(t, Config{NoIOUring: name == "writes", MaxQueued: 1 << 30, MaxNodeQueued: 1 << 30}, nil)
			if name != "writes" && s.loop.ring == nil {
				t.Skip("the system has no io_uring for us")
			}
			flushAll(t, s, func() {
				if name == "failing ring" {
					breakRing(t)
				}
			})
			if name == "failing ring" && s.loop.ring != nil {
				t.Error("a ring that has failed is used on")
			}
		})
	}
}

func flushAll(t *testing.T, s *still, beforeFlush func()) {
	var all []*pair
	want := make(map[*pair][]byte)
	say := func(p *pair, text string) {
		s.loop.push(p.conn, s.loop.own(rawFrame([]byte(text))))
		want[p] = append(want[p], text...)
	}
	for range poll.RingSize + 50 { // more than go together
		all = append(all, s.pair(t))
	}
	gone, slow, busy := all[3], all[5], all[100:150]
	unix.Shutdown(gone.peer, unix.SHUT_RDWR)
	say(slow, strings.Repeat("slow", 1<<20))
	for _, p := range busy { // more than one vector, and one ring, have room for
		for i := range 2*poll.MaxVector + int(p.fd)%10 {
			say(p, fmt.Sprint(p.id, "/", i))
		}
	}
	for _, p := range all {
		say(p, "hello")
	}
	beforeFlush()
	s.turn()
	if gone.state == open {
		t.Error("a connection that cannot be written to is open")
	}
	if slow.out == nil || slow.out.bytes == 0 {
		t.Error("nothing waits for a connection that does not read")
	}
	buf := make([]byte, 1<<20)
	for len(slow.got) < len(want[slow]) && !t.Failed() {
		slow.read(buf)
		s.loop.events, _ = s.loop.poller.Wait(s.loop.events[:0], time.Second) // until there is room
		s.turn()
	}
	for _, p := range all {
		p.read(buf)
		if p != gone && !bytes.Equal(p.got, want[p]) {
			t.Errorf("socket %v got %d bytes, %.30q…, want %d", p.id, len(p.got), p.got, len(want[p]))
		}
	}
	if n := s.queued.Load(); n != 0 {
		t.Errorf("%d bytes are counted as waiting", n)
	}
}

// breakRing has the system refuse what the only ring of this process asks for.
func breakRing(t *testing.T) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		to, _ := os.Readlink("/proc/self/fd/" + f.Name())
		if to != "anon_inode:[io_uring]" {
			continue
		}
		fd, _ := strconv.Atoi(f.Name())
		if err := unix.Dup3(int(null.Fd()), fd, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
}

// fillSocket leaves no room in the socket of a pair.
func (p *pair) fillSocket() {
	for n := len(p.got); n >= 0; {
		n, _ = unix.Write(int(p.fd), make([]byte, 1<<16))
	}
}

// TestQueueLimits: a client that is not sent what waits for it is slow when that is too many bytes, or too many frames, whatever
// little is in them. It is not because one message is larger than the limit.
func TestQueueLimits(t *testing.T) {
	const limit = 100_000
	tiny, small, large := make([]byte, 2), make([]byte, limit/4), make([]byte, 3*limit)
	for name, tt := range map[string]struct {
		frame  []byte
		before int // bytes that wait already
		fit    int // frames
	}{
		"tiny":              {tiny, 0, limit / frameRoom},
		"small":             {small, 0, 4},
		"large":             {large, 0, 1},
		"large after small": {large, len(small), 1},
		"small after large": {small, len(large), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStill(t, Config{MaxQueued: limit}, nil)
			p := s.pair(t)
			p.fillSocket()
			if tt.before > 0 {
				s.loop.push(p.conn, s.loop.own(rawFrame(make([]byte, tt.before))))
			}
			for i := range tt.fit {
				if s.loop.push(p.conn, s.loop.own(rawFrame(tt.frame))); p.isDoomed {
					t.Fatalf("slow with %d frames", i)
				}
			}
			if s.loop.push(p.conn, s.loop.own(rawFrame(tt.frame))); !p.isDoomed {
				t.Errorf("more than %d frames may wait", tt.fit)
			}
		})
	}
}

// TestLargeMessage sends a message beyond the limit to who reads.
func TestLargeMessage(t *testing.T) {
	s := newStill(t, Config{MaxQueued: 1000}, nil)
	p := s.pair(t)
	for range 3 {
		s.loop.push(p.conn, s.loop.own(rawFrame(make([]byte, 50_000))))
	}
	s.turn()
	if p.read(make([]byte, 1<<16)); len(p.got) != 150_000 || p.state != open {
		t.Errorf("got %d bytes in state %v, want 150000", len(p.got), p.state)
	}
}

// TestTurnHoldsLittle has many clients say what is answered, all at once, to where each kind of client is heard. A turn holds
// no more than it should, and all are answered.
func TestTurnHoldsLittle(t *testing.T) {
	const clients, pings, pong = 20, 20_000, 2
	said := bytes.Repeat(masked(ws.OpPing, true, ""), pings)
	for name, hear := range map[string]func(*still, *pair){
		"sockets": func(s *still, p *pair) {
			if n, err := unix.Write(p.peer, said); n != len(said) {
				t.Fatalf("%d bytes were sent: %v", n, err)
			}
		},
		"streams": func(s *still, p *pair) {
			s.loop.inbox.post(note{do: func(l *loop) { l.takeRead(p.conn, bytes.Clone(said), nil) }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStill(t, Config{MaxQueued: 1 << 30}, nil)
			l := s.loop
			var all []*pair
			for range clients {
				p := s.pair(t)
				hear(s, p)
				all = append(all, p)
			}
			l.events, _ = l.poller.Wait(l.events[:0], 0)
			l.markReady()
			l.readReady()
			l.takeNotes()
			if most := maxHeld + pings*(frameRoom+pong); l.heldRoom > most {
				t.Errorf("a turn holds %d bytes, want at most %d", l.heldRoom, most)
			}
			l.flush()
			for i, p := range all {
				if p.read(make([]byte, 1<<16)); len(p.got) != pings*pong {
					t.Errorf("client %d has got %d bytes of answers, want %d", i, len(p.got), pings*pong)
				}
			}
		})
	}
}

// TestLoopsRestInPause: what waits to be read keeps no loop busy while nothing is read.
func TestLoopsRestInPause(t *testing.T) {
	s := newStill(t, Config{}, nil)
	if got := s.loop.readPause(); got != 0 {
		t.Errorf("a loop that may read waits for %v", got)
	}
	s.pausing.Store(true)
	if got := s.loop.readPause(); got == 0 {
		t.Error("a loop that may not read does not wait")
	}
}
