package server

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
)

// TestGateIsClosedWhileWaiting pauses and closes a gate while somebody waits for a socket.
func TestGateIsClosedWhileWaiting(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGate(ln)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.openSockets(); err != nil {
		t.Fatal(err)
	}
	var isClosing atomic.Bool
	ended := make(chan error, 1)
	go func() {
		_, _, err := g.acceptSocket()
		if !isClosing.Load() {
			t.Error("it did not wait")
		}
		ended <- err
	}()
	for range 3 {
		if err := g.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.Resume()
	}
	isClosing.Store(true)
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("somebody listens still")
	}
}
