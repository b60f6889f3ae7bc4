package webhook

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// A sender sends the events of one app to one destination, on a goroutine of its own, one batch after the
// other.
type sender struct {
	// Static after construction.
	key     senderKey
	opts    *Options
	letters *letters
	closing <-chan struct{} // closed when there is no time left to wait
	brake   *brake
	wake    chan struct{} // has room for one

	mu        sync.Mutex // guards the following
	to        destination
	queue     queue     // records stay until they are delivered or given up
	batch     *batch    // of the first of queue, while it is being sent; its fields are the goroutine's
	since     time.Time // when the first in the queue began to wait
	dropped   int       // not yet logged
	isRetired bool      // nothing will come any more
	hasEnded  bool
}

func newSender(key senderKey, to destination, d *Dispatcher) *sender {
	return &sender{
		key:     key,
		opts:    d.opts,
		letters: d.letters,
		closing: d.closing,
		brake:   d.brake,
		wake:    make(chan struct{}, 1),
		to:      to,
		queue:   queue{bounds: bounds{d.opts.MaxEvents, d.opts.MaxBytes}},
	}
}

// push queues r, or drops it if the queue is full.
func (s *sender) push(r *record) {
	s.mu.Lock()
	isFirst := len(s.queue.records) == 0
	isQueued := s.queue.push(r)
	if isFirst {
		s.since = s.opts.Now()
	}
	if !isQueued {
		s.dropped++
	}
	isFull := len(s.queue.records) == s.opts.MaxBatch
	s.mu.Unlock()

	if !isQueued {
		s.opts.Counters.Dropped.Inc()
		return
	}
	s.opts.Counters.Queued.Inc()
	if isFirst || isFull {
		ring(s.wake)
	}
}

// retire lets the sender end as soon as its queue is empty.
func (s *sender) retire() {
	s.mu.Lock()
	s.isRetired = true
	s.mu.Unlock()
	ring(s.wake)
}

// resume gives the sender the destination as it is configured now. It reports false if the sender has
// ended.
func (s *sender) resume(to destination) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasEnded {
		return false
	}
	s.to, s.isRetired = to, false
	ring(s.wake)
	return true
}

func (s *sender) destination() (to destination, isRetired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to, s.isRetired
}

// A batch is a parcel that is being sent.
type batch struct {
	parcel
	attempts int
	next     time.Time // when the next attempt is due
	failure  error     // of the last one
}

// run sends until the sender is retired, or closing, and has nothing left to send; or until all that it has is
// somebody else's.
func (s *sender) run(ctx context.Context) {
	for s.await() && s.brake.begin() {
		s.turn(ctx)
		s.brake.end()
		s.logDropped()
	}
}

// await waits until there is something to do, and reports false when there will be nothing.
func (s *sender) await() bool {
	for {
		wait, ok := s.next()
		if wait == 0 {
			return ok
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.closing:
		}
		timer.Stop()
	}
}

// idle is how long a sender waits that has nothing to do. It is woken when there is.
const idle = time.Hour

// next returns how long to wait; 0 is not at all, and then ok reports whether there is anything to do.
func (s *sender) next() (wait time.Duration, ok bool) {
	isLast := s.isClosing()
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := len(s.queue.records)
	switch {
	case s.batch != nil && isLast:
		return 0, true
	case s.batch != nil:
		return max(s.batch.next.Sub(s.opts.Now()), 0), true
	case waiting == 0 && (isLast || s.isRetired):
		s.hasEnded = true
		return 0, false
	case waiting == 0:
		return idle, true
	case waiting >= s.opts.MaxBatch || isLast || s.isRetired:
		return 0, true
	}
	return max(s.to.interval()-s.opts.Now().Sub(s.since), 0), true
}

