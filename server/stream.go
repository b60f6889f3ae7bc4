package server

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A stream is the socket of a connection that its loop cannot read and write itself: one that is
// encrypted, or any where there is no epoll. A goroutine reads it and waits until the loop has
// taken what it read; another one writes, for as long as there is something to write. The
// connection is the loop's all the same.
type stream struct {
	conn  net.Conn
	loop  *loop         // set before start
	taken chan struct{} // the loop is done with what was read
	wg    *sync.WaitGroup

	isClosed atomic.Bool
}

func newStream(c net.Conn, wg *sync.WaitGroup) *stream {
	return &stream{conn: c, taken: make(chan struct{}, 1), wg: wg}
}

// streamBuffer is how much a stream reads at once: there is one buffer for each.
const streamBuffer = 4 << 10

func (s *stream) start(c *conn) {
	s.wg.Add(1)
	go s.readLoop(c)
}

func (s *stream) readLoop(c *conn) {
	defer s.wg.Done()
	buf := make([]byte, streamBuffer)
	for {
		n, err := s.conn.Read(buf)
		if n > 0 {
			s.awaitRoom()
		}
		posted := s.loop.inbox.post(note{do: func(l *loop) {
			l.guard(c, func(l *loop, c *conn) bool { l.takeRead(c, buf[:n], err); return false })
			s.taken <- struct{}{}
		}})
		if !posted {
			return
		}
		<-s.taken
		if err != nil {
			return
		}
	}
}

// streamPause is how long a stream waits before it looks again whether a loop or Redis is behind.
const streamPause = 10 * time.Millisecond

// awaitRoom waits while a loop or Redis is behind, as loops do before they read.
func (s *stream) awaitRoom() {
	for s.loop.server.isCongested() && !s.isClosed.Load() {
		time.Sleep(streamPause)
	}
}

func (l *loop) takeRead(c *conn, b []byte, err error) {
	if c.state == open && len(b) > 0 {
		l.feed(c, b)
	}
	if err != nil {
		l.end(c, closedGone)
	}
}

// writeStream hands the waiting frames to a goroutine, unless one is at work already.
func (l *loop) writeStream(c *conn) {
	q := c.out
	if q.writing > 0 || q.head == len(q.frames) {
		return
	}
	for q.owned < len(q.frames) {
		q.frames[q.owned].retain()
		q.owned++
	}
	bufs := make(net.Buffers, 0, len(q.frames)-q.head)
	for _, f := range q.frames[q.head:] {
		f.retain() // for the goroutine: the queue may be discarded while it writes
		bufs = append(bufs, f.data)
	}
	q.writing = len(bufs)
	frames := append([]*frame(nil), q.frames[q.head:]...)
	c.stream.wg.Add(1)
	go c.stream.write(c, bufs, frames)
}

func (s *stream) write(c *conn, bufs net.Buffers, frames []*frame) {
	defer s.wg.Done()
	n, err := bufs.WriteTo(s.conn)
	for _, f := range frames {
		f.release()
	}
	s.loop.inbox.post(note{do: func(l *loop) { l.wroteStream(c, int(n), err) }})
}

func (l *loop) wroteStream(c *conn, n int, err error) {
	q := c.out
	if c.state == gone || q == nil {
		return
	}
	l.stats.writes++
	l.stats.bytesOut += n
	q.writing = 0
	q.wrote(n)
	if err != nil {
		l.doom(c, closedGone)
	}
	if !q.isDirty {
		q.isDirty = true
		l.dirty = append(l.dirty, c)
	}
}

// shutdownWrite ends the sending side, if the connection has one of its own to end.
func (s *stream) shutdownWrite() {
	if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		s.wg.Add(1)
		go func() { // on TLS this writes
			defer s.wg.Done()
			_ = half.CloseWrite()
		}()
	}
}

func (s *stream) close() {
	s.isClosed.Store(true)
	s.wg.Add(1)
	go func() { // on TLS this writes, too
		defer s.wg.Done()
		_ = s.conn.Close()
	}()
}
