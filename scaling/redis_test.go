package scaling

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

const room = "presence-room"

func event(channel, payload string) protocol.Broadcast {
	return protocol.Broadcast{AppID: "1", Channel: channel, Payload: []byte(payload)}
}

func TestLocal(t *testing.T) {
	n := &testNode{t: t, change: make(chan struct{})}
	l := NewLocal()
	l.Start(n)
	l.Publish(protocol.Broadcast{AppID: "1", Channel: "news", Payload: []byte("1"), Except: 7, Cache: true})
	l.Publish(event("news", "2"))
	want(t, "delivered before Publish returns", n.all(), []string{"deliver news 1 except 7 cache true", "deliver news 2 except 0 cache false"})
}

// Both nodes hear what either publishes, once, in one order; a node that has not asked for a channel hears nothing.
func TestPublish(t *testing.T) {
	addr := startRedis(t)
	a, b, deaf := newNode(t, addr), newNode(t, addr), newNode(t, addr)
	a.link(room)
	b.link(room)
	deaf.link("news")
	for i := range 50 {
		a.Publish(event(room, fmt.Sprint("a", i)))
		b.Publish(protocol.Broadcast{AppID: "1", Channel: room, Payload: fmt.Append(nil, "b", i), Except: 7, Cache: true, CacheTTL: time.Minute})
	}
	a.reach(a, b)
	b.reach(a, b)
	ours, theirs := a.heard("deliver"), b.heard("deliver")
	want(t, "the order on both nodes", ours, theirs)
	want(t, "messages", len(ours), 100)
	for _, from := range []string{"a%d except 0 cache false", "b%d except 7 cache true"} {
		last := -1
		for i := range 50 {
			at := slices.Index(ours, "deliver "+room+" "+fmt.Sprintf(from, i))
			if at <= last {
				t.Fatalf("message %d (%s) is at %d, after one at %d", i, from, at, last)
			}
			last = at
		}
	}
	want(t, "a node without subscribers", deaf.heard("deliver"), []string(nil))
}

// A publisher that does not know whether its message arrived says it again: nobody hears it twice.
func TestPublishAgain(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	b.link(room)
	p := placeOf("1", room)
	envelope := appendEvent(nil, a.instance, 1, 0, event(room, "1"))
	for range 3 {
		a.queue.add(op{script: scriptPublish, bucket: p.bucket, publish: true, args: []any{1, p.name, envelope, 0}})
	}
	b.reach(a)
	want(t, "heard", b.heard("deliver"), []string{"deliver " + room + " 1 except 0 cache false"})
}

// TestMembers plays joins and leaves on two nodes. Each step says which changes both are told, in order, and what the
// node that does it is told besides.
func TestMembers(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	a.link(room)
	b.link(room)
	ann, bob := user("1", `"Ann"`), user("2", `"Bob"`)
	steps := []struct {
		name    string
		at      *testNode
		do      func(n *testNode)
		changes []string
		observe []string
	}{
		{"the first", a, func(n *testNode) { n.Join("1", room, ann, 2) }, []string{`joined presence-room 1 "Ann"`}, []string{"new presence-room 1"}},
		{"the same user on another node", b, func(n *testNode) { n.Join("1", room, ann, 2) }, nil, nil},
		{"again there", b, func(n *testNode) { n.Join("1", room, ann, 2) }, nil, nil},
		{"other data", b, func(n *testNode) { n.Join("1", room, user("1", `"Annie"`), 2) }, []string{`updated presence-room 1 "Annie"`}, nil},
		{"another user", b, func(n *testNode) { n.Join("1", room, bob, 2) }, []string{`joined presence-room 2 "Bob"`}, []string{"new presence-room 2"}},
		{"one too many", a, func(n *testNode) { n.Join("1", room, user("3", "null"), 2) }, nil, []string{"refused presence-room 3"}},
		{"one who is there is not", a, func(n *testNode) { n.Join("1", room, bob, 2) }, nil, nil},
		{"leaves one of two nodes", a, func(n *testNode) { n.Leave("1", room, "1") }, nil, nil},
		{"leaves it again", a, func(n *testNode) { n.Leave("1", room, "1") }, nil, nil},
		{"leaves the other", b, func(n *testNode) { n.Leave("1", room, "1") }, []string{`left presence-room 1 "Annie"`}, []string{"gone presence-room 1"}},
		{"a stranger leaves", b, func(n *testNode) { n.Leave("1", room, "9") }, nil, nil},
	}
	for _, s := range steps {
		s.do(s.at)
		a.reach(s.at)
		b.reach(s.at)
		seen := s.at.all()
		for _, n := range []*testNode{a, b} {
			want(t, s.name+": changes", n.heard("joined", "updated", "left"), s.changes)
		}
		want(t, s.name+": besides", about(seen, "new", "gone", "refused"), s.observe)
	}
	for _, n := range []*testNode{a, b} {
		for i := range n.seqs[1:] {
			if n.seqs[i+1] != n.seqs[i]+1 {
				t.Errorf("changes are numbered %v", n.seqs)
			}
		}
	}
}

