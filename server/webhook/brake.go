package webhook

import "sync"

// A brake brings the router and the senders to rest, each between two turns of its work.
type brake struct {
	mu      sync.Mutex // guards the following
	changed sync.Cond
	turning int  // how many have begun a turn and not ended it
	isOn    bool // no turn begins
	isGone  bool // none ever will
}

func newBrake() *brake {
	b := new(brake)
	b.changed.L = &b.mu
	return b
}

// begin waits until a turn may begin, and reports false if none may any more.
func (b *brake) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.isOn {
		b.changed.Wait()
	}
	if b.isGone {
		return false
	}
	b.turning++
	return true
}

// end is for each begin that has reported true.
func (b *brake) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turning--
	b.changed.Broadcast()
}

// stop lets no turn begin, and waits for those that have.
func (b *brake) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isOn = true
	for b.turning > 0 {
		b.changed.Wait()
	}
}

// release ends a stop. With isGone, nobody begins a turn again.
func (b *brake) release(isGone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isOn, b.isGone = false, isGone
	b.changed.Broadcast()
}

// isStopped reports whether stop was called last.
func (b *brake) isStopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.isOn
}
