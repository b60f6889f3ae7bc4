package channels_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A script is a cluster that only writes down what it is told: the test plays what other nodes do.
type script struct {
	said   []string
	isAway bool
	asker  uint64 // of the last Sync
}

func (s *script) note(words ...any)           { s.said = append(s.said, fmt.Sprintln(words...)) }
func (s *script) Link(channel string)         { s.note("link", channel) }
func (s *script) Unlink(channel string)       { s.note("unlink", channel) }
func (s *script) Leave(channel, user string)  { s.note("leave", channel, user) }
func (s *script) Count(channel string, n int) { s.note("count", channel, n) }
func (s *script) IsAway() bool                { return s.isAway }
func (s *script) Join(channel string, m protocol.Member, limit int) {
	s.note("join", channel, m.ID, "limit", limit)
}
func (s *script) Announce(channel string, payload []byte) {
	s.note("announce", channel, string(payload))
}
func (s *script) Sync(channel string, h protocol.Holding, limit int) {
	var ids []string
	for _, m := range h.Members {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	s.asker = h.Asker
	s.note("sync", channel, h.Subscriptions, ids, "limit", limit)
}

// A clusterTest is a hall whose registry is one node's part of a cluster.
type clusterTest struct {
	*hall
	script *script
}

func newClusterTest(t *testing.T, rules channels.Rules) *clusterTest {
	s := new(script)
	return &clusterTest{newHall(t, rules, s), s}
}

// tells fails unless these lines are what the cluster was told since the last time.
func (c *clusterTest) tells(what string, lines ...string) {
	c.t.Helper()
	wanted := make([]string, len(lines))
	for i, l := range lines {
		wanted[i] = l + "\n"
	}
	want(c.t, what, fmt.Sprintf("%q", c.script.said), fmt.Sprintf("%q", wanted))
	c.script.said = nil
}

// Linked answers the last Sync, unless the snapshot is the answer to another one.
func (c *clusterTest) Linked(now time.Time, channel string, s protocol.Snapshot) {
	s.Asker = cmp.Or(s.Asker, c.script.asker)
	c.Registry.Linked(now, channel, s)
}

// waitsFor subscribes, and fails if that is answered at once.
func (c *clusterTest) waitsFor(g *guest, channel string, who ...protocol.Member) {
	c.t.Helper()
	if j := c.subscribe(g, channel, who...); !j.IsPending || j.Reply != nil {
		c.t.Errorf("subscribe to %s was answered at once: %s", channel, j.Reply)
	}
}

// answer completes the subscribe that is ready, which must be one of g's, and returns what it is told.
func (c *clusterTest) answer(g *guest) string {
	c.t.Helper()
	if len(c.ready) == 0 || c.ready[0].Subscriber != channels.Subscriber(g) {
		return "(nothing)"
	}
	w := c.ready[0]
	c.ready = c.ready[1:]
	j, ok, err := c.Complete(c.now, g.shard, w, nil)
	switch {
	case err != nil:
		return err.Error()
	case !ok:
		return "(not subscribed any more)"
	}
	return string(j.Reply) + string(j.Cached)
}

func change(kind protocol.ChangeKind, seq uint64, m protocol.Member) protocol.Change {
	return protocol.Change{Channel: "presence-room", Seq: seq, Kind: kind, Member: m}
}

func TestLink(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	a, b := c.guest(), c.guest()
	reply := string(protocol.AppendSubscriptionSucceeded(nil, "news"))

	c.waitsFor(a, "news")
	c.tells("the first subscribe", "link news")
	c.waitsFor(b, "news")
	c.tells("the second")
	c.publish("news", "early")
	want(t, "who waits hears nothing", c.hears(a), []string(nil))
	c.Heard("news")
	c.tells("messages arrive", "sync news 2 [] limit 0")
	want(t, "still not answered", c.answer(a), "(nothing)")
	c.Linked(c.now, "news", protocol.Snapshot{})
	want(t, "answer of a", c.answer(a), reply)
	c.publish("news", "1")
	want(t, "answer of b", c.answer(b), reply)
	c.tells("both have a seat", "count news 1", "count news 2")
	want(t, "a hears", c.hears(a), []string{"1"})
	want(t, "b came later", c.hears(b), []string(nil))

	third := c.guest()
	want(t, "from now on there is nothing to wait for", string(c.subscribe(third, "news").Reply), reply)
	want(t, "again", string(c.subscribe(third, "news").Reply), reply)
	c.script.said = nil
	for _, g := range []*guest{a, b, third} {
		c.unsubscribe(g, "news")
	}
	c.tells("all have left", "count news 2", "count news 1", "count news 0", "unlink news")
	c.Heard("news")
	c.Linked(c.now, "news", protocol.Snapshot{})
	c.tells("what comes too late")
}

// Somebody who leaves while waiting has never been there.
func TestLeaveWhileWaiting(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	a, b := c.guest(), c.guest()
	ann := member(t, "1", "Ann")
	c.waitsFor(a, "presence-room", ann)
	c.waitsFor(b, "presence-room")
	c.unsubscribe(a, "presence-room")
	c.tells("until then", "join presence-room 1 limit 0", "link presence-room", "leave presence-room 1", "count presence-room 0")
	c.Heard("presence-room")
	c.Linked(c.now, "presence-room", protocol.Snapshot{})
	want(t, "b", c.answer(b), present())
	want(t, "a", c.answer(a), "(nothing)")
	c.Change(change(protocol.MemberJoined, 1, ann))
	c.Change(change(protocol.MemberLeft, 2, ann))
	want(t, "the other hears that she was there", c.hears(b), []string{added(ann), removed(ann)})
	c.now = c.now.Add(2 * time.Second)
	c.Tick(c.now)
	want(t, "and no more of it", c.hears(b), []string(nil))
	c.waitsFor(a, "presence-room", ann)
	a2 := c.guest()
	c.waitsFor(a2, "presence-room", ann)
	c.Change(change(protocol.MemberJoined, 3, ann))
	want(t, "once more", c.answer(a), present("1:Ann"))
	want(t, "another connection of hers", c.answer(a2), present("1:Ann"))
	want(t, "the other hears of it once", c.hears(b), []string{added(ann)})
}

// Who subscribes again while waiting, as somebody else, is answered as the latter.
func TestBecomeAnotherWhileWaiting(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob, eve := member(t, "1", "Ann"), member(t, "2", "Bob"), member(t, "3", "Eve")
	e := c.linkedWith(eve, protocol.Snapshot{Seq: 1, Members: []protocol.Member{eve}})
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.waitsFor(a, "presence-room", bob)
	c.tells("the cluster", "join presence-room 1 limit 0", "leave presence-room 1", "join presence-room 2 limit 0")
	c.Change(change(protocol.MemberJoined, 2, ann))
	c.Change(change(protocol.MemberLeft, 3, ann))
	want(t, "not yet", c.answer(a), "(nothing)")
	c.Change(change(protocol.MemberJoined, 4, bob))
	want(t, "now", c.answer(a), present("3:Eve", "2:Bob"))
	want(t, "and once more, since it has asked twice", c.answer(a), present("3:Eve", "2:Bob"))
	c.now = c.now.Add(2 * time.Second)
	c.Tick(c.now)
	want(t, "the other hears", c.hears(e), []string{added(ann), removed(ann), added(bob)})
	want(t, "no third answer", len(c.ready), 0)
	b := c.guest()
	c.waitsFor(b, "presence-room", ann)
	c.waitsFor(b, "presence-room", bob)
	want(t, "or at once, if the latter is there already", c.answer(b), present("3:Eve", "2:Bob"))
}

// A member is answered when all nodes have it in their lists, in the order that all agree on.
func TestJoin(t *testing.T) {
	c := newClusterTest(t, channels.Rules{MaxMembers: 10})
	ann, bob, eve := member(t, "1", "Ann"), member(t, "2", "Bob"), member(t, "3", "Eve")
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.tells("a subscribe", "join presence-room 1 limit 10", "link presence-room")
	c.Heard("presence-room")
	c.tells("messages arrive", "sync presence-room 1 [1] limit 10")
	c.Change(change(protocol.MemberJoined, 9, eve)) // before the answer it applies to
	c.Change(change(protocol.MemberJoined, 8, ann))
	c.Linked(c.now, "presence-room", protocol.Snapshot{Seq: 8, Members: []protocol.Member{bob, ann}})
	want(t, "answer of a", c.answer(a), present("2:Bob", "1:Ann", "3:Eve"))

	b := c.guest()
	want(t, "who is in the list need not wait", string(c.subscribe(b, "presence-room", bob).Reply), present("2:Bob", "1:Ann", "3:Eve"))
}

// TestChanges plays changes to a node whose members are Ann, who is here, and Bob, who is not.
func TestChanges(t *testing.T) {
	ann, bob, eve := member(t, "1", "Ann"), member(t, "2", "Bob"), member(t, "3", "Eve")
	joined, updated, left := protocol.MemberJoined, protocol.MemberUpdated, protocol.MemberLeft
	const syncs = "sync presence-room 1 [1] limit 0"
	tests := []struct {
		name     string
		changes  []protocol.Change
		hears    []string
		tells    []string
		wantList []string
	}{
		{"joins", []protocol.Change{change(joined, 6, eve)}, []string{added(eve)}, nil, []string{"1", "2", "3"}},
		{"leaves", []protocol.Change{change(left, 6, bob)}, []string{removed(bob)}, nil, []string{"1"}},
		{"leaves and returns", []protocol.Change{change(left, 6, bob), change(joined, 7, bob)}, []string{removed(bob), added(bob)}, nil, []string{"1", "2"}},
		{"a known number", []protocol.Change{change(left, 5, bob), change(left, 1, bob)}, nil, nil, []string{"1", "2"}},
		{"twice", []protocol.Change{change(joined, 6, eve), change(joined, 6, eve)}, []string{added(eve)}, nil, []string{"1", "2", "3"}},
		{"a number is missing", []protocol.Change{change(left, 7, bob)}, nil, []string{syncs}, []string{"1", "2"}},
		{"changed data", []protocol.Change{change(updated, 6, member(t, "2", "Bobby"))}, nil, nil, []string{"1", "2"}},
		{"a stranger leaves", []protocol.Change{change(left, 6, eve)}, nil, nil, []string{"1", "2"}},
		{"who is here is taken for gone", []protocol.Change{change(left, 6, ann)}, nil, []string{"join presence-room 1 limit 0"}, []string{"1", "2"}},
		{"and joins again", []protocol.Change{change(left, 6, ann), change(joined, 7, ann)}, nil, []string{"join presence-room 1 limit 0"}, []string{"1", "2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClusterTest(t, channels.Rules{})
			a := c.linkedWith(ann, protocol.Snapshot{Seq: 5, Members: []protocol.Member{ann, bob}})
			for _, change := range tt.changes {
				c.Change(change)
			}
			want(t, "a hears", c.hears(a), tt.hears)
			c.tells("the cluster", tt.tells...)
			ids, _ := c.Users("presence-room")
			want(t, "users", ids, tt.wantList)
		})
	}
}

// linkedWith returns a guest that is who, and was answered with a snapshot.
func (c *clusterTest) linkedWith(who protocol.Member, s protocol.Snapshot) *guest {
	c.t.Helper()
	g := c.guest()
	c.waitsFor(g, "presence-room", who)
	c.Heard("presence-room")
	c.Linked(c.now, "presence-room", s)
	if got := c.answer(g); got == "(nothing)" {
		c.t.Fatal("not answered")
	}
	c.script.said = nil
	return g
}

// TestResync plays snapshots that come after something was missed.
func TestResync(t *testing.T) {
	ann, bob, eve := member(t, "1", "Ann"), member(t, "2", "Bob"), member(t, "3", "Eve")
	tests := []struct {
		name     string
		snapshot protocol.Snapshot
		hears    []string
		wantList []string
	}{
		{"the same", protocol.Snapshot{Seq: 5, Members: []protocol.Member{ann, bob}}, nil, []string{"1", "2"}},
		{"one has come and one has gone", protocol.Snapshot{Seq: 7, Members: []protocol.Member{ann, eve}}, []string{added(eve), removed(bob)}, []string{"1", "3"}},
		{"who is here is on the way there", protocol.Snapshot{Seq: 6, Members: []protocol.Member{bob}}, nil, []string{"1", "2"}},
		{"an old one", protocol.Snapshot{Seq: 4, Members: []protocol.Member{ann}}, nil, []string{"1", "2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClusterTest(t, channels.Rules{})
			a := c.linkedWith(ann, protocol.Snapshot{Seq: 5, Members: []protocol.Member{ann, bob}})
			c.Resync()
			c.tells("resync", "sync presence-room 1 [1] limit 0")
			c.Linked(c.now, "presence-room", tt.snapshot)
			want(t, "a hears", c.hears(a), tt.hears)
			ids, _ := c.Users("presence-room")
			want(t, "users", ids, tt.wantList)
			c.Change(change(protocol.MemberJoined, max(tt.snapshot.Seq, 5)+1, member(t, "4", "Zoe")))
			want(t, "the next change fits", c.hears(a), []string{added(member(t, "4", "Zoe"))})
		})
	}
}

// A channel whose messages do not arrive yet is not asked for, or its subscribers would be answered too early.
func TestResyncBeforeHeard(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	c.waitsFor(c.guest(), "news")
	c.tells("a subscribe", "link news")
	c.Resync()
	c.tells("resync")
}

// A user with several connections joins with the first and leaves with the last.
func TestJoinAndLeaveOnce(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann := member(t, "1", "Ann")
	a := c.linkedWith(ann, protocol.Snapshot{Seq: 1, Members: []protocol.Member{ann}})
	a2, b := c.guest(), c.guest()
	c.subscribe(a2, "presence-room", ann)
	c.subscribe(b, "presence-room", member(t, "1", "Annie"))
	c.tells("second connections", "count presence-room 2", "join presence-room 1 limit 0", "count presence-room 3")
	c.Change(change(protocol.MemberUpdated, 2, member(t, "1", "Annie")))
	want(t, "who comes later sees new data", string(c.subscribe(c.guest(), "presence-room").Reply), present("1:Annie"))
	c.script.said = nil
	c.unsubscribe(a, "presence-room")
	c.unsubscribe(b, "presence-room")
	c.tells("two of three leave", "count presence-room 3", "count presence-room 2")
	c.unsubscribe(a2, "presence-room")
	c.tells("the last leaves", "leave presence-room 1", "count presence-room 1")
}

func TestRefused(t *testing.T) {
	c := newClusterTest(t, channels.Rules{MaxMembers: 1})
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	c.linkedWith(ann, protocol.Snapshot{Seq: 1, Members: []protocol.Member{ann}})
	b, other := c.guest(), c.guest()
	c.waitsFor(b, "presence-room", bob)
	c.waitsFor(other, "presence-room", member(t, "3", "Eve"))
	c.Refused("presence-room", "2")
	c.Refused("other", "2")
	want(t, "the refused one", c.answer(b), protocol.ErrTooManyMembers.Error())
	want(t, "its subscription", b.subs.Len(), 0)
	want(t, "the other waits", c.answer(other), "(nothing)")
	c.tells("the cluster", "join presence-room 2 limit 1", "join presence-room 3 limit 1", "leave presence-room 2", "count presence-room 1")
}

// While it is known that Redis is away, subscribers are answered at once, and so are those who wait already.
func TestKnownToBeAway(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	a, b, d := c.guest(), c.guest(), c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.script.isAway = true
	c.Tick(c.now)
	want(t, "the one who waited", c.answer(a), present("1:Ann"))
	c.waitsFor(b, "presence-room", bob)
	want(t, "another member", c.answer(b), present("1:Ann", "2:Bob"))
	want(t, "which the first hears of", c.hears(a), []string{added(bob)})
	c.waitsFor(d, "private-new", protocol.Member{})
	if got := c.answer(d); got == "(nothing)" {
		t.Error("a subscriber of a channel that was empty waits")
	}
	eve := member(t, "3", "Eve")
	c.script.isAway = false
	c.Heard("presence-room")
	c.Linked(c.now, "presence-room", protocol.Snapshot{Seq: 3, Members: []protocol.Member{eve, ann, bob}})
	want(t, "when Redis is back", c.hears(a), []string{added(eve)})
	want(t, "and nobody is answered twice", len(c.ready), 0)
}

// With Redis away, a subscriber is answered after two seconds with what is known here. The rest comes as changes.
func TestGiveUpWaiting(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob := member(t, "1", "Ann"), member(t, "2", "Bob")
	a := c.guest()
	c.waitsFor(a, "presence-room", ann)
	c.Tick(c.now.Add(2*time.Second - 1))
	want(t, "not yet", c.answer(a), "(nothing)")
	c.now = c.now.Add(2 * time.Second)
	c.Tick(c.now)
	want(t, "known here", c.answer(a), present("1:Ann"))
	b := c.guest()
	c.waitsFor(b, "presence-room", bob)
	c.now = c.now.Add(2 * time.Second)
	c.Tick(c.now)
	want(t, "the second, too", c.answer(b), present("1:Ann", "2:Bob"))
	want(t, "which the first hears of", c.hears(a), []string{added(bob)})
	eve := member(t, "3", "Eve")
	c.Heard("presence-room")
	c.Linked(c.now, "presence-room", protocol.Snapshot{Seq: 3, Members: []protocol.Member{eve, ann, bob}})
	want(t, "when Redis is back", c.hears(a), []string{added(eve)})
	want(t, "and nobody is answered twice", len(c.ready), 0)
}

// Messages between nodes have numbers: one that is in the snapshot already is not heard again.
func TestClusterCache(t *testing.T) {
	c := newClusterTest(t, channels.Rules{CacheTTL: time.Minute})
	a := c.guest()
	reply := string(protocol.AppendSubscriptionSucceeded(nil, "cache-x"))
	event := func(id uint64, payload string) protocol.Broadcast {
		return protocol.Broadcast{Channel: "cache-x", Payload: []byte(payload), Cache: true, ID: id}
	}
	c.waitsFor(a, "cache-x")
	c.Heard("cache-x")
	c.Linked(c.now, "cache-x", protocol.Snapshot{Cached: []byte("seven"), CachedID: 7, CachedFor: time.Second})
	want(t, "the answer has what is kept", c.answer(a), reply+"seven")
	c.Publish(c.now, event(6, "six"))
	c.Publish(c.now, event(7, "seven"))
	want(t, "that is not heard again", c.hears(a), []string(nil))
	c.Linked(c.now, "cache-x", protocol.Snapshot{Cached: []byte("five"), CachedID: 5, CachedFor: time.Second})
	want(t, "an old snapshot changes nothing", string(c.Lookup(c.now, "cache-x").Cached), "seven")
	want(t, "its time is that of the cluster", c.Lookup(c.now.Add(time.Second), "cache-x").Cached == nil, true)
	c.Publish(c.now, event(8, "eight"))
	want(t, "the next is", c.hears(a), []string{"eight"})
}

// A snapshot may be here before the events it has the last of. They are for those who were here before it.
func TestSnapshotOvertakesEvents(t *testing.T) {
	c := newClusterTest(t, channels.Rules{CacheTTL: time.Minute})
	first, second, third := c.guest(), c.guest(), c.guest()
	reply := string(protocol.AppendSubscriptionSucceeded(nil, "cache-x"))
	publish := func(id uint64) {
		c.Publish(c.now, protocol.Broadcast{Channel: "cache-x", Payload: fmt.Append(nil, id), Cache: true, ID: id})
	}
	overtake := func(id uint64) {
		c.Linked(c.now, "cache-x", protocol.Snapshot{Cached: fmt.Append(nil, id), CachedID: id, CachedFor: time.Minute})
	}
	subscribe := func(g *guest) string {
		j := c.subscribe(g, "cache-x")
		return string(j.Reply) + string(j.Cached)
	}
	hear := func(what string, a, b, d []string) {
		t.Helper()
		want(t, "the first, "+what, c.hears(first), a)
		want(t, "the second, "+what, c.hears(second), b)
		want(t, "the third, "+what, c.hears(third), d)
	}
	c.waitsFor(first, "cache-x")
	c.Heard("cache-x")
	c.Linked(c.now, "cache-x", protocol.Snapshot{})
	want(t, "the first is answered", c.answer(first), reply)
	publish(10)
	c.hears(first)
	overtake(12)
	want(t, "the second is answered", subscribe(second), reply+"12")
	overtake(14)
	want(t, "the third is answered", subscribe(third), reply+"14")
	overtake(13)
	c.publish("cache-x", "client event")
	hear("besides", []string{"client event"}, []string{"client event"}, []string{"client event"})
	for id := range uint64(5) {
		publish(11 + id)
		want(t, "kept", string(c.Lookup(c.now, "cache-x").Cached), fmt.Sprint(max(14, 11+id)))
	}
	hear("later", []string{"11", "12", "13", "14", "15"}, []string{"13", "14", "15"}, []string{"15"})

	const minute = uint64(60_000) << 21
	overtake(20 + 2*minute)
	publish(16)
	want(t, "after a clock was set back, kept", string(c.Lookup(c.now, "cache-x").Cached), "16")
	hear("after a clock was set back", []string{"16"}, []string{"16"}, []string{"16"})
}

// Snapshots whose events do not come are not kept for ever: of very many the first is forgotten, and who was answered with it hears
// what was before it.
func TestManySnapshots(t *testing.T) {
	c := newClusterTest(t, channels.Rules{CacheTTL: time.Minute})
	first, second, third := c.guest(), c.guest(), c.guest()
	overtake := func(from, to uint64) {
		for id := from; id <= to; id++ {
			c.Linked(c.now, "cache-x", protocol.Snapshot{Cached: []byte("x"), CachedID: id, CachedFor: time.Minute})
		}
	}
	publish := func(id uint64, payload string) {
		c.Publish(c.now, protocol.Broadcast{Channel: "cache-x", Payload: []byte(payload), Cache: true, ID: id})
	}
	c.waitsFor(first, "cache-x")
	c.Heard("cache-x")
	c.Linked(c.now, "cache-x", protocol.Snapshot{})
	c.answer(first)
	overtake(10, 10)
	c.subscribe(second, "cache-x")
	publish(8, "8")
	want(t, "the second, of what was before its answer", c.hears(second), []string(nil))
	overtake(11, 1000)
	c.subscribe(third, "cache-x")
	publish(9, "9")
	publish(1001, "1001")
	want(t, "the first", c.hears(first), []string{"8", "9", "1001"})
	want(t, "the second, whose snapshot is forgotten", c.hears(second), []string{"9", "1001"})
	want(t, "the third", c.hears(third), []string{"1001"})
}

// The number of subscriptions is that of all nodes, and announced by the node that learns of it.
func TestCounted(t *testing.T) {
	c := newClusterTest(t, channels.Rules{CountSubscriptions: true})
	a := c.guest()
	c.waitsFor(a, "news")
	c.Heard("news")
	c.Linked(c.now, "news", protocol.Snapshot{})
	c.answer(a)
	want(t, "nothing is announced here", c.hears(a), []string(nil))
	c.script.said = nil
	announce := func(n int) string {
		return "announce news " + string(protocol.AppendSubscriptionCount(nil, "news", n))
	}
	c.Counted(c.now, "news", 5)
	c.tells("five", announce(5))
	c.Counted(c.now, "news", 0)
	c.tells("nobody is there to hear of none")
	c.Counted(c.now, "news", 150)
	c.tells("a crowd, too soon after the last")
	c.Counted(c.now.Add(5*time.Second), "news", 151)
	c.tells("and later", announce(151))
	c.Counted(c.now, "presence-room", 3)
	c.tells("presence channels have members instead")
}

func TestClusterWatch(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	watcher := c.guest()
	w, isReady := c.Watch(c.now, watcher.shard, watcher, "7")
	want(t, "known at once", isReady, false)
	c.tells("a watcher", "link \x00online:7")
	c.Heard("\x00online:7")
	c.tells("has no subscription that counts", "sync \x00online:7 0 [] limit 0")
	c.Linked(c.now, "\x00online:7", protocol.Snapshot{Seq: 1, Members: []protocol.Member{{ID: "7"}}})
	want(t, "ready", len(c.ready), 1)
	j, ok, err := c.Complete(c.now, watcher.shard, w, nil)
	want(t, "online", []any{j.Members, ok, err}, []any{1, true, nil})
	c.Change(protocol.Change{Channel: "\x00online:7", Seq: 2, Kind: protocol.MemberLeft, Member: protocol.Member{ID: "7"}})
	want(t, "goes", c.hears(watcher), []string{offline("7")})
	c.script.said = nil
	c.SignIn("7")
	c.tells("signs in here", "join \x00online:7 7 limit 0")
	c.Change(protocol.Change{Channel: "\x00online:7", Seq: 3, Kind: protocol.MemberJoined, Member: protocol.Member{ID: "7"}})
	want(t, "comes", c.hears(watcher), []string{online("7")})
	c.SignOut("7")
	c.tells("signs out", "leave \x00online:7 7")
}

// A snapshot can come after changes that are newer than it. A user who has left and returned is answered all the same.
func TestReturnAndOldSnapshot(t *testing.T) {
	c := newClusterTest(t, channels.Rules{})
	ann, bob, eve := member(t, "1", "Ann"), member(t, "2", "Bob"), member(t, "3", "Eve")
	c.linkedWith(eve, protocol.Snapshot{Seq: 5, Members: []protocol.Member{eve, ann}}) // Ann is on another node
	a := c.guest()
	c.subscribe(a, "presence-room", ann)
	c.unsubscribe(a, "presence-room")
	c.script.said = nil
	c.waitsFor(a, "presence-room", ann)
	c.tells("the channel is asked for", "sync presence-room 1 [1 3] limit 0")
	c.Change(change(protocol.MemberJoined, 6, bob))
	c.Linked(c.now, "presence-room", protocol.Snapshot{Seq: 5, Members: []protocol.Member{eve, ann}})
	want(t, "answer", c.answer(a), present("3:Eve", "1:Ann", "2:Bob"))
}
