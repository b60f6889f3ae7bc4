package server

import (
	"fmt"
	"runtime"
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
