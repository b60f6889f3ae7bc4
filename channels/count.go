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

// countLocked changes the number of subscriptions and announces it, if the app wants that. Presence
// channels have members instead; and on encrypted ones Java's client would try to decrypt the
// number. c.mu must be held.
func (r *Registry) countLocked(now time.Time, c *Channel, change int32) {
	c.seated += change
	if !r.rules.Load().CountSubscriptions || c.kind&(Presence|Encrypted) != 0 || c.kind.IsInternal() || c.seated == 0 {
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

func (r *Registry) announceLocked(now time.Time, c *Channel) {
	c.counted = now
	r.emit(c, Event{Name: SubscriptionCount, Count: int(c.seated)})
	c.notifyLocked(r.post, protocol.AppendSubscriptionCount(nil, c.name, int(c.seated)), 0)
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
	r.expire(now)
}
