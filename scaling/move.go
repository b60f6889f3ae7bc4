package scaling

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// A moved node is what another process has to know to be the same node: it takes the lease with its identity, goes
// on with the numbers of its publishes, and reads from the streams what was said while nobody listened.
type movedNode struct {
	Identity string       `json:"identity"`
	Instance string       `json:"instance"`
	Buckets  []movedOwn   `json:"buckets"`
	Begun    []bool       `json:"begun"`   // of each bucket, whether Seen is known
	Seen     []uint64     `json:"seen"`    // of each bucket, the ID of the last message handed on
	Missing  time.Time    `json:"missing"` // since when nobody listens
	Origins  []movedFrom  `json:"origins"` // what was seen of other nodes
	Waiting  []movedEvent `json:"waiting"` // publishes that Redis has not taken
}

type movedOwn struct {
	Number  uint64       `json:"number"`
	Told    uint64       `json:"told"`
	Unheard []movedEvent `json:"unheard,omitempty"` // one for each number after told
}

type movedFrom struct {
	Origin string `json:"origin"`
	Bucket int    `json:"bucket"`
	Number uint64 `json:"number"`
}

// A movedEvent is a publish: as a broadcast while it is unheard, as an envelope while it waits.
type movedEvent struct {
	Number   uint64            `json:"number,omitempty"`
	AppID    string            `json:"app,omitempty"`
	Channel  string            `json:"channel"` // of an envelope, app and channel as the scripts have them
	Payload  []byte            `json:"payload"`
	Except   protocol.SocketID `json:"except,omitempty"`
	Cache    bool              `json:"cache,omitempty"`
	CacheTTL time.Duration     `json:"cache_ttl,omitempty"`
	Bucket   int               `json:"bucket,omitempty"`
	Keep     int64             `json:"keep,omitempty"`
	Age      time.Duration     `json:"age,omitempty"`
}

// Pause tells Redis all that waits, as far as ctx allows, ends all work and returns the state for Import. What
// cannot be told goes with it. Until Resume nothing is heard; messages are kept in the streams for that time.
func (r *Redis) Pause(ctx context.Context) ([]byte, error) {
	ends := r.drained(ctx)
	r.rest()
	for bucket, end := range ends {
		rc := r.receiver[bucket%len(r.receiver)]
		rc.lastSeen[bucket] = max(rc.lastSeen[bucket], end)
	}
	for _, rc := range r.receiver {
		if rc.begun {
			rc.missing = r.now()
		}
	}
	state, err := json.Marshal(r.export())
	if err != nil {
		r.Resume()
		return nil, fmt.Errorf("encode the state of the node: %w", err)
	}
	return state, nil
}

// drainTime is how long Redis may take to tell what is still on its way. Clients wait meanwhile.
const drainTime = time.Second

// drainedPing is what a Ping carries whose answer comes after all that was published before.
const drainedPing = "drained"

// drained has Redis take what waits, and then waits until all that was published so far has been handed on. It
// returns where the stream of each bucket was before that; nothing, if Redis does not answer in time. What comes
// later in the streams has not been heard, and what comes earlier has been, or nobody here wanted it.
func (r *Redis) drained(ctx context.Context) []uint64 {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if r.Health() != nil || r.Flush(ctx) != nil {
		return nil
	}
	// The lease has to outlast the time in which nobody renews it.
	if wasKnown, err := r.beatOnce(ctx, false); err != nil || !wasKnown {
		return nil
	}
	ends, err := r.streamEnds(ctx)
	if err != nil {
		return nil
	}
	for _, rc := range r.receiver {
		if !rc.catchUp(ctx) {
			return nil
		}
	}
	return ends
}

