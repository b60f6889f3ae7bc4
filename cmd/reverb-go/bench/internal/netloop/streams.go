package netloop

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// streams is the driver that works everywhere: goroutines read and write, and hand the loop what is to
// be done there.
type streams struct {
	ready chan func(*Loop)
	awake chan struct{}
	quit  chan struct{} // closed when the loop ends
	next  func(*Loop)   // found by wait
	timer *time.Timer
}

// stream is the part of a Conn that its goroutines touch.
type stream struct {
	conn net.Conn
	ack  chan struct{} // the loop has used what was read

	waiting bool // for Resume, without ack; owned by the loop

	mu     sync.Mutex // guards what follows
	cond   *sync.Cond
	out    []byte // to be written
	spare  []byte
	closed bool
}

func newStreams() *streams {
	return &streams{
		ready: make(chan func(*Loop)),
		awake: make(chan struct{}, 1),
		quit:  make(chan struct{}),
		timer: time.NewTimer(time.Hour),
	}
}

func (s *streams) wait(timeout time.Duration) {
	var expired <-chan time.Time
	if timeout >= 0 {
		s.timer.Reset(timeout)
		expired = s.timer.C
	}
	select {
	case s.next = <-s.ready:
	case <-s.awake:
	case <-expired:
	}
}

// maxPerTurn keeps a turn short, since alarms wait for its end.
const maxPerTurn = 256

func (s *streams) handle(l *Loop) {
	for range maxPerTurn {
		if s.next == nil {
			select {
			case s.next = <-s.ready:
			default:
				return
			}
		}
		s.next(l)
		s.next = nil
	}
}

func (s *streams) wake() {
	select {
	case s.awake <- struct{}{}:
	default:
	}
}

func (s *streams) end() { close(s.quit) }

// post has f called on the loop and reports whether there still is one.
func (s *streams) post(f func(*Loop)) bool {
	select {
	case s.ready <- f:
		return true
	case <-s.quit:
		return false
	}
}

func (s *streams) dial(_ *Loop, c *Conn, d Dial) error {
	go s.connect(c, d)
	return nil
}

// connect runs on the goroutine that will read the connection.
func (s *streams) connect(c *Conn, d Dial) {
	conn, err := dialNet(d)
	if err != nil {
		s.post(func(*Loop) { c.fail(err) })
		return
	}
	st := &stream{conn: conn, ack: make(chan struct{}, 1)}
	st.cond = sync.NewCond(&st.mu)
	started := s.post(func(l *Loop) {
		if c.state == closed {
			conn.Close()
			return
		}
		c.stream = st
		go s.write(c, st)
		l.opened(c)
		st.ack <- struct{}{}
	})
	if !started {
		conn.Close()
		return
	}
	s.read(c, st)
}

const dialTimeout = 30 * time.Second

func dialNet(d Dial) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	var dialer net.Dialer
	if d.Local.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: d.Local.AsSlice()}
	}
	conn, err := dialer.DialContext(ctx, "tcp", d.Remote.String())
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && d.Buffer > 0 {
		_ = tcp.SetReadBuffer(d.Buffer)
	}
	if d.TLS == nil {
		return conn, nil
	}
	secure := tls.Client(conn, d.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// read hands each piece to the loop and waits until it is used. A paused connection does not use it.
func (s *streams) read(c *Conn, st *stream) {
	buffer := make([]byte, 16<<10)
	for {
		select {
		case <-st.ack:
		case <-s.quit:
			return
		}
		n, err := st.conn.Read(buffer)
		ok := s.post(func(l *Loop) { c.arrived(l, st, buffer[:n], err) })
		if !ok || err != nil {
			return
		}
	}
}

// arrived is what reading found, told on the loop.
func (c *Conn) arrived(l *Loop, st *stream, b []byte, err error) {
	if c.state != open {
		return
	}
	if len(b) > 0 {
		for {
			room, used := l.room(c)
			if len(room) < len(b) {
				l.buffer = make([]byte, 2*(used+len(b)))
				continue
			}
			l.received(c, used+copy(room, b))
			break
		}
	}
	switch {
	case err != nil:
		c.readFailed(err)
	case c.paused:
		st.waiting = true
	default:
		st.ack <- struct{}{}
	}
}

func (s *streams) resume(_ *Loop, c *Conn) {
	if c.stream.waiting {
		c.stream.waiting = false
		c.stream.ack <- struct{}{}
	}
}

// flush lends c.out to the writer, in exchange for an empty buffer.
func (s *streams) flush(l *Loop, c *Conn) {
	st := c.stream
	st.mu.Lock()
	st.out = append(st.out, c.out...)
	st.cond.Signal()
	st.mu.Unlock()
	l.giveBuffer(c.out)
	c.out = nil
}

func (s *streams) write(c *Conn, st *stream) {
	for {
		b, ok := st.take()
		if !ok {
			return
		}
		if _, err := st.conn.Write(b); err != nil {
			s.post(func(*Loop) { c.fail(err) })
			return
		}
	}
}

// take waits for something to be written. What it returned before is its again.
func (st *stream) take() ([]byte, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for len(st.out) == 0 && !st.closed {
		st.cond.Wait()
	}
	if st.closed {
		return nil, false
	}
	b := st.out
	st.out = st.spare[:0]
	st.spare = b
	return b, true
}

func (s *streams) close(c *Conn) {
	st := c.stream
	if st == nil {
		return // the dialler notices
	}
	c.stream = nil
	st.mu.Lock()
	st.closed = true
	st.cond.Signal()
	st.mu.Unlock()
	st.conn.Close()
}
