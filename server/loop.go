package server

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A loop owns a share of the connections: it reads them, handles what they say, and writes to them.
//
// It works in turns. A turn takes all that is ready, first from the sockets, then from the inbox, and
// only then writes, each connection once: the busier the loop, the more messages share a write.
type loop struct {
	// Static after construction.
	server *Server
	index  int
	poller *poll.Poller
	shard  *channels.Shard

	inbox inbox

	// Owned by the loop's goroutine.
	conns    map[*conn]struct{} // those with a stream
	byFD     []*conn            // the others, by descriptor
	visitors map[int32]*visitor // by descriptor
	callers  []*visitor         // have sent something
	looked   time.Time          // when visitors were last looked after
	front    front
	load     atomic.Int32 // connections and visitors, with those on their way; for all goroutines
	wheel    wheel
	now      time.Time
	seconds  uint32 // since the server was made
	buf      []byte // what is being read
	scratch  []byte // a message being built
	events   []poll.Event
	ready    []*conn // stopped reading before their socket was empty
	dirty    []*conn // have something to write
	spare    []*conn // memory for the next dirty
	doomed   []doomed
	held     []*frame // references given up when the turn ends
	heldRoom int      // bytes that those take
	queues   []*outQueue
	vector   poll.Vector
	ring     *poll.Ring // nil where there is none
	sending  []*conn    // whose output is in ring
	stats    loopStats
	ids      idSource
	rewatch  []*conn // were imported while their watchlist was not answered

	deflater deflater
	inflater inflater
}

// readSize is how much is read at once. A client's message has 10 kB by default.
const readSize = 64 << 10

// readsPerTurn bounds what one connection may bring before the others have their turn.
const readsPerTurn = 4

func newLoop(s *Server, index int) (*loop, error) {
	p, err := poll.New()
	if err != nil {
		return nil, err
	}
	l := &loop{
		server: s, index: index, poller: p, shard: channels.NewShard(index),
		conns: make(map[*conn]struct{}), visitors: make(map[int32]*visitor), front: newFront(s), buf: make([]byte, readSize), ids: newIDSource(),
	}
	if !s.cfg.NoIOUring {
		l.ring, err = poll.NewRing()
	}
	if err != nil && index == 0 {
		s.log.Info("io_uring is not to be had here: each connection is written to by a system call of its own", "err", err)
	}
	l.inbox.wake = p.Wake
	l.inbox.room = sync.NewCond(&l.inbox.mu)
	return l, nil
}

// run takes turns until the loop is told to stop and its last connection is gone.
func (l *loop) run() {
	defer func() {
		// A late wake would write to a descriptor that may be somebody else's by then.
		l.inbox.wakes.Wait()
		l.giveBack()
	}()
	for !l.inbox.close(l.load.Load() == 0) {
		l.wait()
		started := l.server.cfg.Now()
		l.setTime(started)
		l.turn()
		l.report(started)
	}
}

// giveBack closes what the loop has of the system, connections apart.
func (l *loop) giveBack() {
	l.poller.Close()
	l.closeRing()
}

func (l *loop) closeRing() {
	if l.ring != nil {
		l.ring.Close()
		l.ring = nil
	}
}

// wait sleeps until there is something to do. The wheel wants a look once a second, and so do the apps, which the
// first loop looks after.
func (l *loop) wait() {
	timeout := time.Second
	if !l.inbox.sleep() {
		timeout = 0
	} else if len(l.ready) > 0 {
		timeout = l.readPause()
	} else if l.load.Load() == 0 && l.index != 0 {
		timeout = -1
	}
	var err error
	l.events, err = l.poller.Wait(l.events[:0], timeout)
	l.inbox.awake()
	if err != nil {
		l.server.log.Error("event loop cannot wait", "loop", l.index, "err", err)
	}
}

// congestionPause is how long a loop that may not read now waits before it looks again.
const congestionPause = time.Millisecond

// readPause is how long those who have sent something have to wait.
func (l *loop) readPause() time.Duration {
	if l.server.pausing.Load() || l.server.isCongested() {
		return congestionPause
	}
	return 0
}

