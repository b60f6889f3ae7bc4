package netloop

import (
	"crypto/tls"
	"errors"
	"io"
	"net/netip"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
)

// A Handler is told what happens to a connection.
type Handler interface {
	// Opened says that the other end has accepted the connection.
	Opened(c *Conn, now int64)
	// Received is given all bytes that have arrived and not been used, and returns how many it used.
	Received(c *Conn, b []byte, now int64) int
	// Closed is the last call; err is io.EOF when the other end has closed. A connection closed by
	// its owner ends without it.
	Closed(c *Conn, err error)
}

// Dial says where to connect to.
type Dial struct {
	Remote netip.AddrPort
	Local  netip.Addr  // source address; the zero Addr leaves it to the system
	TLS    *tls.Config // portable loops only
	Buffer int         // bytes the system may hold for us; 0 leaves it to the system
}

type connState uint8

const (
	dialling connState = iota
	open
	closed
)

// A Conn is one connection of a Loop.
type Conn struct {
	loop    *Loop
	handler Handler
	stream  *stream // of a portable loop
	rest    []byte  // received and not used
	out     []byte  // to be written
	err     error   // why it ended
	fd      int32
	gen     uint32 // tells it from earlier owners of fd
	state   connState
	dirty   bool
	paused  bool
}

var errTooLarge = errors.New("more than 16 MiB arrived that make no whole message")

const maxRest = 16 << 20

// Dial begins to connect. Whether it worked the handler will hear.
func (l *Loop) Dial(d Dial, h Handler) *Conn {
	c := &Conn{loop: l, handler: h, fd: -1}
	l.conns[c] = struct{}{}
	if err := l.driver.dial(l, c, d); err != nil {
		c.fail(err)
	}
	return c
}

// Send has b written at the end of the turn. It keeps nothing of b.
func (c *Conn) Send(b []byte) {
	if c.state == closed {
		return
	}
	if c.out == nil {
		c.out = c.loop.takeBuffer()
	}
	c.out = append(c.out, b...)
	c.touch()
}

// Append has written what f appends, as Send does.
func (c *Conn) Append(f func(dst []byte) []byte) {
	if c.state == closed {
		return
	}
	if c.out == nil {
		c.out = c.loop.takeBuffer()
	}
	c.out = f(c.out)
	c.touch()
}

func (c *Conn) touch() {
	if !c.dirty && c.state == open {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// Waiting returns how many bytes the system has not taken yet.
func (c *Conn) Waiting() int { return len(c.out) }

// Pause stops reading, as a slow reader would. The system still holds what it has room for.
func (c *Conn) Pause() { c.paused = true }

// Resume ends a Pause.
func (c *Conn) Resume() {
	if c.paused && c.state == open {
		c.paused = false
		c.loop.driver.resume(c.loop, c)
	}
	c.paused = false
}

// Close ends the connection without another call to the handler. What the system has not taken is
// dropped.
func (c *Conn) Close() {
	if c.state != closed {
		c.release()
	}
}

// fail ends the connection and has the handler told.
func (c *Conn) fail(err error) {
	if c.state == closed {
		return
	}
	c.err = err
	c.release()
	c.loop.ended = append(c.loop.ended, c)
}

func (c *Conn) release() {
	c.state = closed
	c.loop.driver.close(c)
	delete(c.loop.conns, c)
	c.rest, c.out = nil, nil
}

func (l *Loop) opened(c *Conn) {
	c.state = open
	c.handler.Opened(c, clock.Now())
	if len(c.out) > 0 {
		c.touch()
	}
}

// received hands out l.buffer[:n], which begins with c.rest, and keeps what is not used.
func (l *Loop) received(c *Conn, n int) {
	b := l.buffer[:n]
	used := c.handler.Received(c, b, clock.Now())
	if c.state == closed {
		return
	}
	if used == n {
		c.rest = nil
		return
	}
	c.rest = append(c.rest[:0], b[used:]...)
	if len(c.rest) > maxRest {
		c.fail(errTooLarge)
	}
}

// room returns where to read to, which is behind c.rest in the shared buffer.
func (l *Loop) room(c *Conn) (b []byte, used int) {
	if len(c.rest) > len(l.buffer)/2 {
		l.buffer = make([]byte, 4*len(c.rest))
	}
	used = copy(l.buffer, c.rest)
	return l.buffer[used:], used
}

// readFailed turns the end of reading into the end of the connection.
func (c *Conn) readFailed(err error) {
	if err == nil {
		err = io.EOF
	}
	c.fail(err)
}
