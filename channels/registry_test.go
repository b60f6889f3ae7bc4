package channels_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

func TestSubscribe(t *testing.T) {
	h := newHall(t, channels.Rules{}, nil)
	a, b := h.guest(), h.guest()
	reply := func(channel string) string { return string(protocol.AppendSubscriptionSucceeded(nil, channel)) }
	tests := []struct {
		name             string
		guest            *guest
		channel          string
		isFirst, isAgain bool
	}{
		{"the first", a, "news", true, false},
		{"the second", b, "news", false, false},
		{"again", a, "news", false, true},
		{"another channel", a, "private-x", true, false},
		{"a cache channel", a, "cache-x", true, false},
	}
	for _, tt := range tests {
		j := h.subscribe(tt.guest, tt.channel)
		if string(j.Reply) != reply(tt.channel) || j.IsFirst != tt.isFirst || j.IsAgain != tt.isAgain || j.IsPending || j.Cached != nil {
			t.Errorf("%s: got %+v (%s)", tt.name, j, j.Reply)
		}
	}
	want(t, "subscriptions of a", a.subs.Len(), 3)
	want(t, "channels", h.Len(), 3)
	want(t, "subscribers are left", h.unsubscribe(a, "news"), false)
	want(t, "nobody is left", h.unsubscribe(b, "news"), true)
	ended, emptied := h.UnsubscribeAll(h.now, a.shard, a)
	want(t, "ended and emptied", []int{ended, emptied}, []int{2, 2})
	want(t, "channels at the end", h.Len(), 0)
}

// Who joins hears only what is numbered later, whenever the loops come to deliver it; who has left, nothing.
func TestOrder(t *testing.T) {
	h := newHall(t, channels.Rules{}, nil)
	a, b, c := h.guest(), h.guest(), h.guest()
	h.publish("news", "0")
	h.subscribe(a, "news")
	h.publish("news", "1")
	h.subscribe(b, "news")
	h.subscribe(c, "news")
	h.Publish(h.now, protocol.Broadcast{Channel: "news", Payload: []byte("2"), Except: a.id})
	h.unsubscribe(c, "news")
	h.publish("news", "3")
	h.publish("other", "4")
	want(t, "a hears", h.hears(a), []string{"1", "3"})
	want(t, "b hears", h.hears(b), []string{"2", "3"})
	want(t, "c hears", h.hears(c), []string(nil))
	h.subscribe(c, "news")
	h.publish("news", "5")
	want(t, "c hears when it is back", h.hears(c), []string{"5"})
}

func TestPresence(t *testing.T) {
	h := newHall(t, channels.Rules{}, nil)
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	a, a2, b, stranger, late := h.guest(), h.guest(), h.guest(), h.guest(), h.guest()

	want(t, "the first hears of itself", string(h.subscribe(a, "presence-room", ann).Reply), present("1:Ann"))
	want(t, "the same user again", string(h.subscribe(a2, "presence-room", ann).Reply), present("1:Ann"))
	want(t, "nobody was told of that", h.hears(a), []string(nil))
	want(t, "another user", string(h.subscribe(b, "presence-room", bob).Reply), present("1:Ann", "2:Bob"))
	want(t, "all others are told", h.hears(a), []string{added(bob)})
	want(t, "the second connection, too", h.hears(a2), []string{added(bob)})
	want(t, "but not who has come", h.hears(b), []string(nil))
	want(t, "one who is no member sees all", string(h.subscribe(stranger, "presence-room").Reply), present("1:Ann", "2:Bob"))
	want(t, "and is not announced", h.hears(b), []string(nil))

	h.unsubscribe(a, "presence-room")
	want(t, "a user with another connection stays", h.hears(b), []string(nil))
	h.UnsubscribeAll(h.now, a2.shard, a2)
	want(t, "and leaves with the last", h.hears(b), []string{removed(ann)})
	h.unsubscribe(stranger, "presence-room")
	want(t, "nobody misses one who is no member", h.hears(b), []string(nil))

	ids, known := h.Users("presence-room")
	want(t, "users", ids, []string{"2"})
	want(t, "a known channel", known, true)
	renamed := member(t, "2", "Bobby")
	b2 := h.guest()
	want(t, "new data of a user", string(h.subscribe(b2, "presence-room", renamed).Reply), present("2:Bobby"))
	want(t, "is not announced", h.hears(b), []string(nil))
	want(t, "but shown to later ones", string(h.subscribe(late, "presence-room").Reply), present("2:Bobby"))
	want(t, "events", h.events, []string{
		"channel_occupied presence-room", "member_added presence-room 1", "member_added presence-room 2", "member_removed presence-room 1",
	})
}

