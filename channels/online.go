package channels

import (
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// Whether a user is online is the membership in a channel of its own, so that a watcher's first answer
// and the changes after it fit together like those of any other channel. The user is its only member;
// watchers subscribe, and those who sign in join without subscribing.

// SignIn counts one more connection of the user, and tells the watchers if it is the first.
func (r *Registry) SignIn(userID string) {
	c, _ := r.acquire([]byte(watch + userID))
	c.mu.Lock()
	defer c.mu.Unlock()
	r.joinLocked(c, protocol.Member{ID: userID}, 0)
}

// SignOut takes one connection of the user away, and tells the watchers if it was the last.
func (r *Registry) SignOut(userID string) {
	r.mu.RLock()
	c := r.channels[watch+userID]
	r.mu.RUnlock()
	c.mu.Lock()
	r.leaveLocked(c, c.members.byID[userID], 0)
	c.mu.Unlock()
	r.release(c)
}

// Watch has sub, which lives on shard, told when the user comes and goes. Complete says whether the user
// is online: it can be called at once if isReady, else when Hooks.Ready is. It must not watch the
// same user twice.
func (r *Registry) Watch(now time.Time, shard *Shard, sub Subscriber, userID string) (w Waiter, isReady bool) {
	c, _ := r.acquire([]byte(watch + userID))
	c.mu.Lock()
	defer c.mu.Unlock()
	w = newWaiter(now, shard, sub, sub.Subscriptions().add(c, nil))
	r.wantLocked(c, +1)
	if r.isReadyLocked(c, nil) {
		return w, true
	}
	r.waitLocked(c, w)
	return w, false
}

// WatchedUser returns the user a Watch channel is about.
func (c *Channel) WatchedUser() string { return strings.TrimPrefix(c.name, watch) }
