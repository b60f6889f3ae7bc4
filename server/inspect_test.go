package server

import (
	"context"
	"fmt"
	"testing"

	"github.com/reverb-go/reverb-go/protocol"
)

// look answers a query while the loop of s takes turns, and returns how many it took.
func (s *still) look(ctx context.Context, q ConnQuery) (found FoundConns, turns int) {
	done := make(chan FoundConns)
	go func() { done <- Inspection{s.Server}.Connections(ctx, q) }()
	for {
		select {
		case found = <-done:
			return found, turns
		default:
			if s.loop.inbox.length.Load() > 0 {
				s.loop.takeNotes()
				turns++
			}
		}
	}
}

// TestSearchInParts looks for connections among so many that the loop has to answer several times.
func TestSearchInParts(t *testing.T) {
	const all = 2*partWork + 10
	s := newStill(t, Config{}, nil)
	for i := range all {
		c := s.connect(t, int32(i))
		if i%2 == 0 {
			s.loop.conns[c] = struct{}{} // as if it had a stream
		} else {
			s.loop.byFD = append(s.loop.byFD, c)
		}
		s.hears(c, said(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"c%d"}}`, i%10)))
	}
	for _, tt := range []struct {
		query ConnQuery
		want  int
	}{
		{ConnQuery{Limit: 5}, all},
		{ConnQuery{Text: "c3", InChannel: true, Limit: 5}, all / 10},
		{ConnQuery{Socket: protocol.NewSocketID(all, 1), Limit: 5}, 1},
		{ConnQuery{App: "2", Limit: 5}, 0},
	} {
		found, turns := s.look(t.Context(), tt.query)
		if found.Total != tt.want || found.Looked > all || len(found.Connections) != min(tt.want, 5) || found.IsPartial {
			t.Errorf("%+v: got %d of %d, %d returned, want %d", tt.query, found.Total, found.Looked, len(found.Connections), tt.want)
		}
		if turns < 2 {
			t.Errorf("%+v: answered in %d turns", tt.query, turns)
		}
	}
}

// TestSearchOfDeafLoop asks a loop that takes no turn.
func TestSearchOfDeafLoop(t *testing.T) {
	s := newStill(t, Config{}, nil)
	s.connect(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := Inspection{s.Server}
	if found := in.Connections(ctx, ConnQuery{}); !found.IsPartial || found.Looked != 0 {
		t.Errorf("got %+v", found)
	}
	if loops := in.Loops(ctx); loops[0].Answers || loops[0].Waiting != 1 {
		t.Errorf("got %+v", loops)
	}
	s.loop.takeNotes() // which nobody waits for any more
}

// countingTracer counts what it is told, by kind.
type countingTracer struct{ told map[TraceKind]int }

func (c *countingTracer) Trace(e TraceEvent) { c.told[e.Kind]++ }

// TestFollow looks at what a connection costs that was followed: nothing when it is over.
func TestFollow(t *testing.T) {
	s := newStill(t, Config{}, nil)
	c := s.connect(t, 0)
	s.loop.byFD = append(s.loop.byFD, c)
	counts := &countingTracer{make(map[TraceKind]int)}
	in := Inspection{s.Server}
	stopTrace := in.Trace(counts)
	stops := make(chan func())
	go func() {
		stop, _ := in.FollowSent(t.Context(), c.id)
		stops <- stop
	}()
	var stopSent func()
	for stopSent == nil {
		select {
		case stopSent = <-stops:
		default:
			s.loop.takeNotes()
		}
	}
	s.loop.takeNotes()
	s.hears(c, said(`{"event":"pusher:subscribe","data":{"channel":"news"}}`))
	s.Deliver(protocol.Broadcast{AppID: s.app.id, Channel: "news", Payload: []byte(`{"event":"e","data":"{}","channel":"news"}`)})
	s.hears(c, said(`{"event":"pusher:ping"}`))
	for kind, want := range map[TraceKind]int{TraceReceived: 2, TraceBroadcast: 1, TraceDelivered: 1, TraceSent: 3} {
		if got := counts.told[kind]; got != want {
			t.Errorf("told %d times of %d, want %d", got, kind, want)
		}
	}
	stopSent()
	stopTrace()
	s.loop.takeNotes()
	if c.taps != 0 || s.isTraced() {
		t.Errorf("%d taps are left, traced is %v", c.taps, s.isTraced())
	}
}
