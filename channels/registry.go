package channels

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Registry holds the channels of one app.
type Registry struct {
	post    func(Note)
	observe func(Event)
	rules   atomic.Pointer[Rules]

	mu       sync.RWMutex // guards what follows
	channels map[string]*Channel
	serial   uint64
	cache    cache
	late     map[*Channel]struct{} // have a subscription count to announce when its time comes
}

// Rules are what an app asks of its channels. They may change while the channels are in use.
type Rules struct {
	CacheTTL           time.Duration // how long a cache channel keeps its event
	MaxMembers         int           // of a presence channel; 0 is no limit
	CountSubscriptions bool          // tell subscribers how many they are
}

// NewRegistry returns an empty registry. post is told of every message to a channel that has
// subscribers, in order, while the channel is locked: it must only queue, and copy what it keeps.
// observe is told of what happens to channels, in order for each channel; it, too, must only queue.
// It may be nil.
func NewRegistry(rules Rules, post func(Note), observe func(Event)) *Registry {
	if observe == nil {
		observe = func(Event) {}
	}
	r := &Registry{post: post, observe: observe, channels: make(map[string]*Channel), late: make(map[*Channel]struct{})}
	r.SetRules(rules)
	return r
}

// SetRules changes the rules for what happens from now on.
func (r *Registry) SetRules(rules Rules) { r.rules.Store(&rules) }

// Joined says how a subscribe went.
type Joined struct {
	Reply   []byte // dst with the subscription_succeeded message appended
	Cached  []byte // the event to send after it, if the channel keeps one; read only
	IsFirst bool   // the channel had no subscriber before
	IsAgain bool   // the connection was subscribed already
}

