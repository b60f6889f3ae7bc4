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
	samples   []metrics.Sample // as the constants below
	allocated uint64           // in all, when it was looked at last
	stop      chan struct{}
	wg        sync.WaitGroup
}

const (
	sampleAllocated = iota // bytes since the process began
	sampleObjects          // bytes of objects, garbage among them
	sampleLive             // bytes that the last collection has found in use
	sampleFree             // bytes that hold nothing, and could go back
)

const (
	tidyPause = time.Second
	// tidyCalm is how many bytes are allocated in a pause at most, for a collection not to be in anybody's way.
	tidyCalm = 256 << 10
	// tidyWorth is how many bytes there have to be to give back, and tidyShare of how many in use.
	tidyWorth = 2 << 20
	tidyShare = 4
)

func newTidier() *tidier {
	return &tidier{samples: []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}, stop: make(chan struct{})}
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
			if t.isWorth() {
				debug.FreeOSMemory()
			}
		}
	})
}

func (t *tidier) close() {
	close(t.stop)
	t.wg.Wait()
}

// isWorth reports whether there is something to give back, and nobody just about to need it.
func (t *tidier) isWorth() bool {
	metrics.Read(t.samples)
	value := func(i int) uint64 { return t.samples[i].Value.Uint64() }
	before := t.allocated
	t.allocated = value(sampleAllocated)
	return isTidyWorth(t.allocated-before, value(sampleObjects), value(sampleLive), value(sampleFree))
}

func isTidyWorth(allocated, objects, live, free uint64) bool {
	garbage := objects - min(live, objects)
	return allocated <= tidyCalm && garbage+free >= max(tidyWorth, live/tidyShare)
}
