//go:build unix

package server_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/server"
)

var (
	faultSteps = flag.Int("faults-steps", 25, "how many things go wrong in TestRandomFaults")
	faultSpan  = flag.Duration("faults-span", 400*time.Millisecond, "for how long at most each of them does")
)

// TestRandomFaults has one thing after the other go wrong, in an order that a seed decides, while visitors
// come and go. In the end every client must have heard everything once and in order, and see exactly who is there; of
// those who were on a node that crashed, everybody must have been told once.
func TestRandomFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		also []mishap
	}{
		{"nodes and connections", nil},
		{"clocks", clockMishaps},
		{"data", dataMishaps},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &disorder{T: t, random: server.Seeded(t), redis: startRedis(t), times: make(map[string]int)}
			d.rig = newRig(t, 3, false, plainClient(d.redis.addr))
			d.open(2)
			d.run()
			mishaps := slices.Concat(usualMishaps, tt.also)
			for range *faultSteps {
				d.suffer(mishaps[d.random.IntN(len(mishaps))])
			}
			for _, n := range d.nodes {
				n.link.mend()
			}
			d.finish(d.mayLose)
			if !d.mayMiss && !d.mayLose {
				d.checkGone()
			}
			t.Logf("%d nodes in all, %v", len(d.publishers), d.times)
		})
	}
}

// A disorder is a rig in which things go wrong.
type disorder struct {
	*testing.T
	*rig
	random *rand.Rand
	redis  *redisServer
	times  map[string]int // each thing went wrong

	mayLose bool // Redis has lost what was not handed on yet
	mayMiss bool // members may have been missed for a while
}

// A mishap is one thing that goes wrong, to a node, for a while.
type mishap struct {
	name string
	do   func(d *disorder, n *rigNode, span time.Duration)
}

func (d *disorder) suffer(m mishap) {
	d.Helper()
	n := d.nodes[d.random.IntN(len(d.nodes))]
	span := time.Duration(d.random.Int64N(int64(*faultSpan)))
	d.times[m.name]++
	m.do(d, n, span)
	during(span / 4)
}

// Between so many nodes a disorder has.
const (
	fewestNodes = 2
	mostNodes   = 4
)

var usualMishaps = []mishap{
	{"reset", func(_ *disorder, n *rigNode, _ time.Duration) { n.link.reset() }},
	{"delayed", func(_ *disorder, n *rigNode, span time.Duration) {
		n.link.cut()
		during(span)
		n.link.mend()
	}},
	{"cut", func(_ *disorder, n *rigNode, span time.Duration) {
		n.link.cut()
		n.link.reset() // what was on its way is lost
		during(span)
		n.link.mend()
	}},
	{"pub/sub killed", func(d *disorder, _ *rigNode, _ time.Duration) { d.redis.do(d.T, "CLIENT", "KILL", "TYPE", "pubsub") }},
	{"scripts flushed", func(d *disorder, _ *rigNode, _ time.Duration) { d.redis.do(d.T, "SCRIPT", "FLUSH") }},
	{"visited", func(d *disorder, n *rigNode, span time.Duration) {
		v := d.newEar(n, fmt.Sprintf("visitor-%d", d.random.Uint32()))
		during(span)
		v.conn.Close()
	}},
	{"crashed", func(d *disorder, n *rigNode, _ time.Duration) {
		if len(d.nodes) > fewestNodes {
			d.crash(n)
		}
	}},
	{"joined", func(d *disorder, _ *rigNode, _ time.Duration) {
		if len(d.nodes) < mostNodes {
			d.grow(1)
		}
	}},
}

const leap = 5 * time.Minute

// clockMishaps set the clocks of nodes, and that of Redis: as far as leases and streams can tell, which is by the
// times in them.
var clockMishaps = []mishap{
	{"node's clock set", func(d *disorder, n *rigNode, _ time.Duration) {
		n.off.Store(d.random.Int64N(int64(2*leap)) - int64(leap))
	}},
	{"redis' clock set forward", func(d *disorder, _ *rigNode, _ time.Duration) {
		d.mayMiss = true
		d.moveLeases(-leap)
	}},
	{"redis' clock set back", func(d *disorder, _ *rigNode, _ time.Duration) {
		d.moveLeases(leap)
		d.advanceStreams(leap)
	}},
}

// dataMishaps are those by which Redis loses what it has.
var dataMishaps = []mishap{
	{"flushed", func(d *disorder, _ *rigNode, _ time.Duration) {
		d.mayLose = true
		d.redis.do(d.T, "FLUSHALL")
	}},
	{"redis killed and started empty", func(d *disorder, _ *rigNode, span time.Duration) {
		d.mayLose = true
		d.redis.kill()
		during(span)
		d.redis.start(d.T)
	}},
}

// withRedis does something with a client of its own, which nothing goes wrong for.
func (d *disorder) withRedis(do func(ctx context.Context, c *redis.Client) error) {
	d.Helper()
	client := redis.NewClient(&redis.Options{Addr: d.redis.addr})
	defer client.Close()
	if err := do(context.Background(), client); err != nil {
		d.Fatal(err)
	}
}

func (d *disorder) moveLeases(by time.Duration) {
	d.Helper()
	d.withRedis(func(ctx context.Context, c *redis.Client) error {
		key := d.prefix + "{nodes}:leases"
		for _, id := range c.ZRange(ctx, key, 0, -1).Val() {
			if err := c.ZIncrBy(ctx, key, float64(by.Milliseconds()), id).Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// advanceStreams has what follows in each stream get times from then.
func (d *disorder) advanceStreams(by time.Duration) {
	d.Helper()
	d.withRedis(func(ctx context.Context, c *redis.Client) error {
		for _, key := range c.Keys(ctx, d.prefix+"*}:x").Val() {
			last := c.XRevRangeN(ctx, key, "+", "-", 1).Val()
			id := fmt.Sprintf("%d-0", time.Now().Add(by).UnixMilli())
			if len(last) > 0 && last[0].ID > id { // it has been there
				continue
			}
			if err := c.XAdd(ctx, &redis.XAddArgs{Stream: key, ID: id, Values: []string{"c", "nobody's", "e", "garbage"}}).Err(); err != nil {
				return err
			}
		}
		return nil
	})
}
