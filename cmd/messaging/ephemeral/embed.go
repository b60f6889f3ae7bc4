package ephemeral

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Embedded is a Redis in this process. It forgets everything when it ends.
type Embedded struct {
	server *miniredis.Miniredis
	stop   chan struct{}
	done   sync.WaitGroup
}

// Embed starts one on a free port of the loopback interface.
func Embed() (*Embedded, error) {
	e := &Embedded{server: miniredis.NewMiniRedis(), stop: make(chan struct{})}
	if err := e.server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	e.done.Go(e.passTime)
	return e, nil
}

// URL is where it listens.
func (e *Embedded) URL() string { return "redis://" + e.server.Addr() + "/0" }

// passTime lets keys expire, which miniredis leaves to tests.
func (e *Embedded) passTime() {
	const step = 250 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-e.stop:
			return
		case now := <-tick.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close ends it.
func (e *Embedded) Close() {
	close(e.stop)
	e.done.Wait()
	e.server.Close()
}
