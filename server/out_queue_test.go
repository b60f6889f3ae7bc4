package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A queueModel is a connection's output as it should be: bytes that wait, in order.
type queueModel struct {
	conn    *conn
	frames  [][]byte // waiting; of the first one what is not written yet
	begun   bool     // the first is half written
	writing int      // frames that a stream is writing
}

// A queueTest does what loops do with the output of some connections, of which some are written by streams.
type queueTest struct {
	*still
	t      *testing.T
	random *rand.Rand
	models []*queueModel
	frames []*frame
}

// TestOutQueue compares with a list of bytes: what is queued is written in order and once, what is dropped is not
// written, the counts are right, and in the end each frame has been released as often as it was retained.
func TestOutQueue(t *testing.T) {
	q := &queueTest{still: newStill(t, Config{MaxQueued: 1 << 30, MaxNodeQueued: 1 << 30}, nil), t: t, random: Seeded(t)}
	for range 5 {
		q.models = append(q.models, &queueModel{conn: q.connect(t, -1)})
	}
	for range 20_000 {
		q.step(q.models[q.random.IntN(len(q.models))])
		q.check()
		if t.Failed() {
			return
		}
	}
	for _, m := range q.models {
		m.conn.state = gone
		q.loop.discard(m.conn)
	}
	q.settle()
	for _, f := range q.frames {
		if n := f.refs.Load(); n != 0 {
			t.Errorf("%d references to a frame are left", n)
		}
	}
	if n := q.queued.Load(); n != 0 {
		t.Errorf("%d bytes are still counted as waiting", n)
	}
}

func (q *queueTest) step(m *queueModel) {
	switch q.random.IntN(8) {
	case 0, 1:
		q.broadcast()
	case 2, 3:
		q.write(m)
	case 4, 5:
		q.settle()
	case 6:
		q.beginStream(m)
	case 7:
		if q.random.IntN(20) == 0 {
			q.drop(m)
		}
	}
}

// broadcast pushes one frame to some of the connections.
func (q *queueTest) broadcast() {
	data := make([]byte, 1+q.random.IntN(50), maxPooled+1) // not to be pooled: its count is looked at in the end
	copy(data, fmt.Sprintf("%d.", len(q.frames)))
	f := q.loop.own(rawFrame(data))
	q.frames = append(q.frames, f)
	for _, m := range q.models {
		if q.random.IntN(2) == 0 {
			q.loop.push(m.conn, f)
			m.frames = append(m.frames, data)
		}
	}
}

// write has the socket take some of what waits, or what a stream has been given.
func (q *queueTest) write(m *queueModel) {
	out := m.conn.out
	if out == nil || out.head == len(out.frames) {
		return
	}
	given := m.frames
	if m.writing > 0 {
		given = m.frames[:m.writing]
	}
	n := q.random.IntN(len(bytes.Join(given, nil)) + 1)
	out.writing, m.writing = 0, 0
	out.wrote(n)
	for len(m.frames) > 0 && n >= len(m.frames[0]) {
		n -= len(m.frames[0])
		m.frames, m.begun = m.frames[1:], false
	}
	if n > 0 {
		m.frames[0], m.begun = m.frames[0][n:], true
	}
}

// settle ends a turn without writing.
func (q *queueTest) settle() {
	for _, c := range q.loop.dirty {
		c.out.isDirty = false
		q.loop.settle(c)
	}
	q.loop.dirty = q.loop.dirty[:0]
	q.loop.flush()
}

// beginStream gives all that waits to a stream; it holds references of its own, which are not looked at here.
func (q *queueTest) beginStream(m *queueModel) {
	if out := m.conn.out; out != nil && m.writing == 0 && len(m.frames) > 0 {
		q.settle()
		out.writing = len(out.frames) - out.head
		m.writing = out.writing
	}
}

// drop forgets what a slow connection has not begun to take.
func (q *queueTest) drop(m *queueModel) {
	keep := m.writing
	if keep == 0 && m.begun {
		keep = 1
	}
	if got, want := q.loop.dropWaiting(m.conn), len(m.frames)-keep; got != want {
		q.t.Errorf("%d frames were dropped, want %d", got, want)
	}
	m.frames = m.frames[:keep]
}

func (q *queueTest) check() {
	total := 0
	for i, m := range q.models {
		want := bytes.Join(m.frames, nil)
		var got []byte
		counted := 0
		if out := m.conn.out; out != nil {
			for _, f := range out.frames[out.head:] {
				got = append(got, f.data...)
			}
			got = got[out.offset:]
			counted, total = out.bytes, total+out.counted
		}
		if !bytes.Equal(got, want) || counted != len(want) {
			q.t.Errorf("%d bytes wait for connection %d, counted as %d, want %d", len(got), i, counted, len(want))
		}
	}
	if got := q.queued.Load(); got != int64(total) {
		q.t.Errorf("%d bytes are counted as waiting, want %d", got, total)
	}
	for i, f := range q.frames {
		if f.refs.Load() < 0 {
			q.t.Errorf("frame %d was released too often", i)
		}
	}
}
