package server

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// What a loop does, with sockets that take everything at once: the kernel's part is not in these.

// say feeds a message, which is in a buffer of its own each time, and ends the turn.
func (s *still) say(c *conn, lent, message []byte) {
	copy(lent, message)
	s.loop.feed(c, lent)
	s.turn()
}

// BenchmarkSubscribe is a subscribe, from bytes to the answer's bytes, and the unsubscribe that undoes it.
func BenchmarkSubscribe(b *testing.B) {
	for _, channel := range []string{"news", "private-orders", "presence-room", "cache-prices"} {
		b.Run("channel="+channel, func(b *testing.B) {
			s := newStill(b, Config{}, nil)
			c := s.connect(b, devNull(b))
			in := append(said(s.subscribe(c, channel)), said(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))...)
			lent := make([]byte, len(in))
			b.ReportAllocs()
			for b.Loop() {
				s.say(c, lent, in)
			}
		})
	}
}

// BenchmarkBroadcast is one event from the broker to all subscribers' sockets.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			s := newStill(b, Config{}, nil)
			s.subscribed(b, n, "news")
			event := s.event("news")
			s.Deliver(event) // the first makes the queues that are used again and again
			s.turn()
			b.ReportAllocs()
			for b.Loop() {
				s.Deliver(event)
				s.turn()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// BenchmarkChannels is one event to one subscriber, among so many channels, and what a channel takes of memory. A hundred
// connections share the channels.
func BenchmarkChannels(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("channels=%d", n), func(b *testing.B) {
			s := newStill(b, Config{}, nil)
			conns := make([]*conn, min(n, 100))
			for i := range conns {
				conns[i] = s.connect(b, devNull(b))
			}
			before := heapInUse()
			events := make([]protocol.Broadcast, 0, 512)
			for i := range n {
				name := fmt.Sprintf("channel-%d", i)
				c := conns[i%len(conns)]
				in := said(s.subscribe(c, name))
				s.say(c, in, in)
				if i%max(n/cap(events), 1) == 0 && len(events) < cap(events) {
					events = append(events, s.event(name))
				}
			}
			grown := heapInUse() - before
			for i := 0; b.Loop(); i++ {
				s.Deliver(events[i%len(events)])
				s.turn()
			}
			b.ReportMetric(float64(grown)/float64(n), "B/channel")
		})
	}
}

// heapInUse returns what is reachable, in bytes.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkWhisper is a client event, from bytes to the sockets of the other members.
func BenchmarkWhisper(b *testing.B) {
	for _, n := range []int{2, 100} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			s := newStill(b, Config{}, nil)
			conns := s.subscribed(b, n, "presence-room")
			in := said(whisper)
			lent := make([]byte, len(in))
			b.ReportAllocs()
			for b.Loop() {
				s.say(conns[0], lent, in)
			}
		})
	}
}

// BenchmarkPing is a pusher:ping, from bytes to the answer's bytes.
func BenchmarkPing(b *testing.B) {
	s := newStill(b, Config{}, func(a *auth.App) { a.MaxMessageSize = 0 })
	c := s.connect(b, devNull(b))
	in := said(`{"event":"pusher:ping","data":{}}`)
	lent := make([]byte, len(in))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		s.say(c, lent, in)
	}
}

// BenchmarkEvent is an event that is published over HTTP, from bytes to the answer's bytes.
func BenchmarkEvent(b *testing.B) {
	s := newStill(b, Config{}, nil)
	body := `{"name":"order.shipped","channels":["private-orders"],"data":"{\"id\":7,\"text\":\"` + strings.Repeat("x", 180) + `\"}"}`
	query := s.app.get().SignRequest("POST", "/apps/1/events", nil, []byte(body), s.cfg.Now())
	request := []byte(fmt.Sprintf("POST /apps/1/events?%s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: GuzzleHttp/7\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", query, len(body), body))
	v := &visitor{fd: devNull(b), peer: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000}}
	s.loop.visitors[v.fd] = v
	lent := make([]byte, len(request))
	b.ReportAllocs()
	for b.Loop() {
		copy(lent, request)
		s.loop.handleRequest(v, lent)
	}
	if got := s.loop.front.ctx.Response.StatusCode(); got != 200 || !v.hasAsked {
		b.Fatalf("answered with %d: %s", got, s.loop.front.ctx.Response.Body())
	}
}
