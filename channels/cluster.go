package channels

import (
	"slices"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Cluster is how the channels of an app agree with those of other nodes. Its methods never block; they
// are called while the channel is locked. What comes of them is told to the Registry's methods
// Linked and Change.
type Cluster interface {
	// Link asks for the channel's messages, Unlink no longer wants them.
	Link(channel string)
	Unlink(channel string)
	// Join says that a user is here, or shows other data; Leave that the last connection has gone.
	// There may be at most limit users; 0 is no limit. One too many is told to Refused.
	Join(channel string, m protocol.Member, limit int)
	Leave(channel, userID string)
	// Count says how many subscriptions there are here.
	Count(channel string, n int)
	// Sync says all of that at once, and asks for the channel as it is.
	Sync(channel string, h protocol.Holding, limit int)
	// Announce sends a message to the channel's subscribers on all nodes.
	Announce(channel string, payload []byte)
	// IsAway reports whether it is known that other nodes cannot be heard of for the time being.
	IsAway() bool
}

// maxWait is how long a subscriber waits for other nodes, unless they are known to be away. Then it is answered with what is
// known here; the rest comes as changes.
const maxWait = 2 * time.Second

// maxEarly bounds the changes that are kept until the channel they apply to is known.
const maxEarly = 10_000

// After Redis has lost its data the nodes say again what they have, one after the other, within doubtTime. A member who is
// missing in a snapshot before that is over is not taken for gone.
const doubtTime = 5 * time.Second

// seqJump is more than the changes that a node misses. Numbers that begin anew are microseconds.
const seqJump = 1000

// A link is what a channel knows of its counterparts on other nodes.
type link struct {
	isHeard  bool   // messages arrive
	isLinked bool   // and the members are those of seq; or waiting was given up
	seq      uint64 // number of the last change
	cachedID uint64 // of the event that is kept
	waiting  []Waiter

	overtaken []overtaking      // in the order of their IDs
	early     []protocol.Change // came before the snapshot they apply to
	doubt     time.Time         // until when a member may be missing by mistake; usually zero
}

// A Waiter is a subscribe that cannot be answered yet.
type Waiter struct {
	Subscriber Subscriber
	Shards     uint64 // the bit of the subscriber's shard
	Channel    *Channel

	turn      uint32  // of the subscription
	member    *member // who has to be listed first; nil
	since     time.Time
	isRefused bool // the channel has no room for member
}

// newWaiter returns what waits for the answer to own, of sub, which lives on shard.
func newWaiter(now time.Time, shard *Shard, sub Subscriber, own *Subscription) Waiter {
	return Waiter{Subscriber: sub, Shards: shard.bit, Channel: own.Channel, turn: own.turn, member: own.member, since: now}
}

// waitLocked has a subscribe wait.
func (r *Registry) waitLocked(c *Channel, w Waiter) {
	c.link.waiting = append(c.link.waiting, w)
	if r.patience() == 0 {
		r.assumeLocked(c, w.since)
		return
	}
	r.attendLocked(c)
}

// patience is how long a subscriber waits for other nodes.
func (r *Registry) patience() time.Duration {
	if r.cluster.IsAway() {
		return 0
	}
	return maxWait
}

// stopWaitingLocked forgets a subscribe that has ended before it was answered.
func (c *Channel) stopWaitingLocked(sub Subscriber) {
	if c.link != nil {
		c.link.waiting = slices.DeleteFunc(c.link.waiting, func(w Waiter) bool { return w.Subscriber == sub })
	}
}

// attendLocked has Tick look at the channel.
func (r *Registry) attendLocked(c *Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attended[c] = struct{}{}
}

// become says that the subscribe of sub, which waits, is now for another member.
func (l *link) become(sub Subscriber, m *member) {
	for i := range l.waiting {
		if l.waiting[i].Subscriber == sub {
			l.waiting[i].member = m
		}
	}
}

// isReadyLocked reports whether a subscriber that is m can be answered.
func (r *Registry) isReadyLocked(c *Channel, m *member) bool {
	return r.cluster == nil || c.link.isLinked && (m == nil || m.isListed && !m.isLeaving)
}

// Complete gives the subscription that waited a seat, and returns its answer. It must be called on the
// goroutine of shard. ok is false when the subscription has ended meanwhile. The error is
// protocol.ErrTooManyMembers; then it has ended now.
func (r *Registry) Complete(now time.Time, shard *Shard, w Waiter, dst []byte) (j Joined, ok bool, err error) {
	own := w.Subscriber.Subscriptions().in(w.Channel)
	if own == nil || own.turn != w.turn {
		return Joined{}, false, nil
	}
	if w.isRefused {
		r.Unsubscribe(now, shard, w.Subscriber, own)
		return Joined{}, true, protocol.ErrTooManyMembers
	}
	c := w.Channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if own.seat == pending {
		r.seatLocked(c, shard, w.Subscriber, own)
	}
	j = Joined{Reply: c.appendReplyLocked(dst), Cached: r.cached(now, c)}
	if c.members != nil {
		j.Members = c.members.listed
	}
	return j, true, nil
}

func (s *Subscriptions) in(c *Channel) *Subscription {
	for i := range s.list {
		if s.list[i].Channel == c {
			return &s.list[i]
		}
	}
	return nil
}

// readyLocked has the subscribers answered that have waited long enough.
func (r *Registry) readyLocked(c *Channel, isReady func(Waiter) bool) {
	kept := c.link.waiting[:0]
	for _, w := range c.link.waiting {
		if isReady(w) {
			r.hooks.Ready(w)
		} else {
			kept = append(kept, w)
		}
	}
	clear(c.link.waiting[len(kept):])
	c.link.waiting = kept
}

// Refused says that a channel has no room for a user.
func (r *Registry) Refused(name, userID string) {
	c := r.find(name)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return
	}
	for i := range c.link.waiting {
		w := &c.link.waiting[i]
		w.isRefused = w.isRefused || w.member != nil && w.member.ID == userID
	}
	r.readyLocked(c, func(w Waiter) bool { return w.isRefused })
}

