package channels_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// cacheable is an event that a cache channel keeps.
func cacheable(channel, payload string) protocol.Broadcast {
	return protocol.Broadcast{Channel: channel, Payload: []byte(payload), Cache: true}
}

func TestCache(t *testing.T) {
	tests := []struct {
		name       string
		occupied   bool // there is a subscriber when the event comes
		event      protocol.Broadcast
		after      time.Duration
		wantCached string
	}{
		{"nobody is there", false, cacheable("cache-x", "1"), 0, "1"},
		{"somebody is there", true, cacheable("cache-x", "1"), 0, "1"},
		{"just in time", true, cacheable("cache-x", "1"), time.Minute - 1, "1"},
		{"too late", true, cacheable("cache-x", "1"), time.Minute, ""},
		{"too late, nobody was there", false, cacheable("cache-x", "1"), time.Minute, ""},
		{"a time of its own", true, protocol.Broadcast{Channel: "cache-x", Payload: []byte("1"), Cache: true, CacheTTL: time.Second}, time.Second, ""},
		{"an event that is not kept", true, protocol.Broadcast{Channel: "cache-x", Payload: []byte("1")}, 0, ""},
		{"a channel that keeps nothing", true, cacheable("news", "1"), 0, ""},
		{"a presence channel", false, cacheable("presence-cache-x", "1"), 0, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHall(t, channels.Rules{CacheTTL: time.Minute}, nil)
			first, late := h.guest(), h.guest()
			if tt.occupied {
				h.subscribe(first, tt.event.Channel)
			}
			lent := []byte(string(tt.event.Payload))
			tt.event.Payload = lent
			h.Publish(h.now, tt.event)
			clear(lent)
			h.now = h.now.Add(tt.after)
			want(t, "a new subscriber gets", string(h.subscribe(late, tt.event.Channel).Cached), tt.wantCached)
			want(t, "and once more", string(h.subscribe(late, tt.event.Channel).Cached), tt.wantCached)
			want(t, "lookup", string(h.Lookup(h.now, tt.event.Channel).Cached), tt.wantCached)
			want(t, "but does not hear it as well", h.hears(late), []string(nil))
		})
	}
}

func TestCacheKeepsTheLast(t *testing.T) {
	h := newHall(t, channels.Rules{CacheTTL: time.Minute}, nil)
	h.Publish(h.now, cacheable("cache-x", "1"))
	h.now = h.now.Add(50 * time.Second)
	h.Publish(h.now, cacheable("cache-x", "2"))
	h.now = h.now.Add(50 * time.Second)
	h.Tick(h.now)
	info := h.Lookup(h.now, "cache-x")
	want(t, "cached", string(info.Cached), "2")
	want(t, "time left", info.Expires.Sub(h.now), 10*time.Second)
	h.Tick(info.Expires)
	want(t, "cached when its time is over", h.Lookup(h.now, "cache-x").Cached == nil, true)
}

// What is kept is bounded, also when every event is for another channel.
func TestCacheIsBounded(t *testing.T) {
	const bound, more = 100_000, 1000
	h := newHall(t, channels.Rules{CacheTTL: time.Minute}, nil)
	last := ""
	for i := range bound + more {
		last = "cache-" + strconv.Itoa(i)
		h.Publish(h.now, cacheable(last, "1"))
	}
	kept := 0
	for i := range bound + more {
		if h.Lookup(h.now, "cache-"+strconv.Itoa(i)).Cached != nil {
			kept++
		}
	}
	want(t, "events kept", kept, bound)
	want(t, "the newest is among them", h.Lookup(h.now, last).Cached != nil, true)
}