func (s *sender) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// turn makes one attempt to send the batch there is, or a new one. A sender that is about to end makes none after
// one that has failed.
func (s *sender) turn(ctx context.Context) {
	b := s.current()
	if b.attempts > 0 && s.isClosing() {
		s.giveUp(b)
		return
	}
	if b.attempts > 0 {
		s.opts.Counters.Retried.Inc()
	}
	b.attempts++
	if b.failure = s.attempt(ctx, b.parcel); b.failure == nil {
		s.delivered(b)
		return
	}
	s.opts.Counters.Failed.Inc()
	if b.attempts == 1 {
		to, _ := s.destination()
		s.opts.Logger.Warn("webhook failed; trying again", "app", s.key.app, "to", to, "events", b.events, "err", b.failure)
	}
	if !s.schedule(b) {
		s.giveUp(b)
	}
}

// current returns the batch that is being sent, or makes one of what waits.
func (s *sender) current() *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.batch == nil {
		s.batch = &batch{parcel: s.to.pack(s.opts.Now(), s.queue.front(s.opts.MaxBatch))}
	}
	return s.batch
}

// attempt sends p once, to the destination as it is configured now.
func (s *sender) attempt(ctx context.Context, p parcel) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	to, _ := s.destination()
	return to.send(ctx, p)
}

func (s *sender) delivered(b *batch) {
	s.pop(b.events)
	s.opts.Counters.Sent.Add(float64(b.events))
	if b.attempts > 1 {
		to, _ := s.destination()
		s.opts.Logger.Info("webhook delivered after all", "app", s.key.app, "to", to, "attempts", b.attempts)
	}
}

// schedule says when the next attempt is due, or reports that there is to be none.
func (s *sender) schedule(b *batch) bool {
	delay := backoff(b.attempts)
	to, isRetired := s.destination()
	limit := to.patience()
	if isRetired && limit == 0 {
		limit = s.opts.RetryFor // or it would stay for ever
	}
	now := s.opts.Now()
	if s.isClosing() || limit > 0 && now.Add(delay).Sub(b.created) > limit {
		return false
	}
	s.mu.Lock()
	b.next = now.Add(delay)
	s.mu.Unlock()
	return true
}

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// backoff returns how long to wait after so many failed attempts: each time about twice as long. The half
// that is random keeps many servers from coming back at once.
func backoff(attempts int) time.Duration {
	d := maxBackoff
	if attempts < 7 { // 1 s, 2, 4, 8, 16, 32
		d = minBackoff << (attempts - 1)
	}
	return d/2 + rand.N(d/2)
}

// giveUp writes the batch to the file of dead letters. A sender that is about to end does the same with all that it
// has left, since the destination is evidently down.
func (s *sender) giveUp(b *batch) {
	s.bury(b.events, b.attempts, b.failure)
	for {
		s.mu.Lock()
		left := min(len(s.queue.records), s.opts.MaxBatch)
		isLast := s.isRetired
		s.mu.Unlock()
		if left == 0 || !isLast && !s.isClosing() {
			return
		}
		s.bury(left, 0, b.failure)
	}
}

// bury writes the first n records to the file of dead letters.
func (s *sender) bury(n, attempts int, reason error) {
	s.mu.Lock()
	records, to := s.queue.front(n), s.to
	s.mu.Unlock()
	l := letter{
		App: s.key.app, Destination: s.key.leg, To: to.String(), Reason: reason.Error(), Attempts: attempts,
	}
	s.letters.write(l, records)
	s.pop(n)
}

// pop removes the first n records, and with them the batch. Those after them begin to wait for theirs now.
func (s *sender) pop(n int) {
	s.mu.Lock()
	s.queue.pop(n)
	s.batch = nil
	s.since = s.opts.Now()
	s.mu.Unlock()
	s.opts.Counters.Queued.Sub(float64(n))
}

func (s *sender) logDropped() {
	s.mu.Lock()
	dropped, to := s.dropped, s.to
	s.dropped = 0
	s.mu.Unlock()
	if dropped > 0 {
		s.opts.Logger.Error("webhook events dropped: too many were waiting", "app", s.key.app, "to", to, "events", dropped)
	}
}
