package channels_test

import (
	"testing"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

func online(ids ...string) string  { return string(protocol.AppendWatchlistEvents(nil, ids, nil)) }
func offline(ids ...string) string { return string(protocol.AppendWatchlistEvents(nil, nil, ids)) }

// A watcher is told whether a user is online, and of each change, but not of further connections.
func TestWatch(t *testing.T) {
	h := newHall(t, channels.Rules{CountSubscriptions: true}, nil)
	watcher := h.guest()
	w, isReady := h.Watch(h.now, watcher.shard, watcher, "7")
	want(t, "known at once", isReady, true)
	want(t, "the user", w.Channel.WatchedUser(), "7")
	j, ok, err := h.Complete(h.now, watcher.shard, w, nil)
	want(t, "offline", []any{j.Members, ok, err}, []any{0, true, nil})

	h.SignIn("7")
	want(t, "signs in", h.hears(watcher), []string{online("7")})
	h.SignIn("7")
	h.SignOut("7")
	want(t, "another connection", h.hears(watcher), []string(nil))

	second := h.guest()
	w, _ = h.Watch(h.now, second.shard, second, "7")
	j, _, _ = h.Complete(h.now, second.shard, w, nil)
	want(t, "online", j.Members, 1)
	want(t, "nobody is told of watchers", h.hears(watcher), []string(nil))

	h.SignOut("7")
	want(t, "signs out", h.hears(watcher), []string{offline("7")})
	want(t, "the second hears it, too", h.hears(second), []string{offline("7")})
	ended, emptied := h.UnsubscribeAll(h.now, watcher.shard, watcher)
	want(t, "no subscriptions to speak of", []int{ended, emptied}, []int{0, 0})
	h.UnsubscribeAll(h.now, second.shard, second)
	want(t, "nothing is left", h.Len(), 0)
	want(t, "no event", h.events, []string(nil))
}