// Subscribing again as somebody else: the old user goes before the new one comes.
func TestPresenceAgainAsAnother(t *testing.T) {
	h := newHall(t, channels.Rules{}, nil)
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	a, b := h.guest(), h.guest()
	h.subscribe(b, "presence-room")
	h.subscribe(a, "presence-room", ann)
	j := h.subscribe(a, "presence-room", bob)
	want(t, "is answered", string(j.Reply), present("2:Bob"))
	want(t, "again", j.IsAgain, true)
	want(t, "the others hear", h.hears(b), []string{added(ann), removed(ann), added(bob)})
	h.subscribe(a, "presence-room", bob)
	want(t, "as the same nobody hears anything", h.hears(b), []string(nil))
	want(t, "user of the subscription", a.subs.Find([]byte("presence-room")).UserID(), "2")
}

func TestMaxMembers(t *testing.T) {
	h := newHall(t, channels.Rules{MaxMembers: 1}, nil)
	a, b := h.guest(), h.guest()
	h.subscribe(a, "presence-room", member(t, "1", "Ann"))
	if _, err := h.trySubscribe(b, "presence-room", member(t, "2", "Bob")); !errors.Is(err, protocol.ErrTooManyMembers) {
		t.Errorf("one too many: %v", err)
	}
	want(t, "nothing has changed", b.subs.Len(), 0)
	h.subscribe(b, "presence-room", member(t, "1", "Ann"))
	h.subscribe(h.guest(), "presence-room")
	if _, err := h.trySubscribe(b, "presence-room", member(t, "2", "Bob")); !errors.Is(err, protocol.ErrTooManyMembers) {
		t.Errorf("one too many, subscribing again: %v", err)
	}
	h.SetRules(channels.Rules{MaxMembers: 2})
	h.subscribe(b, "presence-room", member(t, "2", "Bob"))
}

// TestSeats subscribes and leaves in random order, against a map: every subscriber hears every message of
// its channels once, however the seats have been moved about.
func TestSeats(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHall(t, channels.Rules{}, nil)
	guests := make([]*guest, 30)
	in := make(map[*guest]map[string]bool)
	for i := range guests {
		guests[i] = h.guest()
		in[guests[i]] = make(map[string]bool)
	}
	for range 5000 {
		g, channel := guests[random.IntN(len(guests))], "channel-"+strconv.Itoa(random.IntN(8))
		switch {
		case random.IntN(20) == 0:
			if ended, _ := h.UnsubscribeAll(h.now, g.shard, g); ended != len(in[g]) {
				t.Fatalf("%d subscriptions ended, want %d", ended, len(in[g]))
			}
			clear(in[g])
		case in[g][channel]:
			h.unsubscribe(g, channel)
			delete(in[g], channel)
		default:
			h.subscribe(g, channel)
			in[g][channel] = true
		}
		h.publish(channel, channel)
		for _, g := range guests {
			wanted := []string(nil)
			if in[g][channel] {
				wanted = []string{channel}
			}
			if got := h.hears(g); !slices.Equal(got, wanted) {
				t.Fatalf("%v heard %q, want %q", g.id, got, wanted)
			}
		}
	}
}

func TestSubscriptionCount(t *testing.T) {
	h := newHall(t, channels.Rules{CountSubscriptions: true}, nil)
	count := func(n int) string { return string(protocol.AppendSubscriptionCount(nil, "news", n)) }
	first := h.guest()
	h.subscribe(first, "news")
	want(t, "the first hears of one", h.hears(first), []string{count(1)})
	var others []*guest
	for range 99 {
		others = append(others, h.guest())
		h.subscribe(others[len(others)-1], "news")
	}
	h.unsubscribe(others[0], "news")
	h.subscribe(others[0], "news")
	heard := h.hears(first)
	want(t, "each change is announced", len(heard), 101)
	want(t, "with the number", heard[98:], []string{count(100), count(99), count(100)})

	for range 50 {
		h.subscribe(h.guest(), "news")
	}
	want(t, "in a crowd only once in a while", h.hears(first), []string(nil))
	h.Tick(h.now.Add(4 * time.Second))
	want(t, "and not yet", h.hears(first), []string(nil))
	h.now = h.now.Add(5 * time.Second)
	h.Tick(h.now)
	want(t, "but then", h.hears(first), []string{count(150)})
	h.Tick(h.now.Add(time.Minute))
	want(t, "once", h.hears(first), []string(nil))
	want(t, "the hooks hear the same", h.events[len(h.events)-1], "subscription_count news 150")

	for _, channel := range []string{"presence-room", "private-encrypted-x"} {
		g := h.guest()
		h.subscribe(g, channel)
		want(t, "no number on "+channel, h.hears(g), []string(nil))
	}
}

func TestShardIndex(t *testing.T) {
	for _, index := range []int{-1, channels.MaxShards} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewShard(%d) does not panic", index)
				}
			}()
			channels.NewShard(index)
		}()
	}
}
