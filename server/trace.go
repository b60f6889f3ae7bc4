package server

import (
	"slices"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Tracer is told what passes, for people who watch. It is called by the loops and must not block
// for long: everything waits for it.
type Tracer interface {
	Trace(TraceEvent)
}

// A TraceEvent is something that happened. Which fields are set depends on Kind.
type TraceEvent struct {
	Kind    TraceKind
	App     string            // the app of TraceBroadcast and TraceDelivered
	Socket  protocol.SocketID // the connection, if it is about one
	Channel string            // the channel of TraceBroadcast and TraceDelivered
	Payload []byte            // the message of those, of TraceReceived and of TraceSent; borrowed
	Err     error             // of TraceFailed
}

// TraceKind says what happened.
type TraceKind int

const (
	TraceOpened    TraceKind = iota // a connection was established
	TraceRefused                    // or refused: Err says why
	TraceClosed                     // it has ended
	TraceReceived                   // a message came
	TraceHandled                    // and was handled
	TraceFailed                     // or answered with Err
	TraceControl                    // a ping, pong or close frame came
	TraceBroadcast                  // a message goes to the subscribers of a channel
	TracePinged                     // a silent connection was pinged
	TracePruned                     // one that did not answer is closed
	TraceHTTP                       // an HTTP request failed: Err says why

	// The others are for who follows one channel or connection: see [Inspection].
	TraceDelivered // a message goes to the channel's subscribers here, also one that the server makes; the channel is locked
	TraceSent      // a message is queued for a connection that is followed
)

func (l *loop) trace(e TraceEvent) { l.server.trace(e) }

func (l *loop) traceControl(c *conn) {
	if l.server.isTraced() {
		l.trace(TraceEvent{Kind: TraceControl, Socket: c.id})
	}
}

// trace tells all who watch.
func (s *Server) trace(e TraceEvent) {
	list := s.tracers.Load()
	if list == nil {
		return
	}
	for _, t := range *list {
		t.Trace(e)
	}
}

// isTraced reports whether somebody watches. It is inlined: where messages pass, ask it before an event is put
// together for trace.
func (s *Server) isTraced() bool { return s.tracers.Load() != nil }

// addTracer tells t of all that passes from now on.
func (s *Server) addTracer(t Tracer) {
	s.changeTracers(func(list []Tracer) []Tracer { return append(list, t) })
}

// removeTracer ends that. Loops may be in the middle of telling t something.
func (s *Server) removeTracer(t Tracer) {
	s.changeTracers(func(list []Tracer) []Tracer {
		return slices.DeleteFunc(list, func(other Tracer) bool { return other == t })
	})
}

// changeTracers replaces the list by a changed copy; an empty one is nil.
func (s *Server) changeTracers(change func([]Tracer) []Tracer) {
	s.tracersMu.Lock()
	defer s.tracersMu.Unlock()
	var list []Tracer
	if old := s.tracers.Load(); old != nil {
		list = slices.Clone(*old)
	}
	if list = change(list); len(list) > 0 {
		s.tracers.Store(&list)
	} else {
		s.tracers.Store(nil)
	}
}
