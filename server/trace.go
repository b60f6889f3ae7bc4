package server

import "github.com/reverb-go/reverb-go/protocol"

// A Tracer is told what passes, for people who watch. It is called by the loops and must not block
// for long: everything waits for it.
type Tracer interface {
	Trace(TraceEvent)
}

// A TraceEvent is something that happened. Which fields are set depends on Kind.
type TraceEvent struct {
	Kind    TraceKind
	Socket  protocol.SocketID // the connection, if it is about one
	Channel string            // the channel of TraceBroadcast
	Payload []byte            // the message of TraceReceived and TraceBroadcast; borrowed
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
)

func (l *loop) trace(e TraceEvent) { l.server.trace(e) }

func (l *loop) traceControl(c *conn) {
	l.trace(TraceEvent{Kind: TraceControl, Socket: c.id})
}

func (s *Server) trace(e TraceEvent) {
	if s.cfg.Debug != nil {
		s.cfg.Debug.Trace(e)
	}
}
