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
	wake    chan struct{}   // has room for one

	mu        sync.Mutex // guards the following
	to        destination
	queue     queue     // records stay until they are delivered or given up
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

// run sends until the sender is retired, or closing, and has nothing left to send.
func (s *sender) run(ctx context.Context) {
	for {
		records := s.await()
		if records == nil {
			return
		}
		s.deliver(ctx, records)
		s.logDropped()
	}
}

// await returns the records of the next batch when it is time to send them, or nil when there will be none.
func (s *sender) await() []*record {
	for {
		records, wait := s.next()
		if records != nil || wait == 0 {
			return records
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

// next returns the records to be sent now, or else how long to wait for them; 0 is the end.
func (s *sender) next() (records []*record, wait time.Duration) {
	isLast := s.isClosing()
	s.mu.Lock()
	defer s.mu.Unlock()
	records = s.queue.front(s.opts.MaxBatch)
	isLast = isLast || s.isRetired
	switch {
	case len(records) == 0 && isLast:
		s.hasEnded = true
		return nil, 0
	case len(records) == 0:
		return nil, idle
	case len(records) == s.opts.MaxBatch || isLast:
		return records, 0
	}
	if wait = s.to.interval() - s.opts.Now().Sub(s.since); wait > 0 {
		return nil, wait
	}
	return records, 0
}

func (s *sender) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// deliver packs the first of the records, or more, and sends them until they are delivered or given up.
func (s *sender) deliver(ctx context.Context, records []*record) {
	to, _ := s.destination()
	p := to.pack(s.opts.Now(), records)
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, p)
		if err == nil {
			s.delivered(p, attempt)
			return
		}
		s.opts.Counters.Failed.Inc()
		if attempt == 1 {
			s.opts.Logger.Warn("webhook failed; trying again", "app", s.key.app, "to", to, "events", p.events, "err", err)
		}
		if !s.waitToRetry(p, attempt) {
			s.giveUp(p, attempt, err)
			return
		}
		s.opts.Counters.Retried.Inc()
	}
}

// attempt sends p once, to the destination as it is configured now.
func (s *sender) attempt(ctx context.Context, p parcel) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	to, _ := s.destination()
	return to.send(ctx, p)
}

func (s *sender) delivered(p parcel, attempt int) {
	s.pop(p.events)
	s.opts.Counters.Sent.Add(float64(p.events))
	if attempt > 1 {
		to, _ := s.destination()
		s.opts.Logger.Info("webhook delivered after all", "app", s.key.app, "to", to, "attempts", attempt)
	}
}

// waitToRetry waits before the next attempt, or reports that there is to be none.
func (s *sender) waitToRetry(p parcel, attempt int) bool {
	delay := backoff(attempt)
	to, isRetired := s.destination()
	limit := to.patience()
	if isRetired && limit == 0 {
		limit = s.opts.RetryFor // or it would stay for ever
	}
	if s.isClosing() || limit > 0 && s.opts.Now().Add(delay).Sub(p.created) > limit {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
		return false
	}
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

// giveUp writes p to the file of dead letters. A sender that is about to end does the same with all that it
// has left, since the destination is evidently down.
func (s *sender) giveUp(p parcel, attempts int, reason error) {
	s.bury(p.events, attempts, reason)
	for {
		s.mu.Lock()
		left := min(len(s.queue.records), s.opts.MaxBatch)
		isLast := s.isRetired
		s.mu.Unlock()
		if left == 0 || !isLast && !s.isClosing() {
			return
		}
		s.bury(left, 0, reason)
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

// pop removes the first n records. Those after them begin to wait for their batch now.
func (s *sender) pop(n int) {
	s.mu.Lock()
	s.queue.pop(n)
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