func TestCount(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	steps := []struct {
		at    *testNode
		count int
		told  []string
	}{
		{a, 2, []string{"occupied news ", "counted news 2"}},
		{b, 3, []string{"counted news 5"}},
		{a, 0, []string{"counted news 3"}},
		{b, 4, []string{"counted news 4"}},
		{b, 0, []string{"vacated news ", "counted news 0"}},
		{b, 0, []string{"counted news 0"}},
	}
	for _, s := range steps {
		s.at.Count("1", "news", s.count)
		s.at.flush()
		want(t, fmt.Sprint("count ", s.count), s.at.heard("occupied", "vacated", "counted"), s.told)
	}
}

// Sync makes a node's part of a channel what it says, and tells how the channel is: its members in the order they
// joined, and what it keeps.
func TestSync(t *testing.T) {
	const channel = "presence-cache-x"
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	sync := func(n *testNode, members ...protocol.Member) {
		n.Sync("1", channel, protocol.Holding{Subscriptions: len(members), Members: members}, 3)
		n.flush()
	}
	sync(a, user("2", "null"))
	want(t, "the first", a.heard("occupied", "new", "linked"), []string{"occupied " + channel + " ", "new " + channel + " 2", "linked " + channel + " [2] "})
	a.Publish(protocol.Broadcast{AppID: "1", Channel: channel, Payload: []byte("kept"), Cache: true, CacheTTL: time.Minute})
	a.flush()
	sync(b, user("1", "null"), user("2", "null"))
	want(t, "another node", b.heard("occupied", "new", "linked"), []string{"new " + channel + " 1", "linked " + channel + " [2 1] kept"})
	sync(b, user("3", "null"), user("4", "null"))
	want(t, "what it has no more is taken back, what is too much refused",
		b.heard("new", "refused", "linked"), []string{"new " + channel + " 3", "refused " + channel + " 4", "linked " + channel + " [2 3] kept"})
	sync(b)
	want(t, "nothing", b.heard("vacated", "linked"), []string{"linked " + channel + " [2] kept"})
	sync(a)
	want(t, "nobody", a.heard("vacated", "linked"), []string{"vacated " + channel + " ", "linked " + channel + " [] kept"})
}

// A node that departs may have to ask for a channel once more. Who has left there by then stays until it stops.
func TestSyncWhileDeparting(t *testing.T) {
	const channel = "presence-x"
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	a.Sync("1", channel, protocol.Holding{Subscriptions: 2, Members: []protocol.Member{user("1", "null"), user("2", "null")}}, 0)
	a.flush()
	a.forget()
	a.Depart()
	a.Sync("1", channel, protocol.Holding{Subscriptions: 2, Members: []protocol.Member{user("2", "null"), user("3", "null")}}, 0)
	a.Sync("1", channel, protocol.Holding{}, 0)
	a.flush()
	want(t, "nobody leaves", a.heard("vacated", "new", "linked"),
		[]string{"new " + channel + " 3", "linked " + channel + " [1 2 3] ", "linked " + channel + " [1 2 3] "})
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	users, err := b.Users(t.Context(), "1", channel)
	want(t, "users in the end", users, []string(nil))
	want(t, "no error", err, error(nil))
}

// What a dead node holds is taken away when its lease has run out, once, though all others look for it.
func TestLease(t *testing.T) {
	addr := startRedis(t)
	dead, a, b := newNode(t, addr), newNode(t, addr), newNode(t, addr)
	a.link(room)
	b.link(room)
	dead.Join("1", room, user("1", "null"), 0)
	dead.Join("1", room, user("2", "null"), 0)
	a.Join("1", room, user("2", "null"), 0)
	dead.Count("1", "news", 5)
	dead.flush()
	a.reach(a)
	b.reach(a)
	a.forget()
	b.forget()
	dead.die()
	for _, n := range []*testNode{a, b} {
		n.until("the dead node's user leaves", func() bool { return slices.Contains(n.all(), "left "+room+" 1 null") })
	}
	a.until("the dead node is forgotten", func() bool {
		return a.client.SCard(t.Context(), a.leaseKeys()[2]).Val() == 0
	})
	a.reach(a, b)
	b.reach(a, b)
	var seen, observed []string
	for _, n := range []*testNode{a, b} {
		all := n.all()
		seen = append(seen, about(all, "left")...)
		observed = append(observed, about(all, "gone", "vacated")...)
	}
	slices.Sort(observed)
	want(t, "both hear that one has left", seen, []string{"left " + room + " 1 null", "left " + room + " 1 null"})
	want(t, "one has done it", observed, []string{"gone " + room + " 1", "vacated news "})
	ids, err := a.Users(t.Context(), "1", room)
	want(t, "users", ids, []string{"2"})
	want(t, "no error", err, error(nil))
}