func (r *Redis) streamEnds(ctx context.Context) ([]uint64, error) {
	pipe := r.client.Pipeline()
	var last [buckets]*redis.XMessageSliceCmd
	for bucket := range buckets {
		last[bucket] = pipe.XRevRangeN(ctx, r.base(bucket)+"x", "+", "-", 1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	ends := make([]uint64, buckets)
	for bucket := range buckets {
		ends[bucket] = idOf(last[bucket].Val())
	}
	return ends, nil
}

// catchUp waits until all that Redis has sent this receiver is handed on, and reports whether it is.
func (rc *receiver) catchUp(ctx context.Context) bool {
	rc.mu.Lock()
	pubsub := rc.pubsub
	rc.mu.Unlock()
	if pubsub == nil {
		return true // it has no topics
	}
	if pubsub.Ping(ctx, drainedPing) != nil {
		return false
	}
	select {
	case <-rc.ponged:
		return true
	case <-ctx.Done():
		return false
	}
}

// Resume goes on after Pause.
func (r *Redis) Resume() {
	r.isMoved = true
	r.work()
}

func (r *Redis) export() *movedNode {
	m := &movedNode{Identity: r.self(), Instance: r.instance, Begun: make([]bool, buckets), Seen: make([]uint64, buckets), Missing: r.now()}
	for bucket := range buckets {
		rc := r.receiver[bucket%len(r.receiver)]
		m.Seen[bucket], m.Begun[bucket] = rc.lastSeen[bucket], rc.begun
	}
	for _, rc := range r.receiver {
		m.Origins = rc.seen.export(m.Origins)
	}
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	for i := range r.own.buckets {
		m.Buckets = append(m.Buckets, r.own.buckets[i].export())
	}
	m.Waiting = r.queue.export(r.now())
	return m
}

func (o *ownBucket) export() movedOwn {
	m := movedOwn{Number: o.number, Told: o.told}
	for _, u := range o.unheard {
		m.Unheard = append(m.Unheard, movedEvent{
			AppID: u.AppID, Channel: u.Channel, Payload: u.Payload, Except: u.Except, Cache: u.Cache, CacheTTL: u.CacheTTL,
		})
	}
	return m
}

func (s *seen) export(to []movedFrom) []movedFrom {
	for _, part := range []map[source]uint64{s.before, s.now} { // what is newer comes last
		for from, number := range part {
			to = append(to, movedFrom{from.origin, from.bucket, number})
		}
	}
	return to
}

// export lists the publishes. All else is made up for when the channels are synchronised.
func (q *queue) export(now time.Time) (all []movedEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, o := range q.ops {
		if !o.publish {
			continue
		}
		number, _ := o.args[0].(uint64)
		name, _ := o.args[1].(string)
		envelope, _ := o.args[2].([]byte)
		keep, _ := o.args[3].(int64)
		all = append(all, movedEvent{Number: number, Channel: name, Payload: envelope, Bucket: o.bucket, Keep: keep, Age: now.Sub(o.queued)})
	}
	return all
}

// Import makes a broker that is not started yet the one that was paused.
func (r *Redis) Import(state []byte) error {
	var m movedNode
	if err := json.Unmarshal(state, &m); err != nil {
		return fmt.Errorf("read the state of the node: %w", err)
	}
	if len(m.Seen) != buckets || len(m.Buckets) != buckets || len(m.Begun) != buckets || m.Identity == "" {
		return errMalformed
	}
	r.isMoved = true
	r.identity.Store(&m.Identity)
	r.instance = m.Instance
	for bucket := range buckets {
		rc := r.receiver[bucket%len(r.receiver)]
		if o := m.Buckets[bucket]; o.Number-o.Told != uint64(len(o.Unheard)) {
			return errMalformed
		}
		rc.lastSeen[bucket], rc.begun = m.Seen[bucket], m.Begun[bucket]
		if rc.begun {
			rc.missing = m.Missing
		}
		r.own.buckets[bucket] = r.importOwn(m.Buckets[bucket])
	}
	for _, from := range m.Origins {
		if from.Bucket >= 0 && from.Bucket < buckets {
			rc := r.receiver[from.Bucket%len(r.receiver)]
			rc.seen.isNew(source{from.Origin, from.Bucket}, from.Number)
		}
	}
	for _, e := range m.Waiting {
		r.requeue(e)
	}
	return nil
}

func (r *Redis) importOwn(m movedOwn) ownBucket {
	o := ownBucket{number: m.Number, told: m.Told}
	for _, e := range m.Unheard {
		o.unheard = append(o.unheard, protocol.Broadcast{
			AppID: e.AppID, Channel: e.Channel, Payload: e.Payload, Except: e.Except, Cache: e.Cache, CacheTTL: e.CacheTTL,
		})
		r.own.bytes += len(e.Payload)
	}
	return o
}

func (r *Redis) requeue(e movedEvent) {
	p := place{e.Bucket, e.Channel}
	dropped := r.queue.add(op{
		script: scriptPublish, bucket: e.Bucket, publish: true, size: len(e.Payload) + len(e.Channel), queued: r.now().Add(-e.Age),
		args: []any{e.Number, e.Channel, e.Payload, e.Keep},
		done: func(any) { r.published(p, e.Number) },
	})
	r.options.Counters.Dropped.Add(float64(dropped))
}
