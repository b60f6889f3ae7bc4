package scaling

import (
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// An op is one script to be run. Ops are run in the order they were queued.
type op struct {
	script  *redis.Script
	bucket  int
	args    []any
	done    func(result any) // on the executor's goroutine; not called when Redis was away; nil
	publish bool             // kept while Redis is away, and tried again; what is not is made up for by Resync
	size    int
	queued  time.Time
}

// A queue holds the ops that wait for Redis. Publishes are bounded: the oldest are dropped.
type queue struct {
	maxBytes int
	maxAge   time.Duration
	filled   chan struct{} // something was added

	mu    sync.Mutex // guards what follows
	ops   []op
	bytes int        // of publishes
	room  *sync.Cond // there is room again, or no use in waiting for it
}

func (q *queue) init(maxBytes int, maxAge time.Duration) {
	q.maxBytes, q.maxAge, q.filled = maxBytes, maxAge, make(chan struct{}, 1)
	q.room = sync.NewCond(&q.mu)
}

// isFull reports whether publishers should wait. There is still room for those who cannot.
func (q *queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes > q.maxBytes/2
}

// waitForRoom blocks a publisher as long as there is use in it.
func (q *queue) waitForRoom(useful func() bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.bytes > q.maxBytes/2 && useful() {
		q.room.Wait()
	}
}

// stopWaiting has those who wait look whether there is use in it.
func (q *queue) stopWaiting() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.room.Broadcast()
}

// add queues an op and returns how many publishes were dropped for it.
func (q *queue) add(o op) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ops = append(q.ops, o)
	if o.publish {
		q.bytes += o.size
	}
	if q.bytes > q.maxBytes {
		dropped = q.shrinkLocked(func(op) bool { return q.bytes > q.maxBytes })
	}
	signal(q.filled)
	return dropped
}

// shrinkLocked drops publishes, the oldest first, while tooMuch says so of the next.
func (q *queue) shrinkLocked(tooMuch func(op) bool) (dropped int) {
	kept := q.ops[:0]
	for i, o := range q.ops {
		if !o.publish {
			kept = append(kept, o)
			continue
		}
		if !tooMuch(o) {
			kept = append(kept, q.ops[i:]...)
			break
		}
		q.bytes -= o.size
		dropped++
	}
	clear(q.ops[len(kept):])
	q.ops = kept
	return dropped
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ops)
}

// expire drops publishes that have waited too long.
func (q *queue) expire(now time.Time) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.shrinkLocked(func(o op) bool { return now.Sub(o.queued) > q.maxAge })
}

// take removes up to most ops, and no more than have maxWeight arguments together; but one at least.
func (q *queue) take(most, maxWeight int) []op {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, weight := 0, 0
	for n < min(most, len(q.ops)) && (n == 0 || weight+len(q.ops[n].args) <= maxWeight) {
		weight += len(q.ops[n].args)
		n++
	}
	batch := q.ops[:n:n]
	q.ops = q.ops[n:]
	for _, o := range batch {
		if o.publish {
			q.bytes -= o.size
		}
	}
	if q.bytes <= q.maxBytes/2 {
		q.room.Broadcast()
	}
	return batch
}

// fail puts the publishes of a batch back in front, and drops all other ops: after an outage Resync
// says the same again.
func (q *queue) fail(batch []op) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var kept []op
	for _, o := range append(batch, q.ops...) {
		if o.publish {
			kept = append(kept, o)
		}
	}
	q.ops, q.bytes = kept, 0
	for _, o := range kept {
		q.bytes += o.size
	}
	return q.shrinkLocked(func(op) bool { return q.bytes > q.maxBytes })
}