// What a dead node has done after it was taken for dead, and before it could find out, is taken away as well.
func TestLastWordsOfDeadNode(t *testing.T) {
	t.Parallel()
	addr := startRedis(t)
	dead, a := newNode(t, addr), newNode(t, addr)
	a.link(room)
	dead.Join("1", room, user("1", "null"), 0)
	dead.flush()
	dead.die()
	a.is("left " + room + " 1 null")
	p := placeOf("1", room)
	args := []any{dead.self(), a.publishCommand(), a.options.StreamLen, p.name, 0, "2", appendMember(nil, user("2", "null"))}
	if err := scriptJoin.Run(t.Context(), a.client, []string{a.base(p.bucket)}, args...).Err(); err != nil {
		t.Fatal(err)
	}
	a.is("left " + room + " 2 null")
}

// A lease that ends in an hour is one of before the clock of Redis was set back. It is no longer than any other.
func TestClockOfRedisSetBack(t *testing.T) {
	t.Parallel()
	addr := startRedis(t)
	dead, a := newNode(t, addr), newNode(t, addr)
	a.link(room)
	dead.Join("1", room, user("1", "null"), 0)
	dead.flush()
	dead.die()
	if err := a.client.ZIncrBy(t.Context(), a.leaseKeys()[0], float64(time.Hour.Milliseconds()), dead.self()).Err(); err != nil {
		t.Fatal(err)
	}
	a.is("left " + room + " 1 null")
}

// A stream that begins again, with earlier times, is heard; and so is a number of changes that was lost.
func TestStreamBeginsAgain(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	a.link(room)
	b.link(room)
	p := placeOf("1", room)
	late := &redis.XAddArgs{Stream: a.base(p.bucket) + "x", ID: fmt.Sprintf("%d-0", time.Now().Add(time.Hour).UnixMilli()), Values: []string{"c", "x", "e", "x"}}
	if err := a.client.XAdd(t.Context(), late).Err(); err != nil {
		t.Fatal(err)
	}
	a.Publish(event(room, "in an hour"))
	b.is("deliver " + room + " in an hour except 0 cache false")
	if err := a.client.Del(t.Context(), late.Stream, a.base(p.bucket)+"q").Err(); err != nil {
		t.Fatal(err)
	}
	a.Publish(event(room, "now"))
	b.is("deliver " + room + " now except 0 cache false")
	const known = 1 << 52 // later than any that is made of the time
	b.Sync("1", room, protocol.Holding{Seq: known}, 0)
	b.Join("1", room, user("1", "null"), 0)
	b.is(`joined ` + room + ` 1 null`)
	if last := b.seqs[len(b.seqs)-1]; last < known {
		t.Errorf("the next change is number %d, after %d", last, known)
	}
}

// While Redis is away only what is published is kept for it: all else is said when it is back.
func TestNothingIsKeptForRedisThatIsAway(t *testing.T) {
	n := newNode(t, startRedis(t))
	n.die()
	n.isUp.Store(false)
	n.Join("1", room, user("1", "null"), 0)
	n.Count("1", room, 1)
	n.Sync("1", room, protocol.Holding{Subscriptions: 1}, 0)
	want(t, "waiting", n.queue.len(), 0)
	n.Publish(event(room, "kept"))
	want(t, "waiting", n.queue.len(), 1)
}

