package channels

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Registry holds the channels of one app.
type Registry struct {
	hooks   Hooks
	cluster Cluster // nil on a node that is alone
	rules   atomic.Pointer[Rules]
	began   time.Time // what a Moment counts from

	mu       sync.RWMutex // guards what follows
	channels map[string]*Channel
	serial   uint64
	cache    cache
	late     map[*Channel]struct{} // have a subscription count to announce when its time comes
	attended map[*Channel]struct{} // where subscribers wait for other nodes, or members are in doubt
}

// Rules are what an app asks of its channels. They may change while the channels are in use.
type Rules struct {
	CacheTTL           time.Duration // how long a cache channel keeps its event
	MaxMembers         int           // of a presence channel; 0 is no limit
	CountSubscriptions bool          // tell subscribers how many they are
}

// Hooks are what a Registry tells others of. They are called while a channel is locked: they must only
// queue, and copy what they keep.
type Hooks struct {
	// Post is told of every message to a channel that has subscribers here, in order.
	Post func(Note)
	// Observe is told of what happens to channels, in order for each channel; nil is nobody. In a
	// cluster it hears only of what this node has made happen there.
	Observe func(Event)
	// Ready is told that a subscribe that waited for other nodes can be completed. It is only needed in a
	// cluster.
	Ready func(Waiter)
}

// NewRegistry returns an empty registry; cluster is nil on a node that is alone.
func NewRegistry(rules Rules, hooks Hooks, cluster Cluster) *Registry {
	if hooks.Observe == nil {
		hooks.Observe = func(Event) {}
	}
	r := &Registry{
		hooks: hooks, cluster: cluster, began: time.Now(), channels: make(map[string]*Channel),
		late: make(map[*Channel]struct{}), attended: make(map[*Channel]struct{}),
	}
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
	Members int    // of a presence channel, and of a Watch channel: 1 if the user is online

	// IsPending says that the answer follows: when Hooks.Ready is called, Complete has it.
	IsPending bool
}

