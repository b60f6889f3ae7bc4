package server

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// drainPerSecond is how many connections are closed in a second while draining, if Config.Drain
// leaves time for it: pusher-js comes back at once after 4200, and whoever takes over has to
// shake hands with each.
const drainPerSecond = 500

const drainStep = 50 * time.Millisecond

// goodbye is how long clients have to take their close frames when all are sent.
const goodbye = time.Second

// Shutdown stops accepting, closes every connection with 4200 in random order, spread over at most
// Config.Drain, writes what waits, and returns when all is closed. When ctx ends it does the rest at
// once. The Server cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopListening()
	if d, ok := s.broker.(Departer); ok && ctx.Err() == nil {
		d.Depart()
	}
	s.onLoops((*loop).dismissAll)
	err := s.stopHTTP(ctx)
	s.drain(ctx)
	for _, l := range s.loops {
		l.inbox.stop()
	}
	done := make(chan struct{})
	go func() {
		s.loopsWG.Wait()
		s.streamsWG.Wait()
		close(done)
	}()
	hurry := time.NewTimer(goodbye)
	defer hurry.Stop()
	select {
	case <-done:
		return err
	case <-hurry.C:
	}
	s.endHTTP()
	for _, l := range s.loops {
		l.inbox.post(note{do: (*loop).endAll})
	}
	<-done
	return err
}

func (s *Server) stopListening() {
	s.listenersMu.Lock()
	defer s.listenersMu.Unlock()
	s.draining.Store(true)
	for _, ln := range s.listeners {
		_ = ln.Close() // it may be closed already
	}
}

// stopHTTP waits a moment for requests under way.
func (s *Server) stopHTTP(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	if err := s.http.ShutdownWithContext(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// endHTTP closes what is left of HTTP. Of connections that came from another process, stopHTTP does not know which are
// idle, and they would be waited for until their time for a request is over.
func (s *Server) endHTTP() {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	for c := range s.httpConns {
		_ = c.Conn.Close()
	}
}

// drain closes the connections in steps.
func (s *Server) drain(ctx context.Context) {
	window := min(s.cfg.Drain, time.Duration(s.total.Load())*time.Second/drainPerSecond)
	ticker := time.NewTicker(drainStep)
	defer ticker.Stop()
	for left := int(window / drainStep); left > 1 && ctx.Err() == nil; left-- {
		s.closeShare(left)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	s.closeShare(1)
}

// closeShare closes one in n of the open connections, chosen at random.
func (s *Server) closeShare(n int) {
	for _, l := range s.loops {
		l.inbox.post(note{do: func(l *loop) { l.closeShare(n) }})
	}
}

func (l *loop) closeShare(n int) {
	for c := range l.all() {
		if c.state == open && rand.IntN(n) == 0 {
			l.closeWith(c, closedShutdown, protocol.ErrShutdown)
		}
	}
}

// endAll closes what is still there.
func (l *loop) endAll() {
	for c := range l.all() {
		l.end(c, closedShutdown)
	}
}

// all yields the loop's connections; the one just yielded may be ended.
func (l *loop) all() func(yield func(*conn) bool) {
	return func(yield func(*conn) bool) {
		for _, c := range l.byFD {
			if c != nil && !yield(c) {
				return
			}
		}
		for c := range l.conns {
			if !yield(c) {
				return
			}
		}
	}
}

// BeginDrain has health checks fail from now on, ahead of Shutdown, so that balancers send nobody any more.
func (s *Server) BeginDrain() { s.unhealthy.Store(true) }

// IsDraining reports whether the server ends, or is about to.
func (s *Server) IsDraining() bool { return s.unhealthy.Load() || s.draining.Load() }

// Connections returns how many connections are established.
func (s *Server) Connections() int { return int(s.total.Load()) }
