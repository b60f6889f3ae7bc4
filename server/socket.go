package server

import (
	"net/netip"

	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// read takes what the client has sent and reports whether there may be more. The socket is
// edge-triggered: until a read comes back short there is no second event, and after the client's end
// there is none at all.
func (l *loop) read(c *conn) (more bool) {
	for range readsPerTurn {
		n, err := poll.Read(int(c.fd), l.buf)
		if err == poll.ErrAgain {
			return false
		}
		if err != nil {
			l.end(c, closedGone)
			return false
		}
		if c.state == open {
			l.feed(c, l.buf[:n])
		}
		if c.state == gone || n < len(l.buf) && !c.hasEnded {
			return false
		}
	}
	return true
}

// write writes what waits for c as far as its socket takes it.
func (l *loop) write(c *conn) {
	if c.stream != nil {
		l.writeStream(c)
		return
	}
	q := c.out
	for q.head < len(q.frames) {
		n, err := l.gather(q).Write(int(c.fd))
		if err != nil {
			if err != poll.ErrAgain {
				l.doom(c, closedGone)
			}
			return
		}
		l.stats.writes++
		l.stats.bytesOut += n
		q.wrote(n)
		// What was refused is announced by an event when there is room again.
		if q.offset > 0 {
			return
		}
	}
}

// gather returns the waiting frames as one vector.
func (l *loop) gather(q *outQueue) *poll.Vector {
	l.vector.Reset()
	offset := q.offset
	for _, f := range q.frames[q.head:] {
		if !l.vector.Add(f.data[offset:]) {
			break
		}
		offset = 0
	}
	return &l.vector
}

// shutdownWrite tells the client that nothing more will come, after the last frame is written.
func (l *loop) shutdownWrite(c *conn) {
	if c.stream != nil {
		c.stream.shutdownWrite()
		return
	}
	poll.ShutdownWrite(int(c.fd))
}

func (l *loop) closeSocket(c *conn) {
	l.load.Add(-1)
	if c.stream != nil {
		delete(l.conns, c)
		c.stream.close()
		return
	}
	l.byFD[c.fd] = nil
	poll.CloseSocket(int(c.fd))
}

// watch takes over the socket of a new connection.
func (l *loop) watch(c *conn) error {
	if c.stream != nil {
		l.conns[c] = struct{}{}
		c.stream.loop = l
		c.stream.start(c)
		return nil
	}
	if err := l.poller.Add(int(c.fd)); err != nil {
		return err
	}
	l.seat(c)
	return nil
}

// seat has the events of a socket that is watched go to c.
func (l *loop) seat(c *conn) {
	for int(c.fd) >= len(l.byFD) {
		l.byFD = append(l.byFD, nil)
	}
	l.byFD[c.fd] = c
}

// socketAddr returns the address of the socket's other end, or "".
func (c *conn) socketAddr() string {
	addr := netip.Addr{}
	if c.stream == nil {
		addr = poll.Peer(int(c.fd))
	} else if p, err := netip.ParseAddrPort(c.stream.conn.RemoteAddr().String()); err == nil {
		addr = p.Addr().Unmap()
	}
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}
