package server

import (
	"fmt"
	"io"
	"testing"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// TestCompressionAllocations holds compression to what is promised without it. It compresses once for all.
func TestCompressionAllocations(t *testing.T) {
	if underRace {
		t.Skip("the race detector empties pools")
	}
	const listeners = 1000
	s := newStill(t, Config{}, func(a *auth.App) { a.MaxMessageSize = 0 })
	s.deflates = true
	conns := s.subscribed(t, listeners, "news")
	event := protocol.Broadcast{AppID: "1", Channel: "news", Payload: OrderEvent(8 << 10)}
	deliver := func() {
		s.Deliver(event)
		s.turn()
	}
	deliver()
	// Not 0, since memory in pools may be collected at any time.
	if got := testing.AllocsPerRun(100, deliver); got > 1 {
		t.Errorf("%v allocations for a delivery to 1,000", got)
	}
	in := squeezed(ws.OpText, true, string(deflated(t, 6, `{"event":"pusher:ping"}`)))
	lent := make([]byte, len(in))
	s.say(conns[0], lent, in)
	if got := testing.AllocsPerRun(100, func() { s.say(conns[0], lent, in) }); got > 0 {
		t.Errorf("%v allocations for a compressed message", got)
	}
}

// BenchmarkDeflate is one event with each way to compress it: what a frame costs, and what it comes to.
func BenchmarkDeflate(b *testing.B) {
	d := new(deflater)
	for _, size := range []int{256, 600, 1 << 10, 8 << 10, 64 << 10} {
		payload := OrderEvent(size + 300)[:size]
		ways := map[string]func(){"stateless": func() { d.deflate(payload) }}
		names := []string{"stateless"}
		for _, level := range []int{flate.HuffmanOnly, 1, 4, 6, 9} {
			w, err := flate.NewWriter(io.Discard, level)
			if err != nil {
				b.Fatal(err)
			}
			name := fmt.Sprintf("level%d", level)
			names = append(names, name)
			ways[name] = func() {
				d.buf = d.buf[:0]
				w.Reset(d)
				_, _ = w.Write(payload) // to memory
				_ = w.Flush()
			}
		}
		for _, name := range names {
			b.Run(fmt.Sprintf("size=%d/%s", size, name), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					ways[name]()
				}
				b.ReportMetric(float64(len(d.buf)-len(deflateTail))/float64(size), "ratio")
			})
		}
	}
}

// BenchmarkInflate is a compressed message of a client.
func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 8 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			payload := deflated(b, 6, string(OrderEvent(size + 300)[:size]))
			z := new(inflater)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := z.inflate(payload, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
