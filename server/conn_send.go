package server

import (
	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/protocol"
)

// An outQueue holds the frames that wait for one connection. Connections that have nothing to
// write have none: the loop lends them.
//
// Within one turn of the loop frames are only borrowed, because the loop holds a reference to each
// until the turn ends. What is still waiting then gets a reference of its own, so that the usual
// delivery, written in the turn it came in, touches no counter.
type outQueue struct {
	frames  []*frame
	head    int  // frames before it are written
	owned   int  // frames[head:owned] have a reference of their own
	writing int  // frames from head on that a stream is writing at this moment
	offset  int  // bytes of frames[head] already written
	bytes   int  // waiting
	counted int  // of bytes, in server.queued
	isDirty bool // in loop.dirty
}

// push queues a frame that the loop holds a reference to.
func (l *loop) push(c *conn, f *frame) {
	if c.isDoomed {
		l.stats.dropped++
		return
	}
	if c.taps > 0 {
		l.traceSent(c, f)
	}
	if c.deflates && len(f.data) >= minDeflated {
		f = l.pack(f)
	}
	q := c.out
	if q == nil {
		q = l.lendQueue()
		c.out = q
	}
	if c.state == open && !q.hasRoom(len(f.data), l.server.cfg.MaxQueued) && !l.makeRoom(c, len(f.data)) {
		l.stats.dropped++
		l.doom(c, closedSlow)
		return
	}
	q.frames = append(q.frames, f)
	q.bytes += len(f.data)
	l.stats.messagesOut++
	if !q.isDirty {
		q.isDirty = true
		l.dirty = append(l.dirty, c)
	}
}

// makeRoom writes what waits, in case it is only this turn that has brought so much, and reports
// whether n more bytes may be queued.
func (l *loop) makeRoom(c *conn, n int) bool {
	l.write(c)
	return !c.isDoomed && c.out.hasRoom(n, l.server.cfg.MaxQueued)
}

// frameRoom is about what a frame takes besides its bytes. Frames with next to none, such as pongs, are bounded by it, which
// minFrames may be in any case.
const (
	frameRoom = 64
	minFrames = 64
)

// hasRoom reports whether a frame of n bytes may be queued. One that is larger than the limit may wait behind what is within it:
// that a list of members is long makes nobody slow.
func (q *outQueue) hasRoom(n, limit int) bool {
	isSmall := q.bytes+n <= limit
	isAlone := n > limit && q.bytes <= limit
	return (isSmall || isAlone) && len(q.frames)-q.head < max(limit/frameRoom, minFrames)
}

// sendText queues a message built in l.scratch by an appender of package protocol.
func (l *loop) sendText(c *conn, payload []byte) {
	l.scratch = payload[:0]
	l.push(c, l.own(newFrame(ws.OpText, payload)))
}

func (l *loop) sendError(c *conn, e *protocol.Error) {
	l.sendText(c, protocol.AppendError(l.scratch[:0], e))
}

// own makes the loop the holder of a new frame until the turn ends.
func (l *loop) own(f *frame) *frame {
	l.held = append(l.held, f)
	l.heldRoom += len(f.data) + frameRoom
	return f
}

// compact moves the waiting frames to the front, lest a queue that is never empty grow for ever.
func (q *outQueue) compact() {
	if q.head < 64 || q.head < len(q.frames)/2 {
		return
	}
	n := copy(q.frames, q.frames[q.head:])
	clear(q.frames[n:])
	q.frames, q.owned, q.head = q.frames[:n], q.owned-q.head, 0
}

// account keeps server.queued in step.
func (l *loop) account(q *outQueue) {
	if d := q.bytes - q.counted; d != 0 {
		l.server.queued.Add(int64(d))
		q.counted = q.bytes
	}
}

// wrote drops n written bytes from the queue.
func (q *outQueue) wrote(n int) {
	q.bytes -= n
	n += q.offset
	q.offset = 0
	for q.head < len(q.frames) {
		f := q.frames[q.head]
		if n < len(f.data) {
			q.offset = n
			return
		}
		n -= len(f.data)
		q.drop()
	}
	q.frames, q.head, q.owned = q.frames[:0], 0, 0
}

// drop forgets the first waiting frame.
func (q *outQueue) drop() {
	if q.head < q.owned {
		q.frames[q.head].release()
	} else {
		q.owned++
	}
	q.frames[q.head] = nil
	q.head++
}

// dropWaiting forgets all frames of which nothing is written yet, and returns their number.
func (l *loop) dropWaiting(c *conn) int {
	q := c.out
	if q == nil {
		return 0
	}
	keep := q.head
	switch {
	case q.writing > 0:
		keep += q.writing
	case q.offset > 0:
		keep++
	}
	dropped := len(q.frames) - keep
	for i := keep; i < len(q.frames); i++ {
		q.bytes -= len(q.frames[i].data)
		if i < q.owned {
			q.frames[i].release()
		}
		q.frames[i] = nil
	}
	q.frames, q.owned = q.frames[:keep], min(q.owned, keep)
	l.account(q)
	return dropped
}

// discard forgets all that waits for a connection whose socket is closed.
func (l *loop) discard(c *conn) {
	q := c.out
	if q == nil {
		return
	}
	for q.head < len(q.frames) {
		q.drop()
	}
	q.bytes, q.offset, q.writing = 0, 0, 0
	l.account(q)
	if !q.isDirty {
		l.returnQueue(c)
	}
}

func (l *loop) lendQueue() *outQueue {
	if n := len(l.queues); n > 0 {
		q := l.queues[n-1]
		l.queues = l.queues[:n-1]
		return q
	}
	return new(outQueue)
}

// returnQueue takes an empty queue back. One that has grown large is left to the garbage collector.
func (l *loop) returnQueue(c *conn) {
	q := c.out
	c.out = nil
	if cap(q.frames) <= 64 {
		*q = outQueue{frames: q.frames[:0]}
		l.queues = append(l.queues, q)
	}
}
