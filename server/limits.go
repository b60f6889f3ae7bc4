package server

import (
	"sync"
	"time"
)

// A bucket limits how often something may happen: on average rate times a second, and as often at
// once.
type bucket struct {
	left float64
	last time.Time
}

// take reports whether it may happen now; a rate of 0 is no limit.
func (b *bucket) take(now time.Time, rate int) bool { return b.takeAll(now, rate, 1) }

// takeAll reports whether it may happen n times now, all or nothing. More than a second's worth may, if
// the bucket is full: otherwise it never could.
func (b *bucket) takeAll(now time.Time, rate, n int) bool {
	if rate == 0 {
		return true
	}
	full := float64(rate)
	b.left = min(full, b.left+now.Sub(b.last).Seconds()*full)
	if b.last.IsZero() {
		b.left = full
	}
	b.last = now
	if b.left < min(float64(n), full) {
		return false
	}
	b.left -= float64(n)
	return true
}

// A lockedBucket is a bucket for any goroutine.
type lockedBucket struct {
	mu sync.Mutex // guards bucket
	bucket
}

func (b *lockedBucket) take(now time.Time, rate int) bool { return b.takeAll(now, rate, 1) }

func (b *lockedBucket) takeAll(now time.Time, rate, n int) bool {
	if rate == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bucket.takeAll(now, rate, n)
}

// rates are what a connection has used of its app's limits. A connection that was never limited has
// none.
type rates struct {
	window       rateWindow // Reverb's
	messages     bucket
	clientEvents bucket
}

// peerTable counts the connections of each address, for the apps that limit them.
type peerTable struct {
	mu    sync.Mutex // guards counts
	count map[peer]int
}

// A peer is an address that connects to an app.
type peer struct {
	app  *app
	addr string
}

// enter counts one more connection unless there are limit already; 0 is no limit.
func (t *peerTable) enter(p peer, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if limit > 0 && t.count[p] >= limit {
		return false
	}
	t.count[p]++
	return true
}

func (t *peerTable) leave(p peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count[p]--; t.count[p] == 0 {
		delete(t.count, p)
	}
}
