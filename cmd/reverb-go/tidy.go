package main

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// A tidier gives memory back to the system when the process has become calm. What a burst leaves behind, such as
// ten thousand handshakes or a large batch, is garbage that Go would collect once as much again is allocated: for a
// server whose connections are idle from then on, never. That is a third of the memory of such a connection.
type tidier struct {
	samples []metrics.Sample // as the constants below
	seen    uint64           // bytes allocated in all, when it was looked at last
	tidied  uint64           // and when memory was given back
	again   int              // looks until it is given back once more; 0 if it is not
	stop    chan struct{}
	wg      sync.WaitGroup
}

const (
	sampleAllocated = iota // bytes since the process began
	sampleLive             // bytes that the last collection has found in use
)

const (
	tidyPause = time.Second
	// tidyCalm is how many bytes are allocated in a pause at most, for a collection not to be in anybody's way.
	tidyCalm = 256 << 10
	// tidyWorth is how many bytes have to be allocated before memory is given back again, and tidyShare of how many in use.
	tidyWorth = 1 << 20
	tidyShare = 4
	// tidyAgain is in how many pauses the goroutines that a burst has started have ended. Their stacks are given back then.
	tidyAgain = 3
)

func newTidier() *tidier {
	return &tidier{samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}, stop: make(chan struct{})}
}

func (t *tidier) start() {
	t.wg.Go(func() {
		ticker := time.NewTicker(tidyPause)
		defer ticker.Stop()
		for {
			select {
			case <-t.stop:
				return
			case <-ticker.C:
			}
			metrics.Read(t.samples)
			if t.isDue(t.samples[sampleAllocated].Value.Uint64(), t.samples[sampleLive].Value.Uint64()) {
				debug.FreeOSMemory()
			}
		}
	})
}

func (t *tidier) close() {
	close(t.stop)
	t.wg.Wait()
}

// isDue reports whether there is something to give back, and nobody just about to need it.
func (t *tidier) isDue(allocated, live uint64) bool {
	before := t.seen
	t.seen = allocated
	switch {
	case allocated-before > tidyCalm:
		return false
	case allocated-t.tidied >= max(tidyWorth, live/tidyShare):
		t.tidied, t.again = allocated, tidyAgain
		return true
	case t.again > 0:
		t.again--
		return t.again == 0
	}
	return false
}
