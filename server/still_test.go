package server

import (
	"slices"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
)

// A still is a server of one loop that does not run: the test takes its turns. It has no goroutine, its
// clock stands still, and its connections are made without sockets.
type still struct {
	*Server
	loop *loop
	app  *app
	made uint32 // connections

	deflates bool // those that are made from now on
}

// newStill returns one with an app that is like the default but for change.
func newStill(t testing.TB, cfg Config, change func(*auth.App)) *still {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "1", "app-key", "app-secret"
	if change != nil {
		change(&settings)
	}
	known, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Apps, err = auth.NewApps(known); err != nil {
		t.Fatal(err)
	}
	epoch := time.Unix(1_700_000_000, 0)
	cfg.Loops, cfg.Now = 1, func() time.Time { return epoch }
	broker := scaling.NewLocal()
	s, err := newServer(cfg, broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.loops[0].giveBack() })
	broker.Start(node{s})
	s.loops[0].setTime(epoch)
	return &still{Server: s, loop: s.loops[0], app: s.meet(known)}
}

// connect returns an established connection whose socket is fd. Its socket ID is 1.1, that of the next 2.1.
func (s *still) connect(t testing.TB, fd int32) *conn {
	t.Helper()
	s.made++
	c := &conn{app: s.app, id: protocol.NewSocketID(s.made, 1), fd: fd, slot: noSlot, deflates: s.deflates}
	if _, refused := s.admit(c, handshake{}); refused {
		t.Fatal("a connection was refused")
	}
	s.loop.schedule(c)
	return c
}

// hears feeds b to a connection, which must take nothing of it that is not copied, and returns the frames
// queued for it since the last time.
func (s *still) hears(c *conn, b []byte) (frames [][]byte) {
	lent := slices.Clone(b)
	if c.state == open {
		s.loop.feed(c, lent)
	}
	clear(lent)
	s.loop.takeNotes()
	s.loop.reap()
	return s.written(c)
}

// written ends a turn as if the sockets had taken all that waits, and returns what c was sent.
func (s *still) written(c *conn) (frames [][]byte) {
	if c.out != nil {
		for _, f := range c.out.frames[c.out.head:] {
			frames = append(frames, slices.Clone(f.data))
		}
	}
	for _, dirty := range s.loop.dirty {
		if dirty.out != nil {
			dirty.out.wrote(dirty.out.bytes)
		}
	}
	s.loop.forget()
	return frames
}

// forget ends a turn in which everything is written: settle would close sockets that there are none of.
func (l *loop) forget() {
	for i, c := range l.dirty {
		c.out.isDirty = false
		l.account(c.out)
		l.returnQueue(c)
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
	l.flush()
}

// masked returns a frame of a client.
func masked(op ws.OpCode, fin bool, payload string) []byte {
	f := ws.MaskFrameInPlaceWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{0x37, 0xfa, 0x21, 0x3d})
	return ws.MustCompileFrame(f)
}

func said(text string) []byte { return masked(ws.OpText, true, text) }
