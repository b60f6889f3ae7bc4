package bridge

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// watch counts who else is subscribed to Reverb's channel, and turns the bridge on and off by it.
func (b *Broker) watch(ctx context.Context) {
	ticker := time.NewTicker(b.options.Interval)
	defer ticker.Stop()
	var lastSeen time.Time // long ago, so that the first count decides
	for hasSpoken := false; ctx.Err() == nil; hasSpoken = b.wait(ctx, ticker.C) {
		others, err := b.count(ctx)
		if err != nil {
			continue // what was known may still be so
		}
		b.others.Store(int64(others))
		b.counters.Nodes.Set(float64(others))
		if others > 0 || hasSpoken {
			lastSeen = time.Now()
		}
		if b.options.Mode == Auto {
			b.decide(others, time.Since(lastSeen) < b.options.Linger)
		}
	}
}

// wait waits until it is time to count again, and reports whether that is because somebody unexpected has spoken.
func (b *Broker) wait(ctx context.Context, tick <-chan time.Time) (hasSpoken bool) {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			return false
		case <-b.heard:
			if !b.isOn() || b.others.Load() == 0 {
				return true
			}
		}
	}
}

// decide turns the bridge on as soon as there is anybody, and off when there has been nobody for long.
func (b *Broker) decide(others int, isRecent bool) {
	isKnown := b.isOn() && b.Why() != unknown
	switch {
	case others > 0 && !isKnown:
		b.turnOn(fmt.Sprintf("others than reverb-go are subscribed to the channel: %d", others))
	case others > 0:
	case isRecent && !isKnown:
		b.turnOn("somebody else has spoken on the channel")
	case !isRecent && b.isOn():
		b.turnOff("only reverb-go is subscribed to the channel")
	}
}

// count returns how many subscribers of Reverb's channel are not nodes of ours. Each of those has subscribed to both
// channels in one step. On a Cluster every node knows its own subscribers only.
func (b *Broker) count(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	var others atomic.Int64
	ask := func(ctx context.Context, c redis.Cmdable) error {
		n, err := c.PubSubNumSub(ctx, b.options.Channel, b.ownTopic()).Result()
		others.Add(n[b.options.Channel] - n[b.ownTopic()])
		return err
	}
	var err error
	if cluster, ok := b.client.(*redis.ClusterClient); ok {
		err = cluster.ForEachShard(ctx, func(ctx context.Context, c *redis.Client) error { return ask(ctx, c) })
	} else {
		err = ask(ctx, b.client)
	}
	if err != nil {
		return 0, fmt.Errorf("count subscribers: %w", err)
	}
	return int(others.Load()), nil
}
