package channels_test

import (
	"testing"

	"github.com/reverb-go/reverb-go/channels"
)

func TestList(t *testing.T) {
	h := newHall(t, channels.Rules{}, nil)
	a, b := h.guest(), h.guest()
	h.subscribe(a, "presence-room", member(t, "1", "Ann"))
	h.subscribe(b, "presence-room", member(t, "1", "Ann"))
	for _, channel := range []string{"news", "b", "a", "#server-to-user-1"} {
		h.subscribe(a, channel)
	}
	h.Watch(h.now, a.shard, a, "1")
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", []string{"presence-room", "news", "b", "a"}},
		{"presence-", []string{"presence-room"}},
		{"presence-rooms", nil},
		{"#", nil},
		{"\x00", nil},
	}
	for _, tt := range tests {
		var got []string
		for _, info := range h.List(h.now, tt.prefix) {
			got = append(got, info.Name)
		}
		want(t, "channels that begin with "+tt.prefix, got, tt.want)
	}
	info := h.Lookup(h.now, "presence-room")
	want(t, "subscriptions and users", []int{info.Subscriptions, info.Users}, []int{2, 1})
	want(t, "its subscribers", h.Subscribers([]byte("presence-room")), info.Subscriptions)
	want(t, "those of an unknown channel", h.Subscribers([]byte("other")), 0)
	want(t, "an unknown channel", h.Lookup(h.now, "other"), channels.Info{Name: "other"})

	for channel, wantKnown := range map[string]bool{"news": true, "other": false} {
		ids, known := h.Users(channel)
		want(t, "users of "+channel, ids, []string(nil))
		want(t, "whether there is a channel "+channel, known, wantKnown)
	}
}
