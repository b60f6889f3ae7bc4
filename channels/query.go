package channels

import (
	"slices"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// Info is what can be asked about a channel.
type Info struct {
	Name          string
	Kind          Kind
	Subscriptions int       // connections subscribed; 0 for a channel that does not exist
	Users         int       // distinct members of a presence channel
	Cached        []byte    // the event a cache channel keeps, or nil; read only
	Expires       time.Time // when that is forgotten
}

// Lookup returns what is known of the channel. One that nobody is subscribed to has Subscriptions 0.
func (r *Registry) Lookup(now time.Time, name string) Info {
	info := Info{Name: name, Kind: KindOf(name)}
	r.mu.RLock()
	c := r.channels[name]
	if c != nil {
		info.Subscriptions = int(c.subscribers)
	}
	if e, ok := r.cache.get(now, name); ok {
		info.Cached, info.Expires = e.payload, e.expires
	}
	r.mu.RUnlock()
	info.Users = c.userCount()
	return info
}

// List returns the channels with a subscriber whose name begins with prefix, oldest first, without
// those that are internal.
func (r *Registry) List(now time.Time, prefix string) []Info {
	found := r.withPrefix(prefix)
	slices.SortFunc(found, func(a, b *Channel) int { return int(int64(a.serial - b.serial)) })
	infos := make([]Info, 0, len(found))
	for _, c := range found {
		if info := r.Lookup(now, c.name); info.Subscriptions > 0 {
			infos = append(infos, info)
		}
	}
	return infos
}

func (r *Registry) withPrefix(prefix string) []*Channel {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found []*Channel
	for name, c := range r.channels {
		if strings.HasPrefix(name, prefix) && !c.kind.IsInternal() {
			found = append(found, c)
		}
	}
	return found
}

// Users returns the ids of the members of a presence channel in the order they joined; known is
// false when the channel has no subscriber.
func (r *Registry) Users(name string) (ids []string, known bool) {
	r.mu.RLock()
	c := r.channels[name]
	r.mu.RUnlock()
	if c == nil || c.members == nil {
		return nil, c != nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for m := c.members.first; m != nil; m = m.next {
		ids = append(ids, m.ID)
	}
	return ids, true
}

// Own returns what is known of the channel without its other nodes, and its members who are here, by id.
func (r *Registry) Own(now time.Time, name string) (Info, []protocol.Member) {
	info := r.Lookup(now, name)
	c := r.find(name)
	if c == nil {
		return info, nil
	}
	c.mu.Lock()
	members := c.holdingLocked().Members
	c.mu.Unlock()
	slices.SortFunc(members, func(a, b protocol.Member) int { return strings.Compare(a.ID, b.ID) })
	info.Users = len(members)
	return info, members
}

// Subscribers returns how many connections are subscribed to a channel.
func (r *Registry) Subscribers(name []byte) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if c := r.channels[string(name)]; c != nil {
		return int(c.subscribers)
	}
	return 0
}

// Len returns the number of channels with a subscriber.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.channels)
}

func (c *Channel) userCount() int {
	if c == nil || c.members == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members.listed
}
