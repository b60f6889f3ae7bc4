package crew

import "sync/atomic"

// gate keeps how much is under way within a window, when sending goes on as fast as the deliveries
// confirm. It may be used from any goroutine.
type gate struct {
	window    int64 // deliveries under way; 0 is always open
	sent      atomic.Int64
	delivered atomic.Int64
	waiting   atomic.Bool
	wake      func()
}

// enter reports whether fan more deliveries may be caused, and counts them if so. Otherwise wake will be called
// when it is worth trying again.
func (g *gate) enter(fan int64) bool {
	if g.window == 0 {
		return true
	}
	if g.isFull(fan) {
		g.waiting.Store(true)
		// A delivery may have come in between.
		if g.isFull(fan) {
			return false
		}
		g.waiting.Store(false)
	}
	g.sent.Add(fan)
	return true
}

// isFull reports whether fan more are too many. One that is larger than the window may go alone.
func (g *gate) isFull(fan int64) bool {
	underWay := g.sent.Load() - g.delivered.Load()
	return underWay > 0 && underWay+fan > g.window
}

// deliver notes deliveries.
func (g *gate) deliver(n int64) {
	if g.window == 0 {
		return
	}
	g.delivered.Add(n)
	if g.waiting.Load() && g.waiting.CompareAndSwap(true, false) {
		g.wake()
	}
}