// Subscribe makes sub, which lives on shard, a subscriber of the channel; who is the zero Member unless
// it joins a presence channel as a member. The reply is appended to dst and must be sent before
// anything else of the channel. Subscribing again is answered again and changes at most the member.
// The error is protocol.ErrTooManyMembers; then nothing has changed.
func (r *Registry) Subscribe(now time.Time, shard *Shard, sub Subscriber, name []byte, who protocol.Member, dst []byte) (Joined, error) {
	if own := sub.Subscriptions().Find(name); own != nil {
		return r.again(now, shard, sub, own, who, dst)
	}
	c, first := r.acquire(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.isFullLocked(c, who) {
		r.release(c)
		return Joined{}, protocol.ErrTooManyMembers
	}
	m := r.joinLocked(c, who, sub.SocketID())
	own := sub.Subscriptions().add(c, m)
	r.wantLocked(c, +1)
	if !r.isReadyLocked(c, m) {
		r.waitLocked(c, newWaiter(now, shard, sub, own))
		return Joined{IsFirst: first, IsPending: true}, nil
	}
	r.seatLocked(c, shard, sub, own)
	r.announceCountLocked(now, c)
	return Joined{Reply: c.appendReplyLocked(dst), Cached: r.cached(now, c), IsFirst: first}, nil
}

func (r *Registry) seatLocked(c *Channel, shard *Shard, sub Subscriber, own *Subscription) {
	if shard.sit(sub, own, c.seq, r.momentOf(time.Now())) {
		c.shards |= shard.bit
	}
	r.countLocked(c, +1)
}

func (r *Registry) again(now time.Time, shard *Shard, sub Subscriber, own *Subscription, who protocol.Member, dst []byte) (Joined, error) {
	c := own.Channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.isFullLocked(c, who) {
		return Joined{}, protocol.ErrTooManyMembers
	}
	switch old := own.member; {
	case own.UserID() != who.ID && c.members != nil:
		r.leaveLocked(c, old, sub.SocketID())
		own.member = r.joinLocked(c, who, sub.SocketID())
	case old != nil:
		// The new one first, so that the user is not taken for one who left and returned.
		own.member = r.joinLocked(c, who, sub.SocketID())
		r.leaveLocked(c, old, sub.SocketID())
	}
	if own.seat == pending || !r.isReadyLocked(c, own.member) {
		c.link.become(sub, own.member)
		r.waitAgainLocked(now, c, shard, sub, own)
		r.readyLocked(c, func(w Waiter) bool { return r.isReadyLocked(c, w.member) })
		return Joined{IsAgain: true, IsPending: true}, nil
	}
	return Joined{Reply: c.appendReplyLocked(dst), Cached: r.cached(now, c), IsAgain: true}, nil
}

// waitAgainLocked has a subscription wait for other nodes once more. It gives up its seat, lest it be told
// of its own coming.
func (r *Registry) waitAgainLocked(now time.Time, c *Channel, shard *Shard, sub Subscriber, own *Subscription) {
	if own.seat != pending {
		if shard.vacate(*own) {
			c.shards &^= shard.bit
		}
		own.seat = pending
		r.countLocked(c, -1)
	}
	w := newWaiter(now, shard, sub, own)
	if r.isReadyLocked(c, own.member) {
		r.hooks.Ready(w) // the answer to the first subscribe is on its way, and this one follows it
		return
	}
	r.waitLocked(c, w)
}

// isFullLocked reports whether who would be one member too many. A user who is there already may
// come with another connection.
func (r *Registry) isFullLocked(c *Channel, who protocol.Member) bool {
	if r.cluster != nil {
		return false // it decides
	}
	limit := r.rules.Load().MaxMembers
	if limit == 0 || c.members == nil || who.ID == "" || c.members.listed < limit {
		return false
	}
	return c.members.byID[who.ID] == nil
}

// Unsubscribe ends a subscription of sub, which lives on shard. own becomes invalid. It reports
// whether the channel has no subscriber left.
func (r *Registry) Unsubscribe(now time.Time, shard *Shard, sub Subscriber, own *Subscription) bool {
	gone := *own
	index := sub.Subscriptions().indexOf(own)
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
	if gone.seat == pending {
		c.stopWaitingLocked(sub)
		r.countLocked(c, 0) // Sync has counted it already
	} else {
		r.countLocked(c, -1)
		r.announceCountLocked(now, c)
	}
	r.wantLocked(c, -1)
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
	n := Note{Payload: b.Payload, Except: b.Except}
	if keep {
		n.Seq = r.keepOnce(now, c, b)
	}
	if !b.Published.IsZero() {
		n.IsLate, n.Published = true, r.momentOf(b.Published)
	}
	c.postLocked(r.hooks.Post, n)
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
	c = r.acquireLocked(name)
	if c.subscribers == 1 && r.cluster == nil {
		r.emit(c, Event{Name: ChannelOccupied})
	}
	return c, c.subscribers == 1
}

// acquireLocked counts one more subscriber of the channel, which is made if there is none.
func (r *Registry) acquireLocked(name []byte) *Channel {
	c := r.channels[string(name)]
	if c == nil {
		c = r.newChannelLocked(string(name))
		r.channels[c.name] = c
	}
	c.subscribers++
	return c
}

func (r *Registry) newChannelLocked(name string) *Channel {
	r.serial++
	c := &Channel{name: name, kind: KindOf(name), serial: r.serial}
	if c.kind&(Presence|Watch) != 0 {
		c.members = newMembers()
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
	delete(r.attended, c)
	if r.cluster == nil {
		r.emit(c, Event{Name: ChannelVacated})
	}
	return true
}

// joinLocked counts a connection that is who. A node that is alone lists the user itself; in a cluster
// the channel's other nodes have a say. c.mu must be held.
func (r *Registry) joinLocked(c *Channel, who protocol.Member, id protocol.SocketID) *member {
	if c.members == nil || who.ID == "" {
		return nil
	}
	m, isFirst, isNews := c.members.join(who)
	switch {
	case r.cluster == nil:
		r.listLocked(c, m, id)
	case m.isLeaving:
		r.syncLocked(c) // the answer is later than the leave
	case isFirst || isNews:
		r.cluster.Join(c.name, m.Member, r.rules.Load().MaxMembers)
	}
	return m
}

// leaveLocked counts a connection less that is m. c.mu must be held.
func (r *Registry) leaveLocked(c *Channel, m *member, id protocol.SocketID) {
	if m == nil || !c.members.leave(m) {
		return
	}
	if r.cluster == nil {
		r.unlistLocked(c, m, id)
	} else {
		m.isLeaving = m.isListed
		r.cluster.Leave(c.name, m.ID)
	}
}

// listLocked makes a user a member, and tells the others if that is new.
func (r *Registry) listLocked(c *Channel, m *member, id protocol.SocketID) {
	if !c.members.list(m) {
		return
	}
	if r.cluster == nil {
		r.emit(c, Event{Name: MemberAdded, UserID: m.ID})
	}
	c.notifyLocked(r.hooks.Post, c.appendJoined(m), id)
}

// unlistLocked ends a user's membership, and tells the others if there was one.
func (r *Registry) unlistLocked(c *Channel, m *member, id protocol.SocketID) {
	if !c.members.unlist(m) {
		return
	}
	c.members.forget(m)
	if r.cluster == nil {
		r.emit(c, Event{Name: MemberRemoved, UserID: m.ID})
	}
	c.notifyLocked(r.hooks.Post, c.appendLeft(m), id)
}

func (c *Channel) appendJoined(m *member) []byte {
	if c.kind.Has(Watch) {
		return protocol.AppendWatchlistEvents(nil, []string{m.ID}, nil)
	}
	return protocol.AppendMemberAdded(nil, c.name, m.Data)
}

func (c *Channel) appendLeft(m *member) []byte {
	if c.kind.Has(Watch) {
		return protocol.AppendWatchlistEvents(nil, nil, []string{m.ID})
	}
	return protocol.AppendMemberRemoved(nil, c.name, m.IDJSON)
}

// appendReplyLocked appends what a new subscriber is told.
func (c *Channel) appendReplyLocked(dst []byte) []byte {
	switch {
	case c.members == nil:
		return protocol.AppendSubscriptionSucceeded(dst, c.name)
	case c.kind.Has(Watch):
		return dst // what is told of several users is put together by the caller
	}
	return protocol.AppendPresenceSucceeded(dst, c.name, c.members.listed, c.members.entries())
}
