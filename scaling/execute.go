package scaling

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// A batch of operations goes to Redis in one pipeline. It ends at maxWeight, lest it keeps Redis from
// everything else.
const (
	maxBatch  = 512
	maxWeight = 20_000 // arguments
)

// batchTimeout is how long a batch may take before Redis is taken for away.
const batchTimeout = 2 * time.Second

// A node waits longer and longer before it tries Redis again.
const (
	retryPause    = 250 * time.Millisecond
	maxRetryPause = 4 * time.Second
)

// execute runs what is queued, as long as Redis is there.
func (r *Redis) execute(ctx context.Context) {
	wait := retryPause
	for ctx.Err() == nil {
		if !r.isUp.Load() {
			if err := r.connect(ctx); err != nil {
				r.setTrouble(err)
				r.options.Counters.Dropped.Add(float64(r.queue.expire(r.now())))
				pause(ctx, wait)
				wait = min(2*wait, maxRetryPause)
				continue
			}
		}
		batch := r.queue.take(maxBatch, maxWeight)
		if len(batch) == 0 {
			r.waitForOps(ctx)
			continue
		}
		if err := r.run(ctx, batch); err == nil {
			wait = retryPause
		} else if ctx.Err() == nil {
			r.lose(batch, err)
			pause(ctx, wait)
			wait = min(2*wait, maxRetryPause)
		} else {
			r.options.Counters.Dropped.Add(float64(r.queue.fail(batch)))
		}
	}
}

func (r *Redis) waitForOps(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.queue.filled:
	}
}

// connect brings the scripts to Redis. Then everything this node holds is said again, and what Redis
// still has of it besides is taken back.
func (r *Redis) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	if err := r.loadScripts(ctx); err != nil {
		return err
	}
	r.log.Info("redis connected", "node", r.self())
	r.setTrouble(nil)
	r.isUp.Store(true)
	r.node.Resync()
	r.takeBack()
	return nil
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

// takeBack asks for the channels that Redis believes this node to have something of. Those that ended while it
// was away are not among what was said again.
func (r *Redis) takeBack() {
	for bucket := range buckets {
		r.queue.add(op{script: scriptHeld, bucket: bucket, done: func(result any) {
			for _, name := range parseStrings(result) {
				if appID, channel, ok := splitName(name); ok {
					r.node.Held(appID, channel)
				}
			}
		}})
	}
}

// lose is what happens when Redis is away.
func (r *Redis) lose(batch []op, err error) {
	r.setTrouble(err)
	if r.isUp.Swap(false) {
		r.options.Counters.Outages.Inc()
		r.log.Warn("redis is away; this node goes on alone", "err", err)
	}
	r.options.Counters.Dropped.Add(float64(r.queue.fail(batch)))
	r.queue.stopWaiting()
	r.tellOwn()
}

// run executes a batch in one pipeline and hands out the results. An error means that none, or not all,
// may have been executed.
func (r *Redis) run(ctx context.Context, batch []op) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	pipe := r.client.Pipeline()
	cmds := make([]*redis.Cmd, len(batch))
	for i, o := range batch {
		args := append([]any{r.self(), r.publishCommand(), r.options.StreamLen}, o.args...)
		cmds[i] = o.script.EvalSha(ctx, pipe, []string{r.base(o.bucket)}, args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for _, cmd := range cmds {
		if err := cmd.Err(); isOutage(err) {
			return err
		}
	}
	for i, cmd := range cmds {
		switch done := batch[i].done; {
		case cmd.Err() != nil:
			r.malformed("keys of a channel", cmd.Err())
		case done != nil:
			done(cmd.Val())
		}
	}
	r.options.Counters.Commands.Add(float64(len(batch)))
	return nil
}

// outages are the errors of a Redis that cannot serve at the moment. Any other is about one operation: what
// it found in its keys was not written by a node.
var outages = []string{
	"NOSCRIPT", "OOM", "READONLY", "MISCONF", "LOADING", "BUSY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN",
	"MOVED", "ASK", "NOAUTH", "NOPERM", "WRONGPASS", "UNKILLABLE",
}

func isOutage(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	var reply redis.Error
	if !errors.As(err, &reply) {
		return true
	}
	text := strings.TrimPrefix(reply.Error(), "ERR ")
	for _, prefix := range outages {
		if strings.HasPrefix(text, prefix) || strings.Contains(text, "-"+prefix) { // the latter from within a script
			return true
		}
	}
	return false
}

func (r *Redis) publishCommand() string {
	if r.options.Sharded {
		return "SPUBLISH"
	}
	return "PUBLISH"
}

// Keep has a cache channel keep an event that has reached the nodes on another way. Each of them may say so.
func (r *Redis) Keep(b protocol.Broadcast) {
	p := placeOf(b.AppID, b.Channel)
	r.enqueue(scriptKeep, p, nil, p.name, appendEvent(nil, "", 0, flagCache, protocol.Broadcast{Payload: b.Payload}), b.CacheTTL.Milliseconds())
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
	if r.isDeparting.Load() {
		return
	}
	p := placeOf(appID, channel)
	r.enqueue(scriptLeave, p, func(result any) {
		if result == int64(1) {
			r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: protocol.Left, UserID: userID})
		}
	}, p.name, userID)
}

// Count says how many subscriptions this node has to a channel.
func (r *Redis) Count(appID, channel string, n int) {
	if r.isDeparting.Load() {
		return
	}
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

// enqueue queues what Resync would say again. While Redis is away it is forgotten: the node may go on like that for days.
// Whoever calls this has the channel locked, so Resync, which comes after isUp, sees what it was about.
func (r *Redis) enqueue(script *redis.Script, p place, done func(any), args ...any) {
	if !r.isUp.Load() {
		return
	}
	r.queue.add(op{script: script, bucket: p.bucket, args: args, done: done})
}

// Sync says all that this node holds of a channel. Node.Linked follows with what all nodes hold. After Depart it says who is
// here, and not who is no more.
func (r *Redis) Sync(appID, channel string, h protocol.Holding, limit int) {
	p := placeOf(appID, channel)
	args := []any{p.name, limit, h.Subscriptions, h.Seq, r.isDeparting.Load()}
	for _, m := range h.Members {
		args = append(args, m.ID, appendMember(nil, m))
	}
	r.enqueue(scriptSync, p, func(result any) { r.synced(p, h.Asker, result) }, args...)
}

func (r *Redis) synced(p place, asker uint64, result any) {
	appID, channel, _ := splitName(p.name)
	snapshot, transition, joined, refused, err := r.parseSync(result)
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
	snapshot.Asker = asker
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
