//go:build unix

package server_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// Redis goes away while a node is drained, and returns before or after that has ended. In any case the members who
// were on it leave, once.
func TestDrainedWithoutRedis(t *testing.T) {
	stall := func(t *testing.T, s *redisServer) { s.signal(t, syscall.SIGSTOP) }
	goOn := func(t *testing.T, s *redisServer) { s.signal(t, syscall.SIGCONT) }
	tests := []struct {
		name         string
		away, back   func(*testing.T, *redisServer)
		isBackBefore bool // the node has ended
	}{
		{"stalls and goes on", stall, goOn, true},
		{"goes on when the node has ended", stall, goOn, false},
		{"is killed and starts empty", func(_ *testing.T, s *redisServer) { s.kill() }, func(t *testing.T, s *redisServer) { s.start(t) }, true},
		{"starts empty when the node has ended", func(_ *testing.T, s *redisServer) { s.kill() }, func(t *testing.T, s *redisServer) { s.start(t) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			r := newRig(t, 2, false, plainClient(s.addr))
			r.open(2)
			drained, others := r.nodes[0], r.ears[2:]
			tt.away(t, s)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			drained.isGone.Store(true)
			if tt.isBackBefore {
				drained.endServer(ctx)
				tt.back(t, s)
				drained.endBroker(ctx)
			} else {
				drained.end(ctx)
				tt.back(t, s)
			}
			r.nodes, r.ears = r.nodes[1:], others
			r.await("the members have left", r.isComplete)
			for _, e := range others {
				for i := range 2 {
					if n := e.removals(fmt.Sprintf("user-0-%d", i)); n != 1 {
						t.Errorf("%s was told %d times that user %d has left", e.user, n, i)
					}
				}
				if faults := e.surprises(); len(faults) > 0 {
					t.Errorf("%s was told of users: %v", e.user, faults)
				}
			}
			r.checkUsers()
		})
	}
}
