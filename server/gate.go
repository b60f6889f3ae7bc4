package server

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A Gate is a listener that can be closed for a while. Who connects meanwhile is not refused, but waits in the
// system's queue until it is opened again, here or in the process that is given the socket.
type Gate struct {
	net.Listener
	deadline func(time.Time) error

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond
	isPaused bool
	isClosed bool
	isInside bool // somebody is between two calls of Accept, with a connection in hand or waiting for one
}

// NewGate returns a Gate for a listening socket, which must be of TCP or unix. Whatever wraps listeners belongs
// around it.
func NewGate(ln net.Listener) (*Gate, error) {
	d, ok := ln.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return nil, errors.New("server: a listener that cannot be interrupted")
	}
	g := &Gate{Listener: ln, deadline: d.SetDeadline}
	g.changed = sync.NewCond(&g.mu)
	return g, nil
}

// File returns a copy of the listening socket.
func (g *Gate) File() (*os.File, error) {
	return g.Listener.(interface{ File() (*os.File, error) }).File()
}

// Accept waits for a connection, and while the gate is paused for that to end.
func (g *Gate) Accept() (net.Conn, error) {
	for {
		if !g.enter() {
			return nil, net.ErrClosed
		}
		c, err := g.Listener.Accept()
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return c, err
		}
	}
}

// enter waits until connections may be accepted, and reports false when they never may again.
func (g *Gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isInside = false
	g.changed.Broadcast()
	for g.isPaused && !g.isClosed {
		g.changed.Wait()
	}
	g.isInside = true
	return !g.isClosed
}

// Pause keeps connections from being accepted. It returns when the one that was last accepted is in the hands of
// whoever called Accept, and that calls it again.
func (g *Gate) Pause(ctx context.Context) error {
	defer context.AfterFunc(ctx, g.changed.Broadcast)()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isPaused = true
	_ = g.deadline(time.Unix(1, 0)) // an error means that it is closed
	for g.isInside && !g.isClosed && ctx.Err() == nil {
		g.changed.Wait()
	}
	return ctx.Err()
}

// Resume ends a Pause.
func (g *Gate) Resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isPaused = false
	_ = g.deadline(time.Time{})
	g.changed.Broadcast()
}

// Close closes the listener; a copy of its socket goes on.
func (g *Gate) Close() error {
	g.mu.Lock()
	g.isClosed = true
	g.changed.Broadcast()
	g.mu.Unlock()
	return g.Listener.Close()
}
