package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// A listener accepts connections for HTTP. Errors of single connections, and running out of
// descriptors, do not end it.
type listener struct {
	net.Listener
	server *Server
	log    *slog.Logger
	closed sync.Once
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
		c, err := l.Listener.Accept()
		if err == nil {
			if hc := l.server.receive(c); hc != nil {
				return hc, nil
			}
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
