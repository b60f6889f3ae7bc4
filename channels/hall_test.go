package channels_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A guest is a connection: what it is in, and what it has heard.
type guest struct {
	id    protocol.SocketID
	shard *channels.Shard
	subs  channels.Subscriptions
	heard []string
}

func (g *guest) SocketID() protocol.SocketID            { return g.id }
func (g *guest) Subscriptions() *channels.Subscriptions { return &g.subs }

// A hall is a registry and the loops around it: notes wait until they are delivered, as in an inbox.
type hall struct {
	*channels.Registry
	t      *testing.T
	now    time.Time
	shards [2]*channels.Shard
	notes  []channels.Note
	events []string
	ready  []channels.Waiter
	guests uint32
}

func newHall(t *testing.T, rules channels.Rules, cluster channels.Cluster) *hall {
	h := &hall{t: t, now: time.Unix(1_700_000_000, 0)}
	for i := range h.shards {
		h.shards[i] = channels.NewShard(i)
	}
	h.Registry = channels.NewRegistry(rules, channels.Hooks{Post: h.post, Observe: h.observe, Ready: h.waits}, cluster)
	return h
}

func (h *hall) post(n channels.Note) {
	n.Payload = slices.Clone(n.Payload)
	h.notes = append(h.notes, n)
}

func (h *hall) observe(e channels.Event) {
	text := strings.TrimRight(fmt.Sprint(e.Name, " ", e.Channel, " ", e.UserID), " ")
	if e.Name == channels.SubscriptionCount {
		text += fmt.Sprint(" ", e.Count)
	}
	h.events = append(h.events, text)
}

func (h *hall) waits(w channels.Waiter) { h.ready = append(h.ready, w) }

// guest returns a new connection; they live on the shards in turn.
func (h *hall) guest() *guest {
	h.guests++
	return &guest{id: protocol.NewSocketID(h.guests, 1), shard: h.shards[h.guests%2]}
}

// subscribe returns the answer, in which a presence channel's members are put in short.
func (h *hall) subscribe(g *guest, channel string, who ...protocol.Member) channels.Joined {
	h.t.Helper()
	j, err := h.trySubscribe(g, channel, who...)
	if err != nil {
		h.t.Fatalf("subscribe to %s: %v", channel, err)
	}
	return j
}

func (h *hall) trySubscribe(g *guest, channel string, who ...protocol.Member) (channels.Joined, error) {
	var m protocol.Member
	if len(who) > 0 {
		m = who[0]
	}
	return h.Subscribe(h.now, g.shard, g, []byte(channel), m, nil)
}

func (h *hall) unsubscribe(g *guest, channel string) (isEmpty bool) {
	h.t.Helper()
	own := g.subs.Find([]byte(channel))
	if own == nil {
		h.t.Fatalf("not subscribed to %s", channel)
	}
	return h.Unsubscribe(h.now, g.shard, g, own)
}

func (h *hall) publish(channel, payload string) {
	h.Publish(h.now, protocol.Broadcast{Channel: channel, Payload: []byte(payload)})
}

// deliver hands the notes to who is seated by now, as the loops do.
func (h *hall) deliver() {
	for _, n := range h.notes {
		for i, shard := range h.shards {
			seats := shard.Seats(n.Channel)
			if n.Shards>>i&1 == 0 {
				if len(seats) > 0 && seats[0].Since < n.Seq {
					h.t.Errorf("a note to %s leaves out a shard with subscribers", n.Channel.Name())
				}
				continue
			}
			for _, seat := range seats {
				isLate := n.IsLate && seat.IsAfter(n.Published)
				if g := seat.Subscriber.(*guest); seat.Since < n.Seq && !isLate && g.id != n.Except {
					g.heard = append(g.heard, string(n.Payload))
				}
			}
		}
	}
	h.notes = nil
}

// hears delivers, and returns what g has heard since the last time.
func (h *hall) hears(g *guest) []string {
	h.deliver()
	heard := g.heard
	g.heard = nil
	return heard
}

// want fails unless got is what is wanted.
func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s\n got %s\nwant %s", what, g, w)
	}
}

// member returns a user as channel_data has it.
func member(t *testing.T, id, name string) protocol.Member {
	t.Helper()
	m, err := protocol.ParseMember(fmt.Appendf(nil, `{"user_id":%q,"user_info":%q}`, id, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// present is the answer that a new subscriber of presence-room gets, by id and info of each member in order.
func present(members ...string) string {
	list := func(yield func(protocol.PresenceEntry) bool) {
		for _, m := range members {
			id, name, _ := strings.Cut(m, ":")
			if !yield(protocol.NewPresenceEntry(protocol.Member{ID: id, IDJSON: `"` + id + `"`, Info: `"` + name + `"`})) {
				return
			}
		}
	}
	return string(protocol.AppendPresenceSucceeded(nil, "presence-room", len(members), list))
}

func added(m protocol.Member) string {
	return string(protocol.AppendMemberAdded(nil, "presence-room", m.Data))
}

func removed(m protocol.Member) string {
	return string(protocol.AppendMemberRemoved(nil, "presence-room", m.IDJSON))
}
