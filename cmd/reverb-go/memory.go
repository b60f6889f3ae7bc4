package main

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// memoryPause is how often the memory is looked at. A handshake storm fills tens of MB in that time.
const memoryPause = 250 * time.Millisecond

// A memoryWatch knows whether memory is so short that new connections are better refused: the kernel would
// end the whole process.
type memoryWatch struct {
	limit float64
	log   *slog.Logger
	over  atomic.Bool
	stop  chan struct{}
	wg    sync.WaitGroup
}

// watchMemory starts to watch. A limit of 0 is never reached, and where the memory cannot be measured none is.
func watchMemory(limit float64, log *slog.Logger) *memoryWatch {
	m := &memoryWatch{limit: limit, log: log, stop: make(chan struct{})}
	if share, ok := memoryShare(); limit > 0 && ok {
		m.judge(share) // before the first client: it may be one of many that a crash has sent here
		m.wg.Go(m.run)
	}
	return m
}

func (m *memoryWatch) run() {
	ticker := time.NewTicker(memoryPause)
	defer ticker.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
		}
		if share, ok := memoryShare(); ok {
			m.judge(share)
		}
	}
}

// slack keeps the judgement from changing with every measurement.
const slack = 0.02

func (m *memoryWatch) judge(share float64) {
	switch was := m.over.Load(); {
	case !was && share >= m.limit:
		m.over.Store(true)
		m.log.Error("new connections are refused, because memory is short", "used", share, "limit", m.limit,
			"hint", "give the container or the machine more memory; REVERB_GO_MEMORY_LIMIT is the share that may be used")
	case was && share < m.limit-slack:
		m.over.Store(false)
		m.log.Info("new connections are accepted again", "used", share)
	}
}

func (m *memoryWatch) isOver() bool { return m.over.Load() }

func (m *memoryWatch) close() {
	close(m.stop)
	m.wg.Wait()
}
