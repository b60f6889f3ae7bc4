package server

import (
	"fmt"
	"net"
	"testing"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// devNull is a socket that takes everything at once, so that what is measured is this package's part: nobody reads
// at the other end, and datagrams without room are dropped.
func devNull(t testing.TB) int32 {
	t.Helper()
	nobody, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nobody.Close() })
	c, err := net.DialUDP("udp4", nil, nobody.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := c.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int32(f.Fd())
}

// turn does what a turn of the loop does after waiting.
func (s *still) turn() {
	s.loop.turn()
	s.loop.report(s.loop.now)
}

// subscribed returns n connections that are subscribed to a channel: on a presence channel as n members.
func (s *still) subscribed(t testing.TB, n int, channel string) []*conn {
	t.Helper()
	fd := devNull(t)
	conns := make([]*conn, n)
	for i := range conns {
		conns[i] = s.connect(t, fd)
		s.loop.feed(conns[i], said(s.subscribe(conns[i], channel)))
		s.turn()
		if conns[i].subs.Len() != 1 {
			t.Fatalf("not subscribed to %s", channel)
		}
	}
	return conns
}

// subscribe is the message that subscribes c, as a member of its own if that needs one.
func (s *still) subscribe(c *conn, channel string) string {
	id, member := c.id.String(), fmt.Sprintf(`{"user_id":"%v"}`, c.id)
	auth := s.app.get().SignChannel(id, channel, member)
	return fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q,"channel_data":%q}}`, channel, auth, member)
}

func (s *still) event(channel string) protocol.Broadcast {
	payload := []byte(`{"event":"message","data":"{\"text\":\"hello\"}","channel":"` + channel + `"}`)
	return protocol.Broadcast{AppID: s.app.id, Channel: channel, Payload: payload}
}

// whisper is a client event to a presence channel, as Echo sends it.
const whisper = `{"event":"client-typing","channel":"presence-room","data":{"user":7,"typing":true}}`

// TestAllocations holds the hot paths to their promise. The buffer that is fed is filled anew each time, because
// what a frame holds is unmasked in place.
func TestAllocations(t *testing.T) {
	const listeners = 1000
	most := 0.0
	if underRace {
		most = 2 // for all listeners together, and not for each
	}
	s := newStill(t, Config{}, func(a *auth.App) { a.MaxMessageSize = 0 })
	conns := s.subscribed(t, listeners, "presence-room")
	event := s.event("presence-room")
	tests := []struct {
		name string
		in   []byte // from the first connection
		do   func()
		sent int // messages
	}{
		{"delivery to 1,000", nil, func() { s.Deliver(event) }, listeners},
		{"pusher:ping", said(`{"event":"pusher:ping","data":{}}`), nil, 1},
		{"ping frame", masked(ws.OpPing, true, "x"), nil, 1},
		{"pong frame", masked(ws.OpPong, true, "x"), nil, 0},
		{"whisper to 999", said(whisper), nil, listeners - 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lent := make([]byte, len(tt.in))
			sent := 0
			got := testing.AllocsPerRun(100, func() {
				if tt.do != nil {
					tt.do()
				} else {
					copy(lent, tt.in)
					s.loop.feed(conns[0], lent)
				}
				s.loop.turn()
				sent = s.loop.stats.messagesOut
				s.loop.report(s.loop.now)
			})
			if got > most {
				t.Errorf("%v allocations, want at most %v", got, most)
			}
			if sent != tt.sent {
				t.Errorf("%d messages sent, want %d", sent, tt.sent)
			}
		})
	}
}
