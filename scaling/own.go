package scaling

import (
	"sync"

	"github.com/reverb-go/reverb-go/protocol"
)

// own are the messages that this node has published and not heard back from Redis. Its clients hear them that
// way, in one order with those of other nodes; when Redis is away they hear them at once, and what comes back
// later is not told again.
type own struct {
	mu      sync.Mutex // guards what follows, and that messages are queued and delivered in order
	buckets [buckets]ownBucket
	bytes   int // of all that is unheard
}

type ownBucket struct {
	number  uint64               // of the last one published
	told    uint64               // of the last one that was delivered here, or that nobody here has to hear
	unheard []protocol.Broadcast // those after it, one for each number; without payload, nobody has to hear it
}

// Publish queues a message for all nodes, this one too, which hears it back from Redis. While Redis is
// away it is delivered here at once. It never blocks and keeps nothing of b.
func (r *Redis) Publish(b protocol.Broadcast) {
	p := placeOf(b.AppID, b.Channel)
	keep := int64(0)
	flags := byte(0)
	if b.Cache {
		flags |= flagCache
		keep = b.CacheTTL.Milliseconds()
	}
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	o := &r.own.buckets[p.bucket]
	o.number++
	envelope := appendEvent(make([]byte, 0, len(b.Payload)+64), r.instance, o.number, flags, b)
	b.Payload = envelope[len(envelope)-len(b.Payload):]
	b.Published = r.now() // if it is told from here, it may be late
	o.unheard = append(o.unheard, b)
	r.own.bytes += len(b.Payload)
	if r.Health() != nil || r.own.bytes > r.options.MaxQueued {
		r.tellOwnLocked()
	}
	number := o.number
	dropped := r.queue.add(op{
		script: scriptPublish, bucket: p.bucket, publish: true, size: len(envelope) + len(p.name), queued: b.Published,
		args: []any{number, p.name, envelope, keep},
		done: func(any) { r.published(p, number) },
	})
	r.options.Counters.Dropped.Add(float64(dropped))
}

// published is told when Redis has taken a message. It does not come back for a channel nobody here has.
func (r *Redis) published(p place, number uint64) {
	if r.receiverOf(p).hears(p) {
		return
	}
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	o := &r.own.buckets[p.bucket]
	if number <= o.told {
		return
	}
	waiting := &o.unheard[number-o.told-1]
	r.own.bytes -= len(waiting.Payload)
	waiting.Payload = nil
	n := 0
	for n < len(o.unheard) && o.unheard[n].Payload == nil {
		n++
	}
	o.drop(n)
}

// hearOwn delivers a message of this node that has come back, unless that was done before.
func (r *Redis) hearOwn(bucket int, number uint64, deliver func()) {
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	o := &r.own.buckets[bucket]
	if number <= o.told || number > o.number {
		return
	}
	n := int(number - o.told)
	for _, b := range o.unheard[:n] {
		r.own.bytes -= len(b.Payload)
	}
	o.drop(n)
	deliver()
}

// tellOwn delivers what has not come back: Redis is away.
func (r *Redis) tellOwn() {
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	r.tellOwnLocked()
}

func (r *Redis) tellOwnLocked() {
	for i := range r.own.buckets {
		o := &r.own.buckets[i]
		for _, b := range o.unheard {
			if b.Payload != nil {
				r.node.Deliver(b)
			}
		}
		o.drop(len(o.unheard))
	}
	r.own.bytes = 0
}

// drop forgets the first n.
func (o *ownBucket) drop(n int) {
	clear(o.unheard[:n])
	o.unheard = o.unheard[n:]
	o.told += uint64(n)
}

// Announce sends a message that is no event to a channel's subscribers.
func (r *Redis) Announce(appID, channel string, payload []byte) {
	r.Publish(protocol.Broadcast{AppID: appID, Channel: channel, Payload: payload})
}

// seen remembers, for each node and bucket, the number of the last message that was delivered here: a node that
// does not know whether its message arrived publishes it again. What was not heard of for two
// turns is forgotten.
type seen struct {
	now, before map[source]uint64
}

type source struct {
	origin string
	bucket int
}

// isNew reports whether the message was not seen yet, and remembers it.
func (s *seen) isNew(from source, number uint64) bool {
	last, ok := s.now[from]
	if !ok {
		last = s.before[from]
	}
	if number <= last {
		return false
	}
	s.now[from] = number
	return true
}

func (s *seen) turn() { s.now, s.before = make(map[source]uint64), s.now }
