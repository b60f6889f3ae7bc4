package server

import (
	"bytes"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// An httpConn is a connection as long as HTTP is spoken on it. It keeps what has come of a request until that is
// complete, so that the connection can be taken away from HTTP at any time but during an answer, with nothing
// lost: see hold.
type httpConn struct {
	net.Conn
	server     *Server
	isDetached bool // it belongs to a loop now: Close is not for us
	isSurplus  bool // descriptors are too few for it to become a WebSocket
	hasFailed  bool // an error was answered before the request was read
	isBare     bool // see endsBare

	mu       sync.Mutex // guards what follows, and that a deadline is not moved while held
	phase    httpPhase
	awaits   httpWait
	pending  []byte        // what has come of the request
	early    []byte        // what has come to a predecessor, to be read first
	released chan struct{} // closed when HTTP has let go of a connection that is held
}

type httpPhase uint8

const (
	httpReading  httpPhase = iota // nothing is answered; fasthttp reads, or is about to
	httpAnswers                   // a request is being handled, or the answer is not written yet
	httpUpgrades                  // it becomes a WebSocket
	httpHeld                      // taken away
)

// An httpWait is what fasthttp waits for from the client.
type httpWait uint8

const (
	nothing      httpWait = iota
	moreToRead            // bytes of a request
	roomForWrite          // in the socket, for those of an answer
)

// track makes an httpConn that the server knows of until it is closed.
func (s *Server) track(c net.Conn, early []byte) *httpConn {
	hc := &httpConn{Conn: c, server: s, early: early}
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	s.httpConns[hc] = struct{}{}
	return hc
}

func (s *Server) untrack(c *httpConn) {
	s.httpMu.Lock()
	defer s.httpMu.Unlock()
	delete(s.httpConns, c)
}

// A requestBuffer has room for what most requests are. They are used again, because a crowd of clients would
// leave more garbage in them than it takes memory.
type requestBuffer [1024]byte

var requestBuffers = sync.Pool{New: func() any { return new(requestBuffer) }}

func (c *httpConn) surplus() bool { return c.isSurplus }

// keep appends to what has come of the request, which must not be too much.
func (c *httpConn) keep(b []byte) error {
	if c.phase == httpUpgrades {
		return nil
	}
	if c.pending == nil {
		c.pending = requestBuffers.Get().(*requestBuffer)[:0]
	}
	c.pending = append(c.pending, b...)
	if len(c.pending) > c.server.maxPending() {
		return fasthttp.ErrBodyTooLarge
	}
	return nil
}

// forget drops what has come of the request.
func (c *httpConn) forget() {
	if cap(c.pending) == len(requestBuffer{}) {
		requestBuffers.Put((*requestBuffer)(c.pending[:cap(c.pending)]))
	}
	c.pending = nil
}

// Read reads for fasthttp, which gets an end of file when the connection is held.
func (c *httpConn) Read(b []byte) (int, error) {
	if n, err := c.beforeRead(b); n > 0 || err != nil {
		return n, err
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaits = nothing
	if err := c.keep(b[:n]); err != nil {
		return n, err
	}
	if c.phase == httpHeld {
		return 0, io.EOF
	}
	return n, err
}

// maxPending is how long a request may be as it comes. That is more than its size where its body comes in chunks, each of
// which has a head of its own, of any length.
func (s *Server) maxPending() int { return 2*s.cfg.MaxRequestSize + s.http.ReadBufferSize }

// beforeRead notices that an answer has been written: fasthttp does not read before that, unless it has read the
// whole head of the next request already and wants its body.
func (c *httpConn) beforeRead(b []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == httpAnswers && headSize(c.pending) == 0 {
		c.phase = httpReading
	}
	if c.phase == httpHeld {
		return 0, io.EOF
	}
	n = copy(b, c.early)
	if c.early = c.early[n:]; n > 0 {
		return n, c.keep(b[:n])
	}
	c.awaits = moreToRead
	return 0, nil
}

// Write throws away what is written to a connection that is held: an answer to its end.
func (c *httpConn) Write(b []byte) (int, error) {
	if c.beforeWrite() {
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaits = nothing
	return n, err
}

func (c *httpConn) beforeWrite() (isHeld bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == httpHeld {
		return true
	}
	c.awaits = roomForWrite
	return false
}

func (c *httpConn) isHeld() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == httpHeld
}

// SetReadDeadline leaves the deadline of a held connection in the past.
func (c *httpConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == httpHeld {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// begin is called with a complete request, and reports whether it is to be answered.
func (c *httpConn) begin(ctx *fasthttp.RequestCtx) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == httpHeld {
		return false
	}
	c.phase = httpAnswers
	c.isBare = endsBare(c.pending)
	c.pending = append(c.pending[:0], c.pending[rawSize(&ctx.Request.Header, c.pending):]...)
	return true
}

// recall gives a request back its method and its target, which fasthttp forgets when it cannot read the rest.
func (c *httpConn) recall(r *fasthttp.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	method, rest, _ := bytes.Cut(afterEmptyLines(c.pending), []byte(" "))
	if target, _, _ := bytes.Cut(rest, []byte(" ")); bytes.HasPrefix(target, []byte("/")) {
		r.Header.SetMethodBytes(method)
		r.SetRequestURIBytes(target)
	}
}

// unread returns what has come and is not answered, of a connection that HTTP has let go of. What a predecessor got may
// not have been asked for yet.
func (c *httpConn) unread() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.pending, c.early)
}

func (c *httpConn) beginUpgrade() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = httpUpgrades
	c.forget()
}

// hold takes the connection away from HTTP unless it is in the middle of an answer. If it cannot be handed
// over, and force is false, not in the middle of a request either.
func (c *httpConn) hold(force bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.phase == httpHeld:
		return true
	case c.phase != httpReading, !force && len(c.pending) > 0 && !c.isPlain():
		return false
	}
	c.phase = httpHeld
	c.released = make(chan struct{})
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	return true
}

// cutShort ends a connection that is in the middle of an answer only because its client is: it does not read the
// answer, or sends the rest of another request that it has begun to send before. That one is answered with 408.
func (c *httpConn) cutShort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.phase != httpAnswers:
	case c.awaits == moreToRead:
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	case c.awaits == roomForWrite:
		_ = c.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
}

// isPlain reports whether the bytes read are those of the socket.
func (c *httpConn) isPlain() bool {
	switch c.Conn.(type) {
	case *net.TCPConn, *net.UnixConn, *proxiedConn:
		return true
	}
	return false
}

// letGo forgets the request unless the connection is held, and reports whether it is.
func (c *httpConn) letGo() (isHeld bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == httpHeld {
		return true
	}
	c.forget()
	return false
}

// maxDiscard is what is read of a refused request before its connection is closed.
const maxDiscard = 1 << 20

// Close closes the connection. After a refused request it first takes in what the client is still
// sending: the kernel answers bytes that nobody reads with a reset, which can overtake the refusal.
func (c *httpConn) Close() error {
	c.server.untrack(c)
	if c.letGo() {
		close(c.released)
		return nil
	}
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
