package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// OrderEvent is an event of at most size bytes, and nearly as many, as Laravel sends them: JSON within JSON, some of it words and
// some of it numbers.
func OrderEvent(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("order shipped pending customer address street paid total currency created updated invoice note express returned")
	word := func() string { return words[random.IntN(len(words))] }
	var event []byte
	for items := ""; ; items += "," {
		items += fmt.Sprintf(`{"id":%d,"uuid":"%08x-%04x","name":"%s %s","status":"%s","price":%d.%02d,"created_at":"2026-11-%02dT%02d:%02d:00Z"}`,
			random.IntN(1e6), random.Uint32(), random.IntN(1<<16), word(), word(), word(),
			random.IntN(1000), random.IntN(100), 1+random.IntN(28), random.IntN(24), random.IntN(60))
		data := protocol.AppendString(nil, `{"orders":[`+items+`]}`)
		longer := protocol.AppendEvent(nil, `App\Events\OrderShipped`, string(data), "news")
		if len(longer) > size && event != nil {
			return event
		}
		event = longer
	}
}

// noise is an event that cannot be made shorter, or hardly.
func noise(size int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// opened returns the message in a frame to a client, and whether it was compressed.
func opened(t testing.TB, frame []byte) (message string, isDeflated bool) {
	t.Helper()
	h, n := parseHeader(frame)
	switch {
	case n == 0 || !h.Fin || int64(len(frame)-n) != h.Length || h.Rsv != 0 && h.Rsv != rsv1:
		t.Fatalf("a frame no server should send: %+v of %d bytes", h, len(frame))
	case h.Rsv == 0:
		return string(frame[n:]), false
	}
	b, err := new(inflater).inflate(frame[n:], 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), true
}

func TestDeflatedFrame(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    bool
	}{
		{"1 KiB", OrderEvent(1 << 10), true},
		{"8 KiB", OrderEvent(8 << 10), true},
		{"several blocks", OrderEvent(300 << 10), true},
		{"noise", noise(2 << 10), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFrame(ws.OpText, tt.payload)
			z := f.deflated(new(deflater))
			got, isDeflated := opened(t, z.data)
			if got != string(tt.payload) || isDeflated != tt.want || isDeflated && len(z.data) >= len(f.data) {
				t.Errorf("got %d of %d bytes, compressed: %v, want %v", len(z.data), len(f.data), isDeflated, tt.want)
			}
			if (z == f) == tt.want {
				t.Error("a frame that does not get shorter has to serve all")
			}
			f.release()
		})
	}
}

// TestDeflatedOnce has loops ask for the same frame at once, and keep it for longer than the one it was made of.
func TestDeflatedOnce(t *testing.T) {
	const loops = 8
	payload := OrderEvent(4 << 10)
	for range 50 {
		f := newFrame(ws.OpText, payload)
		f.refs.Store(loops)
		var got [loops]*frame
		var asking sync.WaitGroup
		for i := range got {
			asking.Go(func() {
				got[i] = f.deflated(new(deflater))
				got[i].retain()
				f.release()
			})
		}
		asking.Wait()
		for _, z := range got {
			if z != got[0] {
				t.Fatal("it was made twice")
			}
			if message, _ := opened(t, z.data); message != string(payload) {
				t.Fatal("it changed while it was in use")
			}
			z.release()
		}
	}
}

// TestWhoGetsDeflated broadcasts to one connection with compression and one without.
func TestWhoGetsDeflated(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    bool
	}{
		{"short", []byte(`{"event":"e","data":"short","channel":"news"}`), false},
		{"just too short", OrderEvent(1024)[:minDeflated-5], false}, // with its header
		{"just long enough", OrderEvent(1024)[:minDeflated-4], true},
		{"long", OrderEvent(4 << 10), true},
		{"noise", noise(2 << 10), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStill(t, Config{}, func(a *auth.App) { a.Compression = auth.CompressionAuto })
			with, without := s.connect(t, -1), s.connect(t, -1)
			with.deflates = true
			for _, c := range []*conn{with, without} {
				s.hears(c, said(`{"event":"pusher:subscribe","data":{"channel":"news"}}`))
			}
			s.Deliver(protocol.Broadcast{AppID: "1", Channel: "news", Payload: tt.payload})
			s.loop.takeNotes()
			saved := s.loop.stats.saved
			packed, plain := with.out.frames[0].data, without.out.frames[0].data
			got, isDeflated := opened(t, packed)
			if got != string(tt.payload) || isDeflated != tt.want {
				t.Errorf("with compression: got %q, compressed: %v, want %v", got, isDeflated, tt.want)
			}
			if saved != len(plain)-len(packed) {
				t.Errorf("%d bytes are counted as saved, want %d", saved, len(plain)-len(packed))
			}
			if got, isDeflated = opened(t, plain); got != string(tt.payload) || isDeflated {
				t.Errorf("without compression: got %q, compressed: %v", got, isDeflated)
			}
			if tt.want && with.out.frames[0] == without.out.frames[0] || !tt.want && with.out.frames[0] != without.out.frames[0] {
				t.Error("frames are not shared as they should be")
			}
			s.written(with)
		})
	}
}

// TestTracedDeflated has somebody follow a connection, who is to see what it was told and not how.
func TestTracedDeflated(t *testing.T) {
	s := newStill(t, Config{}, nil)
	c := s.connect(t, -1)
	c.deflates, c.taps = true, 1
	var heard traceLog
	s.addTracer(&heard)
	payload := OrderEvent(2 << 10)
	s.loop.push(c, s.loop.own(newFrame(ws.OpText, payload)))
	s.written(c)
	if len(heard.sent) != 1 || !bytes.Equal(heard.sent[0], payload) {
		t.Errorf("heard %q", heard.sent)
	}
}

type traceLog struct{ sent [][]byte }

func (l *traceLog) Trace(e TraceEvent) {
	if e.Kind == TraceSent {
		l.sent = append(l.sent, bytes.Clone(e.Payload))
	}
}

func TestCompressedConnectionsAreCounted(t *testing.T) {
	s := newStill(t, Config{}, nil)
	want := func(want float64) {
		t.Helper()
		if got := testutil.ToFloat64(s.counts.Compressed); got != want {
			t.Errorf("%v connections are counted, want %v", got, want)
		}
	}
	plain := s.connect(t, -1)
	want(0)
	s.deflates = true
	c := s.connect(t, -1)
	want(1)
	s.loop.leave(plain, closedGone)
	want(1)
	s.loop.leave(c, closedGone)
	want(0)
}