// What waits for Redis when a node stops comes before its members are taken away, or they would stay for good.
func TestStopWithJoinsThatWait(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	for i := range 3 * maxBatch {
		a.Join("1", room, user(fmt.Sprint(i), "null"), 0)
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids, err := b.Users(t.Context(), "1", room)
	want(t, "users", ids, []string(nil))
	want(t, "no error", err, error(nil))
}

// die ends a node as a crash does: nothing is taken back.
func (n *testNode) die() {
	n.cancel()
	for _, rc := range n.receivers {
		rc.interrupt()
	}
	n.wg.Wait()
}

// A node that was taken for dead, or finds Redis empty, says again what it holds.
func TestRise(t *testing.T) {
	n := newNode(t, startRedis(t))
	before := n.self()
	n.until("it has a lease", func() bool { return n.client.ZCard(t.Context(), n.leaseKeys()[0]).Val() == 1 })
	n.forget()
	if err := n.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	n.is("resync")
	if n.self() == before || valueOf(t, n.options.Counters.Resurrected) != 1 {
		t.Errorf("it is still %s, and was resurrected %d times, want once", n.self(), valueOf(t, n.options.Counters.Resurrected))
	}
}

// What is published while the connection of pub/sub is lost is read again from the stream: nothing is lost or
// heard twice, and the order is that of publishing.
func TestRepair(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	a.link(room)
	sent := 0
	for deadline := time.Now().Add(patience); valueOf(t, a.options.Counters.Repaired) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no message was ever missed")
		}
		if err := b.client.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			b.Publish(event(room, fmt.Sprint(sent)))
			sent++
		}
		b.flush()
		a.until("redis delivers again", func() bool { return a.Health() == nil })
	}
	a.until("all messages", func() bool { return len(about(a.all(), "deliver")) >= sent })
	a.reach(b)
	for i, line := range a.heard("deliver") {
		if line != fmt.Sprintf("deliver %s %d except 0 cache false", room, i) {
			t.Fatalf("message %d is %s", i, line)
		}
	}
}

// TestGarbage writes nonsense to channels and keys: it is counted, and everything else goes on.
func TestGarbage(t *testing.T) {
	n := newNode(t, startRedis(t))
	ctx, p := t.Context(), placeOf("1", room)
	key := func(kind string) string { return n.base(p.bucket) + kind + ":" + p.name }
	publish := func(topic, text string) func() error {
		return func() error { return n.client.Publish(ctx, topic, text).Err() }
	}
	n.link(room)
	n.Join("1", room, user("1", "null"), 0)
	n.flush()
	sync := func() {
		n.Sync("1", room, protocol.Holding{Subscriptions: 1, Members: []protocol.Member{user("1", "null")}}, 0)
	}
	tests := []struct {
		name  string
		write func() error
		read  func() // what has to do with it
		undo  string // a key
	}{
		{"an empty message", publish(key("c"), ""), nil, ""},
		{"half a message", publish(key("c"), "1-1 RE\x05no"), nil, ""},
		{"another version", publish(key("c"), "1-1 S"), nil, ""},
		{"a control that is no JSON", publish(n.controlTopic(), "{"), nil, ""},
		{"a member that is none", func() error { return n.client.HSet(ctx, key("m"), "x", "garbage").Err() }, sync, ""},
		{"a count that is no number", func() error { return n.client.HSet(ctx, key("o"), "x", "garbage").Err() }, func() { n.Count("1", room, 1) }, key("o")},
		{"counts that are a string", func() error { return n.client.Set(ctx, key("o"), "x", 0).Err() }, func() { n.Count("1", room, 1) }, key("o")},
		{"a number that is none", func() error { return n.client.Set(ctx, key("s"), "x", 0).Err() }, sync, key("s")},
	}
	for _, tt := range tests {
		before := valueOf(t, n.options.Counters.Malformed)
		if err := tt.write(); err != nil {
			t.Fatal(err)
		}
		if tt.read != nil {
			tt.read()
		}
		n.until(tt.name+" is counted", func() bool { return valueOf(t, n.options.Counters.Malformed) > before })
		if tt.undo != "" {
			n.client.Del(ctx, tt.undo)
		}
		n.forget()
		n.Publish(event(room, "goes on"))
		n.is("deliver " + room + " goes on except 0 cache false")
		if err := n.Health(); err != nil {
			t.Errorf("after %s: %v", tt.name, err)
		}
	}
	sync()
	n.flush()
	want(t, "the members who are some", n.heard("linked"), []string{"linked " + room + " [1] "})
}

func TestTerminate(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	if err := a.Redis.Terminate(t.Context(), "1", "7"); err != nil {
		t.Fatal(err)
	}
	a.is("terminate 7")
	b.is("terminate 7")
}

// The first who claims a key answers for all who come after with the same request.
func TestClaim(t *testing.T) {
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	claim := func(n *testNode, sum string) string {
		answer, isFirst, err := n.Claim(ctx, "1", "key", sum, time.Minute)
		if err != nil {
			t.Error(err)
		}
		return fmt.Sprintf("%s %t", answer, isFirst)
	}
	want(t, "the first", claim(a, "sum"), " true")
	later := make(chan string)
	go func() { later <- claim(b, "sum") }()
	if err := a.Answer(ctx, "1", "key", "sum", []byte("200 {}"), time.Minute); err != nil {
		t.Fatal(err)
	}
	want(t, "one who waited", <-later, "200 {} false")
	want(t, "one who comes later", claim(a, "sum"), "200 {} false")
	want(t, "another request", claim(b, "other"), " false")
	if err := a.Answer(ctx, "1", "key", "sum", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	want(t, "the key was given back", claim(b, "other"), " true")
}
