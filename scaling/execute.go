package scaling

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// maxBatch is how many scripts go to Redis in one pipeline.
const maxBatch = 512

// retryPause is how long a node waits before it tries Redis again.
const retryPause = 250 * time.Millisecond

// execute runs what is queued, as long as Redis is there.
func (r *Redis) execute(ctx context.Context) {
	for ctx.Err() == nil {
		if !r.isUp.Load() && !r.connect(ctx) {
			continue
		}
		batch := r.queue.take(maxBatch)
		if len(batch) == 0 {
			r.waitForOps(ctx)
			continue
		}
		if err := r.run(ctx, batch); err != nil && ctx.Err() == nil {
			r.lose(batch, err)
		}
	}
}

func (r *Redis) waitForOps(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.queue.filled:
	}
}

// connect brings the scripts to Redis and reports whether it is there. Then everything this node holds
// is said again.
func (r *Redis) connect(ctx context.Context) bool {
	if err := r.loadScripts(ctx); err != nil {
		r.options.Counters.Dropped.Add(float64(r.queue.expire(time.Now())))
		pause(ctx, retryPause)
		return false
	}
	r.log.Info("redis connected", "node", r.self())
	r.isUp.Store(true)
	r.node.Resync()
	return true
}

func (r *Redis) loadScripts(ctx context.Context) error {
	load := func(ctx context.Context, c *redis.Client) error {
		for _, s := range scripts {
			if err := s.Load(ctx, c).Err(); err != nil {
				return err
			}
		}
		return nil
	}
	switch c := r.client.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, load)
	case *redis.Client:
		return load(ctx, c)
	}
	return errors.New("this kind of Redis client is not known")
}

// lose is what happens when Redis is away.
func (r *Redis) lose(batch []op, err error) {
	r.isUp.Store(false)
	r.options.Counters.Outages.Inc()
	r.log.Warn("redis is away; this node goes on alone", "err", err)
	r.options.Counters.Dropped.Add(float64(r.queue.fail(batch)))
}

// run executes a batch in one pipeline and hands out the results. An error means that none, or not all,
// may have been executed.
func (r *Redis) run(ctx context.Context, batch []op) error {
	pipe := r.client.Pipeline()
	cmds := make([]*redis.Cmd, len(batch))
	for i, o := range batch {
		args := append([]any{r.self(), r.publishCommand(), r.options.StreamLen}, o.args...)
		cmds[i] = o.script.EvalSha(ctx, pipe, []string{r.base(o.bucket)}, args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for i, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if done := batch[i].done; done != nil {
			done(cmd.Val())
		}
	}
	r.options.Counters.Commands.Add(float64(len(batch)))
	return nil
}

func (r *Redis) publishCommand() string {
	if r.options.Sharded {
		return "SPUBLISH"
	}
	return "PUBLISH"
}

// Publish queues a message for all nodes, this one too, which hears it back from Redis. While Redis is
// away it is delivered here at once. It never blocks and keeps nothing of b.
func (r *Redis) Publish(b protocol.Broadcast) {
	p := placeOf(b.AppID, b.Channel)
	var flags byte
	if r.Health() != nil {
		r.node.Deliver(b)
		flags |= flagLocal
	}
	keep := int64(0)
	if b.Cache {
		flags |= flagCache
		keep = b.CacheTTL.Milliseconds()
	}
	envelope := appendEvent(make([]byte, 0, len(b.Payload)+32), r.self(), flags, b)
	r.publish(p, envelope, keep)
}

// publish numbers and queues an envelope; both under one lock, so that they stay in order.
func (r *Redis) publish(p place, envelope []byte, keep int64) {
	r.numbering.Lock()
	defer r.numbering.Unlock()
	r.numbers[p.bucket]++
	dropped := r.queue.add(op{
		script: scriptPublish, bucket: p.bucket, publish: true, size: len(envelope) + len(p.name), queued: time.Now(),
		args: []any{r.numbers[p.bucket], p.name, envelope, keep},
	})
	r.options.Counters.Dropped.Add(float64(dropped))
}

// Announce sends a message that is no event to a channel's subscribers.
func (r *Redis) Announce(appID, channel string, payload []byte) {
	r.Publish(protocol.Broadcast{AppID: appID, Channel: channel, Payload: payload})
}

// Join says that this node has the first connection of a user in a channel, or that the user shows
// other data. Node.Change follows, or Node.Refused if the user is one too many for limit.
func (r *Redis) Join(appID, channel string, m protocol.Member, limit int) {
	p := placeOf(appID, channel)
	r.enqueue(scriptJoin, p, func(result any) {
		switch result {
		case int64(1):
			r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Joined, UserID: m.ID})
		case int64(-1):
			r.node.Refused(appID, channel, m.ID)
		}
	}, p.name, limit, m.ID, appendMember(nil, m))
}

// Leave says that this node has no connection of the user there any more.
func (r *Redis) Leave(appID, channel, userID string) {
	p := placeOf(appID, channel)
	r.enqueue(scriptLeave, p, func(result any) {
		if result == int64(1) {
			r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Left, UserID: userID})
		}
	}, p.name, userID)
}

// Count says how many subscriptions this node has to a channel.
func (r *Redis) Count(appID, channel string, n int) {
	p := placeOf(appID, channel)
	r.enqueue(scriptCount, p, func(result any) {
		values, ok := result.([]any)
		if !ok || len(values) != 2 {
			return
		}
		r.observeOccupation(p, values[0])
		if total, ok := values[1].(int64); ok {
			r.node.Counted(appID, channel, int(total))
		}
	}, p.name, n)
}

func (r *Redis) observeOccupation(p place, transition any) {
	appID, channel, _ := splitName(p.name)
	switch transition {
	case int64(1):
		r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Occupied, UserID: ""})
	case int64(-1):
		r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Vacated, UserID: ""})
	}
}

func (r *Redis) enqueue(script *redis.Script, p place, done func(any), args ...any) {
	r.queue.add(op{script: script, bucket: p.bucket, args: args, done: done})
}

// Sync says all that this node holds of a channel. Node.Linked follows with what all nodes hold.
func (r *Redis) Sync(appID, channel string, h protocol.Holding, limit int) {
	p := placeOf(appID, channel)
	args := []any{p.name, limit, h.Subscriptions}
	for _, m := range h.Members {
		args = append(args, m.ID, appendMember(nil, m))
	}
	r.enqueue(scriptSync, p, func(result any) { r.synced(p, result) }, args...)
}

func (r *Redis) synced(p place, result any) {
	appID, channel, _ := splitName(p.name)
	snapshot, transition, joined, refused, err := parseSync(result)
	if err != nil {
		r.malformed(p.name, err)
		return
	}
	r.observeOccupation(p, transition)
	for _, user := range joined {
		r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Joined, UserID: user})
	}
	for _, user := range refused {
		r.node.Refused(appID, channel, user)
	}
	r.node.Linked(appID, channel, snapshot)
}

// malformed counts what nobody of ours has written.
func (r *Redis) malformed(where string, err error) {
	r.options.Counters.Malformed.Inc()
	r.log.Debug("ignored something on redis", "where", where, "err", err)
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