func (l *loop) setTime(now time.Time) {
	l.now = now
	if s := int64(now.Sub(l.server.started) / time.Second); s > int64(l.seconds) {
		l.seconds = uint32(s)
	}
}

func (l *loop) turn() {
	l.markReady()
	isPausing := l.server.pausing.Load()
	if !isPausing && !l.server.isCongested() {
		l.readReady()
	}
	l.hear()
	l.takeNotes()
	l.reap()
	if !isPausing {
		l.tick()
	}
	l.flush()
}

// markReady adds the connections whose sockets have something to read to those left from the last
// turn, and makes those that can be written again dirty.
func (l *loop) markReady() {
	for _, ev := range l.events {
		c := l.connOf(ev.FD)
		if c == nil {
			l.markCaller(ev)
			continue
		}
		if ev.Writable && c.out != nil && !c.out.isDirty {
			c.out.isDirty = true
			l.dirty = append(l.dirty, c)
		}
		if ev.Readable && !c.isReady {
			c.isReady = true
			l.ready = append(l.ready, c)
		}
		c.hasEnded = c.hasEnded || ev.Ended
	}
}

// markCaller has the visitor of an event heard in this turn.
func (l *loop) markCaller(ev poll.Event) {
	v := l.visitors[ev.FD]
	if v == nil {
		return
	}
	v.hasEnded = v.hasEnded || ev.Ended
	if ev.Readable && !v.isReady {
		v.isReady = true
		l.callers = append(l.callers, v)
	}
}

func (l *loop) connOf(fd int32) *conn {
	if int(fd) >= len(l.byFD) {
		return nil
	}
	return l.byFD[fd]
}

func (l *loop) readReady() {
	again := l.ready[:0]
	for _, c := range l.ready {
		c.isReady = false
		if c.state != gone && l.guard(c, (*loop).read) {
			c.isReady = true
			again = append(again, c)
		}
		l.relieve()
	}
	clear(l.ready[len(again):])
	l.ready = again
}

// maxHeld is how many bytes a turn may hold.
const maxHeld = 16 << 20

// relieve writes before the turn is over if it holds much. All that a turn makes is held until it is written, and each
// client may have sent thousands of pings.
func (l *loop) relieve() {
	if l.heldRoom > maxHeld {
		l.reap()
		l.flush()
	}
}

// guard calls handle, which reports whether there is more to do, and keeps a bug that shows there
// from ending more than one connection.
func (l *loop) guard(c *conn, handle func(*loop, *conn) bool) (more bool) {
	defer func() {
		if fault := recover(); fault != nil {
			l.server.log.Error("connection ended by a bug", "socket", c.id, "panic", fault, "stack", string(debug.Stack()))
			l.doom(c, closedPanic)
		}
	}()
	return handle(l, c)
}

// takeNotes does what others have asked for.
func (l *loop) takeNotes() {
	notes := l.inbox.take()
	for i := range notes {
		n := &notes[i]
		if n.do != nil {
			n.do(l)
		} else {
			l.broadcast(n)
		}
		*n = note{}
		l.relieve()
	}
}

// broadcast queues a frame for the subscribers of a channel. This is the hot path: no lock, map,
// allocation or copy for a delivery.
func (l *loop) broadcast(n *note) {
	l.own(n.frame)
	for _, seat := range l.shard.Seats(n.channel) {
		if seat.Since >= n.seq || n.isLate && seat.IsAfter(n.published) {
			continue
		}
		c := seat.Subscriber.(*conn)
		if c.id != n.except {
			l.push(c, n.frame)
		}
	}
}

// reply sends the answer to a subscribe, and after it what a cache channel keeps.
func (l *loop) reply(c *conn, kind channels.Kind, name []byte, j channels.Joined) {
	l.sendText(c, j.Reply)
	switch {
	case j.Cached != nil:
		l.sendText(c, append(l.scratch[:0], j.Cached...))
	case kind.Has(channels.Cache):
		l.sendText(c, protocol.AppendCacheMiss(l.scratch[:0], string(name)))
		l.server.observe(c.app, channels.Event{Name: channels.CacheMiss, Channel: string(name)})
	}
}
