package bridge

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// maxBatch is how many messages go to Redis in one pipeline.
const maxBatch = 256

// retryPause is how long a node waits before it tries Redis again.
const retryPause = 250 * time.Millisecond

// An outbox holds the events that wait to be sent, in their order. Beyond its bounds the oldest are dropped.
type outbox struct {
	maxBytes int
	maxAge   time.Duration
	filled   chan struct{} // something was added, or it was closed

	mu     sync.Mutex // guards what follows
	events []waiting
	bytes  int
	closed bool
}

type waiting struct {
	protocol.Broadcast
	since time.Time
}

// add keeps a copy of an event and returns how many were dropped.
func (o *outbox) add(m protocol.Broadcast, now time.Time) (dropped int) {
	m.Payload = bytes.Clone(m.Payload)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, waiting{m, now})
	o.bytes += len(m.Payload)
	dropped = o.dropLocked(func(waiting) bool { return o.bytes > o.maxBytes })
	o.signal()
	return dropped
}

func (o *outbox) signal() {
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

// dropLocked drops events from the front while isBad says so.
func (o *outbox) dropLocked(isBad func(waiting) bool) (dropped int) {
	for dropped < len(o.events) && isBad(o.events[dropped]) {
		o.bytes -= len(o.events[dropped].Payload)
		dropped++
	}
	if dropped > 0 {
		o.removeLocked(dropped)
	}
	return dropped
}

func (o *outbox) removeLocked(n int) {
	rest := copy(o.events, o.events[n:])
	clear(o.events[rest:])
	o.events = o.events[:rest]
}

// expire drops what has waited too long.
func (o *outbox) expire(now time.Time) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropLocked(func(w waiting) bool { return now.Sub(w.since) > o.maxAge })
}

// take removes the next events. isOver says that there is none and never will be.
func (o *outbox) take() (batch []waiting, isOver bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(maxBatch, len(o.events))
	batch = append(batch, o.events[:n]...)
	for _, w := range batch {
		o.bytes -= len(w.Payload)
	}
	if n > 0 {
		o.removeLocked(n)
	}
	return batch, n == 0 && o.closed
}

// close has the sender end when all is sent.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.signal()
}

// open undoes close.
func (o *outbox) open() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = false
}

// sendAll sends what is in the outbox, until it is closed and empty or ctx ends.
func (b *Broker) sendAll(ctx context.Context) {
	isUp := true
	for ctx.Err() == nil {
		if !isUp {
			isUp = b.reach(ctx)
			continue
		}
		batch, isOver := b.outbox.take()
		switch {
		case isOver:
			return
		case len(batch) > 0:
			isUp = b.sendBatch(ctx, batch)
			continue
		}
		select {
		case <-ctx.Done():
		case <-b.outbox.filled:
		}
	}
}

// reach reports whether Redis is there. If not, it waits a moment.
func (b *Broker) reach(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if b.client.Ping(limited).Err() == nil {
		return true
	}
	b.counters.Dropped.Add(float64(b.outbox.expire(time.Now())))
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

// sendBatch sends events and reports whether Redis took them. What it did not confirm is not sent again: it may have
// been delivered, and nothing may be twice.
func (b *Broker) sendBatch(ctx context.Context, batch []waiting) bool {
	pipe := b.client.Pipeline()
	var cmds []*redis.IntCmd
	for _, w := range batch {
		message, err := b.encode(w.Broadcast)
		if err != nil {
			b.counters.Dropped.Inc()
			b.log.Warn("event not passed to nodes of Laravel Reverb", "app", w.AppID, "channel", w.Channel, "err", err)
			continue
		}
		cmds = append(cmds, pipe.Publish(ctx, b.options.Channel, message))
	}
	if len(cmds) == 0 {
		return true
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var failure error
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil {
			failure = err
			b.counters.Dropped.Inc()
		} else {
			b.counters.Sent.Inc()
		}
	}
	if failure != nil {
		b.log.Warn("redis is away; events for nodes of Laravel Reverb wait", "err", failure)
	}
	return failure == nil
}

func (b *Broker) encode(m protocol.Broadcast) ([]byte, error) {
	settings, err := b.app(m.AppID)
	if err != nil {
		return nil, err
	}
	return appendEvent(nil, settings, m, b.Prefix())
}