// Subscribe makes sub, which lives on shard, a subscriber of the channel; who is the zero Member unless
// it joins a presence channel as a member. The reply is appended to dst and must be sent before
// anything else of the channel. Subscribing again is answered again and changes at most the member.
// The error is protocol.ErrTooManyMembers; then nothing has changed.
func (r *Registry) Subscribe(now time.Time, shard *Shard, sub Subscriber, name []byte, who protocol.Member, dst []byte) (Joined, error) {
	if own := sub.Subscriptions().Find(name); own != nil {
		return r.again(now, sub, own, who, dst)
	}
	c, first := r.acquire(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.isFullLocked(c, who) {
		r.release(c)
		return Joined{}, protocol.ErrTooManyMembers
	}
	m := r.joinLocked(c, who, sub.SocketID())
	if shard.sit(c, sub, c.seq, m) {
		c.shards |= shard.bit
	}
	r.countLocked(now, c, +1)
	return Joined{Reply: c.appendSucceededLocked(dst), Cached: r.cached(now, c), IsFirst: first}, nil
}

func (r *Registry) again(now time.Time, sub Subscriber, own *Subscription, who protocol.Member, dst []byte) (Joined, error) {
	c := own.Channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.isFullLocked(c, who) {
		return Joined{}, protocol.ErrTooManyMembers
	}
	if old := own.member; c.members != nil && (old != nil || who.ID != "") {
		// The new one first, so that the same user is not taken for one who left and returned.
		own.member = r.joinLocked(c, who, sub.SocketID())
		r.leaveLocked(c, old, sub.SocketID())
	}
	return Joined{Reply: c.appendSucceededLocked(dst), Cached: r.cached(now, c), IsAgain: true}, nil
}

// isFullLocked reports whether who would be one member too many. A user who is there already may
// come with another connection.
func (r *Registry) isFullLocked(c *Channel, who protocol.Member) bool {
	limit := r.rules.Load().MaxMembers
	if limit == 0 || c.members == nil || who.ID == "" || len(c.members.byID) < limit {
		return false
	}
	return c.members.byID[who.ID] == nil
}

// Unsubscribe ends a subscription of sub, which lives on shard. own becomes invalid. It reports
// whether the channel has no subscriber left.
func (r *Registry) Unsubscribe(now time.Time, shard *Shard, sub Subscriber, own *Subscription) bool {
	gone := *own
	index := shard.seats[gone.Channel][gone.seat].index
	empty := r.unseat(now, shard, sub, gone)
	sub.Subscriptions().remove(index, shard)
	return empty
}

// UnsubscribeAll ends all subscriptions of sub, which lives on shard, in the order they were made,
// and returns how many there were and how many channels have no subscriber left, both without
// those that are internal.
func (r *Registry) UnsubscribeAll(now time.Time, shard *Shard, sub Subscriber) (ended, emptied int) {
	own := sub.Subscriptions()
	for _, gone := range own.list {
		isEmpty := r.unseat(now, shard, sub, gone)
		if gone.Channel.kind.IsInternal() {
			continue
		}
		ended++
		if isEmpty {
			emptied++
		}
	}
	own.list = nil
	return ended, emptied
}

func (r *Registry) unseat(now time.Time, shard *Shard, sub Subscriber, gone Subscription) (empty bool) {
	c := gone.Channel
	c.mu.Lock()
	if shard.vacate(gone) {
		c.shards &^= shard.bit
	}
	r.leaveLocked(c, gone.member, sub.SocketID())
	r.countLocked(now, c, -1)
	c.mu.Unlock()
	return r.release(c)
}

// Publish hands an event to the subscribers of its channel, and keeps it if asked to.
func (r *Registry) Publish(now time.Time, b protocol.Broadcast) {
	keep := b.Cache && KindOf(b.Channel).Has(Cache)
	r.mu.RLock()
	c := r.channels[b.Channel]
	r.mu.RUnlock()
	if c == nil {
		if !keep {
			return
		}
		if c = r.keepUnlessOccupied(now, b); c == nil {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if keep {
		r.keep(now, b)
	}
	c.notifyLocked(r.post, b.Payload, b.Except)
}

// keepUnlessOccupied keeps the event of a channel without subscribers; if one has come meanwhile
// it returns the channel instead, because then the event must be ordered by the channel's lock.
func (r *Registry) keepUnlessOccupied(now time.Time, b protocol.Broadcast) *Channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.channels[b.Channel]; c != nil {
		return c
	}
	r.cache.put(b, now.Add(r.rules.Load().CacheTTL))
	return nil
}

func (r *Registry) acquire(name []byte) (c *Channel, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c = r.channels[string(name)]
	if c == nil {
		c = r.newChannelLocked(string(name))
		r.channels[c.name] = c
	}
	c.subscribers++
	if c.subscribers == 1 {
		r.emit(c, Event{Name: ChannelOccupied})
	}
	return c, c.subscribers == 1
}

func (r *Registry) newChannelLocked(name string) *Channel {
	r.serial++
	c := &Channel{name: name, kind: KindOf(name), serial: r.serial}
	if c.kind.Has(Presence) {
		c.members = &members{byID: make(map[string]*member)}
	}
	return c
}

func (r *Registry) release(c *Channel) (empty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.subscribers--
	if c.subscribers > 0 {
		return false
	}
	delete(r.channels, c.name)
	delete(r.late, c)
	r.emit(c, Event{Name: ChannelVacated})
	return true
}

// joinLocked adds a member and tells the others if the user is new. c.mu must be held.
func (r *Registry) joinLocked(c *Channel, who protocol.Member, id protocol.SocketID) *member {
	if c.members == nil || who.ID == "" {
		return nil
	}
	m, added := c.members.join(who)
	if added {
		r.emit(c, Event{Name: MemberAdded, UserID: who.ID})
		c.notifyLocked(r.post, protocol.AppendMemberAdded(nil, c.name, who.Data), id)
	}
	return m
}

// leaveLocked takes a member away and tells the others if the user is gone. c.mu must be held.
func (r *Registry) leaveLocked(c *Channel, m *member, id protocol.SocketID) {
	if m != nil && c.members.leave(m) {
		r.emit(c, Event{Name: MemberRemoved, UserID: m.ID})
		c.notifyLocked(r.post, protocol.AppendMemberRemoved(nil, c.name, m.IDJSON), id)
	}
}

func (c *Channel) appendSucceededLocked(dst []byte) []byte {
	if c.members == nil {
		return protocol.AppendSubscriptionSucceeded(dst, c.name)
	}
	return protocol.AppendPresenceSucceeded(dst, c.name, len(c.members.byID), c.members.entries())
}
