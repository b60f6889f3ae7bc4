package server

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A fullCluster says who asks whether it is full.
type fullCluster struct {
	Cluster
	isFull atomic.Bool
	asked  chan struct{}
}

func (c *fullCluster) IsFull() bool {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.isFull.Load()
}

const streamPatience = 20 * time.Second

// TestStreamWaitsForRoom: what a client says over a stream does not get to its loop while Redis is behind, unless the
// connection is closed meanwhile.
func TestStreamWaitsForRoom(t *testing.T) {
	s := newStill(t, Config{Portable: true}, nil)
	cluster := &fullCluster{asked: make(chan struct{})}
	s.cluster = cluster
	near, far := net.Pipe()
	defer far.Close()
	_ = far.SetDeadline(time.Now().Add(streamPatience))
	c := s.connect(t, -1)
	c.stream = newStream(near, &s.streamsWG)
	s.loop.load.Add(1)
	if err := s.loop.watch(c); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(){
		func() { cluster.isFull.Store(false) },
		func() { c.stream.close() },
	} {
		cluster.isFull.Store(true)
		if _, err := far.Write(said(`{"event":"pusher:ping"}`)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-cluster.asked:
		case <-time.After(streamPatience):
			t.Fatal("nobody asks whether there is room")
		}
		if n := s.loop.inbox.length.Load(); n != 0 {
			t.Fatalf("the loop has got %d notes before there is room", n)
		}
		open()
		s.awaitNote(t)
		s.loop.takeNotes()
		if s.loop.stats.messagesIn != 1 {
			t.Errorf("%d messages were handled, want 1", s.loop.stats.messagesIn)
		}
		s.loop.stats.messagesIn = 0
	}
	s.awaitNote(t) // that nothing more comes
	s.loop.takeNotes()
	s.streamsWG.Wait()
}

// awaitNote waits until the loop has something to do.
func (s *still) awaitNote(t *testing.T) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(streamPatience); s.loop.inbox.length.Load() == 0; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("nothing comes")
		}
	}
}
