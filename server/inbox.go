package server

import (
	"sync"
	"sync/atomic"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A note asks a loop to do something. Notes are taken in the order they were posted.
type note struct {
	do func(*loop) // when not nil, the rest is unused

	channel *channels.Channel
	frame   *frame // with a reference that the loop takes over
	seq     uint64
	except  protocol.SocketID

	isLate    bool // see channels.Note
	published channels.Moment
}

// maxInbox is how many notes may wait before publishers have to. A note names a message, however many
// subscribers it has.
const maxInbox = 8192

// An inbox is how other goroutines reach a loop. All methods may be called from any goroutine except
// take, sleep, awake and close, which are the loop's own.
type inbox struct {
	wake  func()
	wakes sync.WaitGroup // calls of wake under way: what it wakes must outlive them

	length atomic.Int32 // of notes, to be looked at without the lock

	mu       sync.Mutex // guards what follows
	notes    []note
	asleep   bool
	stopping bool
	closed   bool
	room     *sync.Cond // there is room for more

	taken []note // the loop's: the notes of this turn
}

// post adds a note and wakes the loop if it sleeps. It never blocks. It reports false when the loop
// has ended, and then has done nothing.
func (in *inbox) post(n note) bool {
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return false
	}
	in.notes = append(in.notes, n)
	in.length.Store(int32(len(in.notes)))
	wake := in.asleep
	in.asleep = false
	if wake {
		in.wakes.Add(1)
	}
	in.mu.Unlock()
	if wake {
		in.wake()
		in.wakes.Done()
	}
	return true
}

// waitForRoom blocks a publisher while too much is waiting. A loop must not call it.
func (in *inbox) waitForRoom() {
	if in.length.Load() < maxInbox {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.notes) >= maxInbox && !in.closed {
		in.room.Wait()
	}
}

func (in *inbox) isFull() bool { return in.length.Load() >= maxInbox }

// take returns the waiting notes, valid until the next call.
func (in *inbox) take() []note {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.notes) >= maxInbox {
		in.room.Broadcast()
	}
	if cap(in.taken) > 4*maxInbox {
		in.taken = nil
	}
	in.notes, in.taken = in.taken[:0], in.notes
	in.length.Store(0)
	return in.taken
}

// sleep reports whether nothing is waiting, and from then on has the next post wake the loop.
func (in *inbox) sleep() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asleep = len(in.notes) == 0
	return in.asleep
}

func (in *inbox) awake() {
	in.mu.Lock()
	in.asleep = false
	in.mu.Unlock()
}

// stop has the loop end with its last connection.
func (in *inbox) stop() {
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return
	}
	in.stopping = true
	in.asleep = false
	in.wakes.Add(1)
	in.mu.Unlock()
	in.wake()
	in.wakes.Done()
}

// close ends the inbox if the loop is to stop and has nothing left, and reports whether it did.
func (in *inbox) close(isIdle bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopping && isIdle && len(in.notes) == 0 {
		in.closed = true
		in.room.Broadcast()
	}
	return in.closed
}
