package webhook

import "sync"

// bounds are how much a queue holds.
type bounds struct{ events, bytes int }

// A load is how much there is in a queue, or on its way out of one.
type load struct{ events, bytes int }

func (l *load) add(r *record) {
	l.events++
	l.bytes += r.size()
}

func (l load) minus(other load) load {
	return load{l.events - other.events, l.bytes - other.bytes}
}

// hasRoomFor reports whether r still fits. One event fits always, whatever its size.
func (l load) hasRoomFor(r *record, b bounds) bool {
	return l.events == 0 || l.events < b.events && l.bytes+r.size() <= b.bytes
}

// A queue keeps records in order, within bounds; its policy is to drop the newest. It is not safe for
// concurrent use.
type queue struct {
	bounds  bounds
	records []*record
	load    load
}

// push reports whether there was room for r.
func (q *queue) push(r *record) bool {
	if !q.load.hasRoomFor(r, q.bounds) {
		return false
	}
	q.load.add(r)
	q.records = append(q.records, r)
	return true
}

// front returns the first n records, or all if there are fewer. They are valid until they are popped.
func (q *queue) front(n int) []*record {
	return q.records[:min(n, len(q.records))]
}

// pop removes the first n records.
func (q *queue) pop(n int) {
	var gone load
	for i, r := range q.records[:n] {
		gone.add(r)
		q.records[i] = nil // append moves the rest to a new array only in the end
	}
	q.load = q.load.minus(gone)
	q.records = q.records[n:]
}

// intake is where events wait for the router. What the router holds back counts too, until it says
// that it is settled.
type intake struct {
	wake chan struct{} // has room for one

	mu       sync.Mutex // guards the following
	waiting  queue
	held     load // taken and not settled
	dropped  int  // since the last take
	isClosed bool
}

// push reports whether r was taken in. It waits for nobody.
func (in *intake) push(r *record) bool {
	isTaken := in.pushLocking(r)
	if isTaken {
		ring(in.wake)
	}
	return isTaken
}

func (in *intake) pushLocking(r *record) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	total := load{in.waiting.load.events + in.held.events, in.waiting.load.bytes + in.held.bytes}
	if in.isClosed || !total.hasRoomFor(r, in.waiting.bounds) || !in.waiting.push(r) {
		in.dropped++
		return false
	}
	return true
}

// take returns what waits, and how much was dropped since the last call.
func (in *intake) take() (taken []*record, dropped int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken, dropped = in.waiting.records, in.dropped
	in.held.events += in.waiting.load.events
	in.held.bytes += in.waiting.load.bytes
	in.waiting.records, in.waiting.load, in.dropped = nil, load{}, 0
	return taken, dropped
}

// settle says that the router is done with so much of what it took.
func (in *intake) settle(done load) {
	in.mu.Lock()
	in.held = in.held.minus(done)
	in.mu.Unlock()
}

// close lets nothing in any more.
func (in *intake) close() {
	in.mu.Lock()
	in.isClosed = true
	in.mu.Unlock()
}

// ring wakes the goroutine that listens to bell, unless that has been done already.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
