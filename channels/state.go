package channels

import (
	"slices"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// State is what a Registry knows besides which subscriber sits where, to be the start of a registry in
// another process. Points of time are given as what has passed since, or is left.
type State struct {
	Channels []ChannelState // in the order they were made
	Cached   []CachedState
}

// ChannelState is a channel without its subscribers.
type ChannelState struct {
	Name       string
	Members    []MemberState // those listed in their order, then those that are not yet
	SinceCount time.Duration // since the number of subscriptions was announced
	IsLate     bool          // a number waits to be announced
	Link       *LinkState    // nil on a node that is alone
}

// MemberState is a user of a presence channel.
type MemberState struct {
	protocol.Member
	IsListed bool
}

// LinkState is what a channel knows of its counterparts on other nodes.
type LinkState struct {
	IsLinked bool
	Seq      uint64
	CachedID uint64
	Early    []protocol.Change
	Doubt    time.Duration // that is left
}

// CachedState is the event that a cache channel keeps.
type CachedState struct {
	Channel string
	Payload []byte
	Left    time.Duration
}

// Export returns the state as it is while nothing happens. It is read only.
func (r *Registry) Export(now time.Time) (s State) {
	r.mu.RLock()
	for name, e := range r.cache.events {
		s.Cached = append(s.Cached, CachedState{name, e.payload, e.expires.Sub(now)})
	}
	late := make(map[*Channel]bool, len(r.late))
	for c := range r.late {
		late[c] = true
	}
	r.mu.RUnlock()
	all := r.all()
	slices.SortFunc(all, func(a, b *Channel) int { return int(int64(a.serial - b.serial)) })
	s.Channels = make([]ChannelState, len(all))
	for i, c := range all {
		c.mu.Lock()
		s.Channels[i] = c.exportLocked(now)
		s.Channels[i].IsLate = late[c]
		c.mu.Unlock()
	}
	return s
}

func (c *Channel) exportLocked(now time.Time) ChannelState {
	s := ChannelState{Name: c.name, SinceCount: now.Sub(c.counted)}
	if c.link != nil {
		s.Link = &LinkState{IsLinked: c.link.isLinked, Seq: c.link.seq, CachedID: c.link.cachedID, Early: c.link.early}
		if !c.link.doubt.IsZero() {
			s.Link.Doubt = c.link.doubt.Sub(now)
		}
	}
	if c.members == nil {
		return s
	}
	for m := c.members.first; m != nil; m = m.next {
		s.Members = append(s.Members, MemberState{m.Member, true})
	}
	for _, m := range c.members.byID {
		if !m.isListed {
			s.Members = append(s.Members, MemberState{m.Member, false})
		}
	}
	return s
}

// Import makes an empty registry the one that was exported. Nobody is told of anything. It must be
// followed by Restore and RestoreUser for each subscription and each user that was there, and then by
// Restored.
func (r *Registry) Import(now time.Time, s State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range s.Cached {
		r.cache.put(protocol.Broadcast{Channel: k.Channel, Payload: k.Payload}, now.Add(k.Left))
	}
	for _, cs := range s.Channels {
		c := r.newChannelLocked(cs.Name)
		r.channels[c.name] = c
		c.counted = now.Add(-cs.SinceCount)
		if cs.IsLate {
			r.late[c] = struct{}{}
		}
		c.importLocked(now, cs)
		if c.link != nil && !c.link.doubt.IsZero() {
			r.attended[c] = struct{}{}
		}
	}
}

func (c *Channel) importLocked(now time.Time, s ChannelState) {
	if l := s.Link; l != nil {
		c.link = &link{isLinked: l.IsLinked, seq: l.Seq, cachedID: l.CachedID, early: l.Early}
		if l.Doubt > 0 {
			c.link.doubt = now.Add(l.Doubt)
		}
	}
	if c.members == nil {
		return
	}
	for _, ms := range s.Members {
		m := c.members.get(ms.Member)
		m.show(ms.Member)
		if ms.IsListed {
			c.members.list(m)
		}
	}
}

// Restore gives sub, which lives on shard, a subscription that it had: the member it is has this id, or
// is none. One that waited for other nodes goes on waiting. It reports false for what Import has not
// brought. The goroutine of shard must not run yet.
func (r *Registry) Restore(now time.Time, shard *Shard, sub Subscriber, name, userID string, isPending bool) bool {
	r.mu.Lock()
	if r.channels[name] == nil {
		r.mu.Unlock()
		return false
	}
	c := r.acquireLocked([]byte(name))
	r.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.restoreMemberLocked(userID)
	own := sub.Subscriptions().add(c, m)
	c.wanted++
	if isPending && c.link != nil {
		r.waitLocked(c, newWaiter(now, shard, sub, own))
		return true
	}
	if shard.sit(sub, own, c.seq, r.momentOf(r.began.Add(-time.Hour))) { // it was there before what is missed now
		c.shards |= shard.bit
	}
	c.seated++
	return true
}

func (c *Channel) restoreMemberLocked(userID string) *member {
	if c.members == nil || userID == "" {
		return nil
	}
	m := c.members.byID[userID]
	if m != nil {
		m.conns++
	}
	return m
}

// RestoreUser counts a connection of a user who had signed in.
func (r *Registry) RestoreUser(userID string) {
	r.mu.Lock()
	c := r.acquireLocked([]byte(watch + userID))
	r.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members.get(protocol.Member{ID: userID})
	m.conns++
	if r.cluster == nil {
		c.members.list(m)
	}
}

// Restored ends what Import began: channels that nobody has come for are dropped, and the messages of the
// others are asked for.
func (r *Registry) Restored() {
	for _, c := range r.all() {
		c.mu.Lock()
		r.mu.Lock()
		if c.subscribers == 0 {
			delete(r.channels, c.name)
			delete(r.late, c)
			delete(r.attended, c)
		}
		r.mu.Unlock()
		r.relinkLocked(c)
		c.mu.Unlock()
	}
}

// relinkLocked asks for the messages of a channel, if that makes sense in this process. On a node that is
// alone only those are members who are here, whatever was known of others.
func (r *Registry) relinkLocked(c *Channel) {
	switch {
	case r.cluster != nil && c.wanted > 0:
		if c.link == nil {
			c.link = new(link)
		}
		r.cluster.Link(c.name)
		return
	case r.cluster == nil && c.members != nil:
		for _, m := range c.members.byID {
			if m.conns > 0 {
				c.members.list(m)
			} else {
				c.members.unlist(m)
				c.members.forget(m)
			}
		}
	}
	c.link = nil
}
