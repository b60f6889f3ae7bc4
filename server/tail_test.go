package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
)

// TestTailMemory has a client leave little of a frame behind after much has come at once: no more memory is kept than that
// little needs.
func TestTailMemory(t *testing.T) {
	s := newStill(t, Config{MaxQueued: 1 << 30}, nil)
	c := s.connect(t, -1)
	long := masked(ws.OpText, true, strings.Repeat("x", 9000))
	s.hears(c, long[:5000])
	s.hears(c, append(append(long[5000:], bytes.Repeat(masked(ws.OpPing, true, ""), 10_000)...), long[0]))
	if c.state != open || len(c.in.tail) != 1 {
		t.Fatalf("the connection is in state %v with %+v", c.state, c.in)
	}
	if n := cap(c.in.tail); n > 2*maxSpareTail {
		t.Errorf("%d bytes are kept for one", n)
	}
}

// BenchmarkLongFrame takes a byte more of a frame that is not complete.
func BenchmarkLongFrame(b *testing.B) {
	for _, size := range []int{10_000, 1 << 20, 32 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			s := newStill(b, Config{}, func(a *auth.App) { a.MaxMessageSize = 0 })
			c := s.connect(b, -1)
			frame := masked(ws.OpText, true, strings.Repeat("x", 2*size))
			s.loop.feed(c, frame[:size])
			for b.Loop() {
				if s.loop.feed(c, frame[size:size+1]); len(c.in.tail) == 2*size {
					c.in.tail = c.in.tail[:size]
				}
			}
		})
	}
}
