package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// A listener accepts connections for HTTP. Sockets go to the loops, where loops answer requests. Errors of single
// connections, and running out of descriptors, do not end it.
type listener struct {
	net.Listener
	sockets *Gate // the same, if sockets can be accepted from it that Go's runtime does not watch; else nil
	server  *Server
	log     *slog.Logger
	closed  sync.Once
}

func (s *Server) newListener(ln net.Listener) *listener {
	l := &listener{Listener: ln, server: s, log: s.log}
	if !s.hasVisitors {
		return l
	}
	switch ln.(type) {
	case *net.TCPListener, *net.UnixListener:
		if gate, err := NewGate(ln); err == nil {
			l.Listener = gate
		}
	}
	if gate, ok := l.Listener.(*Gate); ok && gate.openSockets() == nil {
		l.sockets = gate
	}
	return l
}

// Close closes the listener; the second time it does nothing.
func (l *listener) Close() (err error) {
	l.closed.Do(func() { err = l.Listener.Close() })
	return err
}

const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

func (l *listener) Accept() (net.Conn, error) {
	pause := minAcceptPause
	for {
		hc, err := l.accept()
		switch {
		case hc != nil:
			return hc, nil
		case err == nil:
			pause = minAcceptPause
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, io.EOF
		}
		if pause == minAcceptPause {
			l.log.Error("cannot accept connections; hint: raise the limit of open files (ulimit -n)", "err", err)
		}
		time.Sleep(pause)
		pause = min(pause*2, maxAcceptPause)
	}
}

// accept returns a connection that fasthttp is to serve, or nil for one that was given to a loop or refused.
func (l *listener) accept() (*httpConn, error) {
	if l.sockets == nil {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		return l.server.receive(c), nil
	}
	fd, peer, err := l.sockets.acceptSocket()
	if err == nil {
		l.server.receiveSocket(fd, peer)
	}
	return nil, err
}