func (r *Registry) find(name string) *Channel {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.channels[name]
}

// Linked takes the channel as all nodes know it. From then on its messages arrive here.
func (r *Registry) Linked(now time.Time, name string, s protocol.Snapshot) {
	c := r.find(name)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil || s.Asker != c.serial {
		return // the last subscriber has gone, and the next has asked again
	}
	switch {
	case c.members == nil:
	case c.link.isLinked && s.Seq < c.link.seq:
		c.members.confirm(s) // changes that are newer have overtaken it
	default:
		if c.link.seq != 0 && s.Seq > c.link.seq+seqJump {
			c.link.doubt = now.Add(doubtTime)
			r.attendLocked(c)
		}
		r.adoptLocked(c, s)
	}
	c.link.isLinked = true
	early := c.link.early
	c.link.early = nil
	for _, change := range early {
		r.changeLocked(c, change)
	}
	r.adoptCachedLocked(now, c, s)
	r.readyLocked(c, func(w Waiter) bool { return r.isReadyLocked(c, w.member) })
}

// adoptLocked makes the members those of a snapshot. Users who are here and are not in it are on their
// way to Redis: they stay.
func (r *Registry) adoptLocked(c *Channel, s protocol.Snapshot) {
	c.link.seq = s.Seq
	present := make(map[string]bool, len(s.Members))
	for _, as := range s.Members {
		present[as.ID] = true
		m := c.members.get(as)
		if m.conns == 0 || m.entry.Entry == "" {
			m.show(as)
		}
		m.isLeaving = false
		r.listLocked(c, m, 0)
	}
	if !c.link.doubt.IsZero() {
		return
	}
	for m := c.members.first; m != nil; {
		next := m.next
		if !present[m.ID] && m.conns == 0 {
			r.unlistLocked(c, m, 0)
		}
		m = next
	}
}

func (r *Registry) adoptCachedLocked(now time.Time, c *Channel, s protocol.Snapshot) {
	if s.Cached != nil && s.CachedID > c.link.cachedID {
		c.overtakeLocked(s.CachedID)
		r.keep(now, protocol.Broadcast{Channel: c.name, Payload: s.Cached, CacheTTL: s.CachedFor})
	}
}

// Change applies a change that all nodes see in the same order.
func (r *Registry) Change(change protocol.Change) {
	c := r.find(change.Channel)
	if c == nil || c.members == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.link == nil:
	case !c.link.isLinked:
		if len(c.link.early) < maxEarly {
			c.link.early = append(c.link.early, change)
		}
	default:
		r.changeLocked(c, change)
	}
}

