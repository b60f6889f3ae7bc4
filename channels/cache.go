package channels

import (
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// maxCached bounds the events one app can have kept: when it is reached, the new event takes the
// place of any other one.
const maxCached = 100_000

// cache keeps the last event of each cache channel, also of those nobody is subscribed to.
type cache struct {
	events map[string]cachedEvent
}

type cachedEvent struct {
	payload []byte // never changed
	expires time.Time
}

func (k *cache) put(b protocol.Broadcast, expires time.Time) {
	if k.events == nil {
		k.events = make(map[string]cachedEvent)
	}
	if _, known := k.events[b.Channel]; !known && len(k.events) >= maxCached {
		for name := range k.events {
			delete(k.events, name)
			break
		}
	}
	k.events[b.Channel] = cachedEvent{append([]byte(nil), b.Payload...), expires}
}

func (k *cache) get(now time.Time, name string) (cachedEvent, bool) {
	e, ok := k.events[name]
	return e, ok && now.Before(e.expires)
}

// keepOnce stores an event of a channel whose lock is held, unless it is stored already: a message that
// was in the snapshot a subscriber was answered with may come again. It reports whether it is new.
func (r *Registry) keepOnce(now time.Time, c *Channel, b protocol.Broadcast) bool {
	if c.link != nil && b.ID != 0 {
		if b.ID <= c.link.cachedID {
			return false
		}
		c.link.cachedID = b.ID
	}
	r.keep(now, b)
	return true
}

// keep stores an event of a channel whose lock is held; see the package's lock order.
func (r *Registry) keep(now time.Time, b protocol.Broadcast) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ttl := b.CacheTTL
	if ttl == 0 {
		ttl = r.rules.Load().CacheTTL
	}
	r.cache.put(b, now.Add(ttl))
}

func (r *Registry) cached(now time.Time, c *Channel) []byte {
	if !c.kind.Has(Cache) {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, _ := r.cache.get(now, c.name)
	if !now.Before(e.expires) {
		return nil
	}
	return e.payload
}

// expire forgets the events whose time is over.
func (r *Registry) expire(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, e := range r.cache.events {
		if !now.Before(e.expires) {
			delete(r.cache.events, name)
		}
	}
}
