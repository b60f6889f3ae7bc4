package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A Gate is a listener that can be closed for a while. Who connects meanwhile is not refused, but waits in the
// system's queue until it is opened again, here or in the process that is given the socket.
type Gate struct {
	net.Listener
	deadline func(time.Time) error

	raw syscall.RawConn // of file; static after openSockets

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond
	isPaused bool
	isClosed bool
	file     *os.File // the same socket, which says when there is somebody to accept; nil unless openSockets was called
	isInside bool     // somebody is between two calls of Accept, with a connection in hand or waiting for one
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

// openSockets makes acceptSocket possible.
func (g *Gate) openSockets() (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file, err = g.File(); err != nil {
		return err
	}
	g.raw, err = g.file.SyscallConn()
	return err
}

// acceptSocket is Accept for whoever looks after sockets himself. It returns the address of the other end, if it has one.
func (g *Gate) acceptSocket() (fd int, peer netip.Addr, err error) {
	for {
		if !g.enter() {
			return -1, netip.Addr{}, net.ErrClosed
		}
		waitErr := g.raw.Read(func(listening uintptr) bool {
			fd, peer, err = poll.Accept(int(listening))
			return err != poll.ErrAgain
		})
		if waitErr == nil {
			return fd, peer, err
		}
		// The gate is paused or closed, which are the only ends of waiting there are.
	}
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
	g.interrupt(time.Unix(1, 0))
	for g.isInside && !g.isClosed && ctx.Err() == nil {
		g.changed.Wait()
	}
	return ctx.Err()
}

// interrupt sets when waiting ends; an error means that the gate is closed. The caller holds g.mu.
func (g *Gate) interrupt(at time.Time) {
	_ = g.deadline(at)
	if g.file != nil {
		_ = g.file.SetDeadline(at)
	}
}

// Resume ends a Pause.
func (g *Gate) Resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isPaused = false
	g.interrupt(time.Time{})
	g.changed.Broadcast()
}

// Close closes the listener; a copy of its socket goes on.
func (g *Gate) Close() error {
	g.mu.Lock()
	g.isClosed = true
	g.changed.Broadcast()
	file := g.file
	g.mu.Unlock()
	if file != nil {
		_ = file.Close()
	}
	return g.Listener.Close()
}