func (r *Registry) changeLocked(c *Channel, change protocol.Change) {
	switch {
	case change.Seq <= c.link.seq:
		return
	case change.Seq != c.link.seq+1:
		// Something was missed. The answer to this will be newer than the change.
		r.syncLocked(c)
		return
	}
	c.link.seq = change.Seq
	switch change.Kind {
	case protocol.MemberJoined, protocol.MemberUpdated:
		m := c.members.get(change.Member)
		m.show(change.Member)
		m.isLeaving = false
		if change.Kind == protocol.MemberJoined {
			r.listLocked(c, m, 0)
		}
	case protocol.MemberLeft:
		r.removeLocked(c, change.Member.ID)
	}
	r.readyLocked(c, func(w Waiter) bool { return r.isReadyLocked(c, w.member) })
}

// removeLocked takes a member away. One who is here was taken for gone with this node, or has left and come back before
// anything of it was confirmed: for others here it is a member all the time, and for other nodes it joins again.
func (r *Registry) removeLocked(c *Channel, userID string) {
	m := c.members.byID[userID]
	switch {
	case m == nil:
	case m.conns > 0 && !m.isLeaving:
		r.cluster.Join(c.name, m.Member, 0)
	default: // one who is leaving, and here, has said already that it is back
		r.unlistLocked(c, m, 0)
	}
}

// Heard says that messages of the channel arrive from now on, and asks for what came before.
func (r *Registry) Heard(name string) {
	c := r.find(name)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.isHeard = true
		r.syncLocked(c)
	}
}

// Resync says again what this node has of all channels. A channel whose messages do not arrive yet is not
// asked for: its subscribers must not be answered before.
func (r *Registry) Resync() {
	for _, c := range r.all() {
		c.mu.Lock()
		if c.link != nil && c.link.isHeard || c.link == nil && c.members != nil && len(c.members.byID) > 0 {
			r.syncLocked(c)
		}
		c.mu.Unlock()
	}
}

// Held is told of a channel that the cluster believes this node to have something of. If there is no such
// channel, it is told so, before anybody can subscribe to one.
func (r *Registry) Held(name string) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.channels[name] == nil {
		r.cluster.Sync(name, protocol.Holding{}, 0)
	}
}

func (r *Registry) syncLocked(c *Channel) {
	r.cluster.Sync(c.name, c.holdingLocked(), r.rules.Load().MaxMembers)
}

func (r *Registry) all() []*Channel {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]*Channel, 0, len(r.channels))
	for _, c := range r.channels {
		all = append(all, c)
	}
	return all
}

func (c *Channel) holdingLocked() (h protocol.Holding) {
	h.Asker = c.serial
	if !c.kind.IsInternal() {
		h.Subscriptions = int(c.wanted)
	}
	if c.members == nil {
		return h
	}
	if c.link != nil {
		h.Seq = c.link.seq
	}
	for _, m := range c.members.byID {
		if m.conns > 0 {
			h.Members = append(h.Members, m.Member)
		}
	}
	return h
}

// attend looks at the channels where something waits for its time.
func (r *Registry) attend(now time.Time) {
	r.mu.RLock()
	all := make([]*Channel, 0, len(r.attended))
	for c := range r.attended {
		all = append(all, c)
	}
	r.mu.RUnlock()
	for _, c := range all {
		c.mu.Lock()
		if !r.attendOneLocked(now, c) {
			r.mu.Lock()
			delete(r.attended, c)
			r.mu.Unlock()
		}
		c.mu.Unlock()
	}
}

// attendOneLocked reports whether the channel still wants attention.
func (r *Registry) attendOneLocked(now time.Time, c *Channel) bool {
	l := c.link
	if l == nil {
		return false
	}
	if !l.doubt.IsZero() && !now.Before(l.doubt) {
		l.doubt = time.Time{}
		r.syncLocked(c)
	}
	// Redis is away, and the subscriber must not be left without an answer: it gets what is known here.
	if len(l.waiting) > 0 && now.Sub(l.waiting[0].since) >= r.patience() {
		r.assumeLocked(c, now)
	}
	return len(l.waiting) > 0 || !l.doubt.IsZero()
}

func (r *Registry) assumeLocked(c *Channel, now time.Time) {
	c.link.isLinked = true
	patience := r.patience()
	for _, w := range c.link.waiting {
		if w.member != nil && now.Sub(w.since) >= patience {
			w.member.isLeaving = false
			r.listLocked(c, w.member, 0)
		}
	}
	r.readyLocked(c, func(w Waiter) bool { return r.isReadyLocked(c, w.member) })
}
