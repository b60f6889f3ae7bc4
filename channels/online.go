package channels

import "github.com/reverb-go/reverb-go/protocol"

// Whether a user is online is a message of a channel of its own, so that a watcher's first answer and
// the changes after it fit together like those of any other channel.

// SignIn counts one more connection of the user, and tells the watchers if it is the first.
func (r *Registry) SignIn(userID string) {
	c, _ := r.acquire([]byte(watch + userID))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.online++
	if c.online == 1 {
		c.notifyLocked(r.post, protocol.AppendWatchlistEvents(nil, []string{userID}, nil), 0)
	}
}

// SignOut takes one connection of the user away, and tells the watchers if it was the last.
func (r *Registry) SignOut(userID string) {
	r.mu.RLock()
	c := r.channels[watch+userID]
	r.mu.RUnlock()
	c.mu.Lock()
	c.online--
	if c.online == 0 {
		c.notifyLocked(r.post, protocol.AppendWatchlistEvents(nil, nil, []string{userID}), 0)
	}
	c.mu.Unlock()
	r.release(c)
}

// Watch has sub, which lives on shard, told when the user comes and goes, and reports whether the user
// is online. It must not watch the same user twice.
func (r *Registry) Watch(shard *Shard, sub Subscriber, userID string) (online bool) {
	c, _ := r.acquire([]byte(watch + userID))
	c.mu.Lock()
	defer c.mu.Unlock()
	if shard.sit(c, sub, c.seq, nil) {
		c.shards |= shard.bit
	}
	c.seated++
	return c.online > 0
}
