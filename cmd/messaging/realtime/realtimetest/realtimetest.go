// Package realtimetest stands for a websocket server in tests of what tells it something.
package realtimetest

import (
	"context"
	"slices"
	"sync"

	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// Server keeps what is published. It may be used from any goroutine.
type Server struct {
	mu     sync.Mutex
	events []realtime.Event // guarded by mu
	err    error            // guarded by mu; the answer to all
}

// Publish keeps the event, unless all are refused.
func (s *Server) Publish(_ context.Context, e realtime.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.events = append(s.events, e)
	}
	return s.err
}

// Ping reports whether events are taken.
func (s *Server) Ping(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Fail has everything be refused with err, or with nil nothing any more.
func (s *Server) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Events returns what has been heard.
func (s *Server) Events() []realtime.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Take returns what was heard since it was last called.
func (s *Server) Take() []realtime.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.events
	s.events = nil
	return list
}
