package channels

import (
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// Up to promptCount subscribers every change of their number is announced at once; beyond it at most
// once in countInterval, as Pusher does.
const (
	promptCount   = 100
	countInterval = 5 * time.Second
)

// wantLocked counts the subscriptions, those that wait for a seat included. In a cluster there is a link
// for as long as there are any. c.mu must be held.
func (r *Registry) wantLocked(c *Channel, change int32) {
	c.wanted += change
	switch {
	case r.cluster == nil:
	case c.wanted > 0 && c.link == nil:
		c.link = new(link)
		r.cluster.Link(c.name)
	case c.wanted == 0:
		c.unlinkLocked()
		r.cluster.Unlink(c.name)
	}
}

// countLocked counts those that have a seat. c.mu must be held.
func (r *Registry) countLocked(c *Channel, change int32) {
	c.seated += change
	if r.cluster != nil && !c.kind.IsInternal() {
		r.cluster.Count(c.name, int(c.seated))
	}
}

// announceCountLocked tells the subscribers how many they are, if the app wants that. In a cluster the
// number of all nodes is announced when it is known. c.mu must be held.
func (r *Registry) announceCountLocked(now time.Time, c *Channel) {
	if r.cluster != nil || !r.countsLocked(c) || c.seated == 0 {
		return
	}
	if c.seated > promptCount && now.Sub(c.counted) < countInterval {
		r.mu.Lock()
		r.late[c] = struct{}{}
		r.mu.Unlock()
		return
	}
	r.announceLocked(now, c)
}

// countsLocked reports whether the number is announced. Presence channels have members instead; and on
// encrypted ones Java's client would try to decrypt the number.
func (r *Registry) countsLocked(c *Channel) bool {
	return r.rules.Load().CountSubscriptions && c.kind&(Presence|Encrypted) == 0 && !c.kind.IsInternal()
}

// unlinkLocked forgets what is known of other nodes.
func (c *Channel) unlinkLocked() {
	c.link = nil
	if c.members == nil {
		return
	}
	for m := c.members.first; m != nil; {
		next := m.next
		c.members.unlist(m)
		c.members.forget(m)
		m = next
	}
}

// Counted takes the number of subscriptions of all nodes, and announces it to all of them.
func (r *Registry) Counted(now time.Time, name string, total int) {
	c := r.find(name)
	if c == nil { // the last one here has just left
		c = &Channel{name: name, kind: KindOf(name)}
	}
	if total > 0 && r.isDue(now, c, total) {
		// Without the lock: while Redis is away the announcement comes back at once.
		r.cluster.Announce(name, protocol.AppendSubscriptionCount(nil, name, total))
	}
}

func (r *Registry) isDue(now time.Time, c *Channel, total int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !r.countsLocked(c) || total > promptCount && now.Sub(c.counted) < countInterval {
		return false
	}
	c.counted = now
	r.emit(c, Event{Name: SubscriptionCount, Count: total})
	return true
}

func (r *Registry) announceLocked(now time.Time, c *Channel) {
	c.counted = now
	r.emit(c, Event{Name: SubscriptionCount, Count: int(c.seated)})
	c.notifyLocked(r.hooks.Post, protocol.AppendSubscriptionCount(nil, c.name, int(c.seated)), 0)
}

// announceLate announces the counts whose time has come.
func (r *Registry) announceLate(now time.Time) {
	r.mu.Lock()
	late := make([]*Channel, 0, len(r.late))
	for c := range r.late {
		late = append(late, c)
	}
	r.mu.Unlock()
	for _, c := range late {
		c.mu.Lock()
		if now.Sub(c.counted) >= countInterval {
			r.mu.Lock()
			delete(r.late, c)
			r.mu.Unlock()
			r.announceLocked(now, c)
		}
		c.mu.Unlock()
	}
}

// Tick does what time brings: it announces counts that were held back and forgets cached events. It
// is to be called about once a second.
func (r *Registry) Tick(now time.Time) {
	r.announceLate(now)
	r.attend(now)
	r.expire(now)
}
