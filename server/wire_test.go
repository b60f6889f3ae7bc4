package server_test

import (
	"context"
	"net"
	"sync"
)

// A wire makes connections that can be cut: nothing passes any more, in either direction, as if a cable were
// pulled. When it is mended, what was sent meanwhile arrives.
type wire struct {
	mu    sync.Mutex
	whole *sync.Cond
	isCut bool
	conns map[*wiredConn]struct{}
}

// dial is a dialer for a Redis client.
func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	far, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	near, inner := net.Pipe()
	c := &wiredConn{Conn: near, far: far}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.whole == nil {
		w.whole, w.conns = sync.NewCond(&w.mu), make(map[*wiredConn]struct{})
	}
	w.conns[c] = struct{}{}
	go w.carry(far, inner, c)
	go w.carry(inner, far, c)
	return c, nil
}

// wiredConn is the near end. A pipe has no buffer, so writing to it is as patient as the far end.
type wiredConn struct {
	net.Conn
	far net.Conn
}

func (c *wiredConn) Close() error {
	c.far.Close()
	return c.Conn.Close()
}

func (w *wire) carry(from, to net.Conn, c *wiredConn) {
	defer func() {
		from.Close()
		to.Close()
		w.mu.Lock()
		delete(w.conns, c)
		w.mu.Unlock()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		w.pass()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits while the wire is cut.
func (w *wire) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.isCut {
		w.whole.Wait()
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = false
	if w.whole != nil {
		w.whole.Broadcast()
	}
}

// reset ends all connections.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.Close()
	}
}
