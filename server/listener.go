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
			return &httpConn{Conn: c}, nil
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

// An httpConn is a connection as long as HTTP is spoken on it.
type httpConn struct {
	net.Conn
	isDetached bool // it belongs to a loop now: Close is not for us
	hasFailed  bool // an error was answered before the request was read
}

// maxDiscard is what is read of a refused request before its connection is closed.
const maxDiscard = 1 << 20

// Close closes the connection. After a refused request it first takes in what the client is still
// sending: the kernel answers bytes that nobody reads with a reset, which can overtake the refusal.
func (c *httpConn) Close() error {
	if c.isDetached {
		return nil
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.hasFailed {
		_ = half.CloseWrite()
		_ = c.Conn.SetReadDeadline(time.Now().Add(goodbye))
		_, _ = io.CopyN(io.Discard, c.Conn, maxDiscard)
	}
	return c.Conn.Close()
}
