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

// keepOnce stores an event of a channel whose lock is held, unless a snapshot has brought it, or a later one, which may
// be here before it. It returns which seats have to hear of it, see link.before.
func (r *Registry) keepOnce(now time.Time, c *Channel, b protocol.Broadcast) (before uint64) {
	if c.link == nil || b.ID == 0 {
		r.keep(now, b)
		return 0
	}
	if protocol.IsLater(b.ID, c.link.cachedID) {
		c.link.cachedID = b.ID
		r.keep(now, b)
	}
	return c.link.before(b.ID)
}

// An overtaking is that of events by a snapshot, which has the last of them. Who was here before it has still to hear
// them; who came afterwards was answered with that last one.
type overtaking struct {
	last uint64 // ID
	seq  uint64 // of the channel, at the time
}

// maxOvertaken bounds the overtakings that are kept. Without the first one some may hear again what they were answered with.
const maxOvertaken = 16

// overtakeLocked notes that the event with this ID has come with a snapshot.
func (c *Channel) overtakeLocked(id uint64) {
	c.seq++
	c.link.cachedID = id
	c.link.overtaken = append(c.link.overtaken, overtaking{id, c.seq})
	if len(c.link.overtaken) > maxOvertaken {
		c.link.overtaken = c.link.overtaken[1:]
	}
}

// before returns the number that the seats are before who have to hear of an event, or 0 for all: it comes after
// those with smaller IDs.
func (l *link) before(id uint64) uint64 {
	for len(l.overtaken) > 0 && protocol.IsLater(id, l.overtaken[0].last) {
		l.overtaken = l.overtaken[1:]
	}
	if len(l.overtaken) == 0 {
		l.overtaken = nil
		return 0
	}
	return l.overtaken[0].seq
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
