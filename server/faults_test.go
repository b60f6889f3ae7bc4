//go:build unix

package server_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Each fault happens to a cluster of three nodes under traffic. Nobody may be disconnected, nothing may
// be heard twice or out of order, and in the end every client must see exactly who is there.

func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		mayLose bool // what Redis took with it
		mayMiss bool // members may be missed for a while
		fault   func(*testing.T, *rig, *redisServer)
	}{
		{"calm", false, false, func(*testing.T, *rig, *redisServer) { during(time.Second) }},
		{"connections reset", false, false, func(_ *testing.T, r *rig, _ *redisServer) {
			for range 3 {
				r.nodes[0].link.reset()
				during(time.Second)
			}
		}},
		{"cable pulled", false, false, func(_ *testing.T, r *rig, _ *redisServer) {
			r.nodes[0].link.cut()
			during(2 * time.Second)
			r.nodes[0].link.mend()
			during(time.Second)
		}},
		{"cut off until taken for dead", false, true, func(t *testing.T, r *rig, _ *redisServer) {
			r.nodes[0].link.cut()
			began := time.Now()
			r.await("its members have left", func() bool { return len(r.ears[len(r.ears)-1].seen()) == 4 })
			t.Logf("member_removed %.1f s after the cut, with a lease of %v", time.Since(began).Seconds(), r.lease)
			r.nodes[0].link.mend()
			r.await("they are back", r.isComplete)
		}},
		{"redis paused", false, true, func(t *testing.T, r *rig, s *redisServer) {
			s.signal(t, syscall.SIGSTOP)
			during(5 * time.Second)
			s.signal(t, syscall.SIGCONT)
			during(time.Second)
		}},
		{"redis killed and started empty", true, false, func(t *testing.T, r *rig, s *redisServer) {
			s.kill()
			during(3 * time.Second)
			s.start(t)
			during(time.Second)
		}},
		{"flushed", false, false, func(t *testing.T, r *rig, s *redisServer) {
			s.do(t, "FLUSHALL")
			during(2 * r.lease)
		}},
		{"scripts flushed", false, false, func(t *testing.T, r *rig, s *redisServer) {
			s.do(t, "SCRIPT", "FLUSH")
			during(time.Second)
		}},
		{"out of memory", false, true, func(t *testing.T, r *rig, s *redisServer) {
			s.do(t, "CONFIG", "SET", "maxmemory", "1")
			during(3 * time.Second)
			s.do(t, "CONFIG", "SET", "maxmemory", "0")
			during(time.Second)
		}},
		{"pub/sub clients killed", false, false, func(t *testing.T, r *rig, s *redisServer) {
			for range 3 {
				s.do(t, "CLIENT", "KILL", "TYPE", "pubsub")
				during(500 * time.Millisecond)
			}
		}},
		{"garbage", false, false, func(t *testing.T, r *rig, s *redisServer) {
			scatterGarbage(t, s)
			during(time.Second)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			r := newRig(t, 3, false, plainClient(s.addr))
			r.open(2)
			r.run()
			tt.fault(t, r, s)
			r.finish(tt.mayLose)
			for _, e := range r.ears {
				if err := e.failure(); err != nil {
					t.Errorf("%s was disconnected: %v", e.user, err)
				}
				if n := e.allRemovals(); n > 0 && !tt.mayMiss {
					t.Errorf("%s was told %d times that somebody has left", e.user, n)
				}
			}
		})
	}
}

func (r *redisServer) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (r *redisServer) do(t *testing.T, args ...any) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	if err := client.Do(context.Background(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// scatterGarbage writes nonsense wherever nodes read.
func scatterGarbage(t *testing.T, s *redisServer) {
	t.Helper()
	ctx := t.Context()
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	defer client.Close()
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	topics, err := client.PubSubChannels(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		for _, text := range []string{"", "x", "1-1 ", "1-1 R", "99999999999999-1 RE\x05", "1-1 RA00000000000000000001\xff", "{", `{"terminate":7}`} {
			if err := client.Publish(ctx, topic, text).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range keys {
		switch kind := client.Type(ctx, key).Val(); kind {
		case "hash":
			client.HSet(ctx, key, "garbage", "garbage")
		case "stream":
			client.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []string{"garbage", "garbage"}})
		}
	}
}
