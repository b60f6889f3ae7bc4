package scaling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/internal/services"
	"github.com/reverb-go/reverb-go/protocol"
)

// patience is how long a test waits for what has to come: a protection against hanging.
const patience = 20 * time.Second

// startRedis starts a Redis that is stopped with the test, and returns its address.
func startRedis(t *testing.T) string {
	t.Helper()
	return services.Redis(t).Addr
}

// A testNode is a broker, and the node above it, which writes down what it is told. What the tests do not expect it
// to be asked is left to a Node that there is none of.
type testNode struct {
	Node
	*Redis
	t      *testing.T
	client *redis.Client
	ends   int // published by reach

	mu     sync.Mutex // guards what follows
	told   []string
	change chan struct{} // closed at the next one
	seqs   []uint64      // of changes
}

// newNode starts a node of a cluster with a short lease.
func newNode(t *testing.T, addr string) *testNode {
	t.Helper()
	n := &testNode{t: t, client: redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true}), change: make(chan struct{})}
	n.Redis = NewRedis(n.client, Options{Lease: time.Second, Counters: Counters{
		Repaired: prometheus.NewCounter(prometheus.CounterOpts{}), Malformed: prometheus.NewCounter(prometheus.CounterOpts{}),
		Resurrected: prometheus.NewCounter(prometheus.CounterOpts{}), Dropped: prometheus.NewCounter(prometheus.CounterOpts{}),
	}})
	n.Redis.Start(n)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = n.Redis.Stop(ctx)
		n.client.Close()
	})
	n.until("redis is there", func() bool { return n.Health() == nil })
	return n
}

func (n *testNode) note(words ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, strings.TrimSuffix(fmt.Sprintln(words...), "\n"))
	close(n.change)
	n.change = make(chan struct{})
}

func (n *testNode) Deliver(b protocol.Broadcast) {
	n.note("deliver", b.Channel, string(b.Payload), "except", uint64(b.Except), "cache", b.Cache)
}

func (n *testNode) Change(c protocol.Change) {
	n.mu.Lock()
	n.seqs = append(n.seqs, c.Seq)
	n.mu.Unlock()
	n.note([]string{"joined", "updated", "left"}[c.Kind], c.Channel, c.Member.ID, c.Member.Info)
}

func (n *testNode) Linked(_, channel string, s protocol.Snapshot) {
	var members []string
	for _, m := range s.Members {
		members = append(members, m.ID)
	}
	n.note("linked", channel, members, string(s.Cached))
}

func (n *testNode) Observe(t protocol.Transition) {
	n.note([]string{"occupied", "vacated", "new", "gone"}[t.Kind], t.Channel, t.UserID)
}

func (n *testNode) Heard(_, channel string)              { n.note("heard", channel) }
func (n *testNode) Resync()                              { n.note("resync") }
func (n *testNode) Refused(_, channel, user string)      { n.note("refused", channel, user) }
func (n *testNode) Counted(_, channel string, total int) { n.note("counted", channel, total) }
func (n *testNode) Terminate(_, user string)             { n.note("terminate", user) }
func (n *testNode) Held(string, string)                  {}
func (n *testNode) WaitForRoom()                         {}
func (n *testNode) Connections() map[string]int          { return nil }

// until waits for a condition, which is looked at whenever the node is told something, and now and then.
func (n *testNode) until(what string, isSo func() bool) {
	n.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		n.mu.Lock()
		change := n.change
		n.mu.Unlock()
		if isSo() {
			return
		}
		select {
		case <-change:
		case <-tick.C:
		case <-deadline:
			n.t.Fatalf("waited in vain: %s; it was told %q", what, n.all())
		}
	}
}

func (n *testNode) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.told)
}

// is waits until the node was told this, and forgets all that it was told.
func (n *testNode) is(told string) {
	n.t.Helper()
	n.until(told, func() bool { return slices.Contains(n.all(), told) })
	n.forget()
}

func (n *testNode) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = nil
}

// link has the node hear a channel.
func (n *testNode) link(channel string) {
	n.t.Helper()
	n.Link("1", channel)
	n.is("heard " + channel)
}

// flush waits until Redis has done all that the node asked for.
func (n *testNode) flush() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if err := n.Flush(ctx); err != nil {
		n.t.Fatal(err)
	}
}

// reach waits until the node has heard all that others have said of presence-room before.
func (n *testNode) reach(others ...*testNode) {
	n.t.Helper()
	for _, o := range others {
		o.flush()
	}
	n.ends++
	end := fmt.Sprintf("end %s %d", n.instance, n.ends)
	n.Publish(protocol.Broadcast{AppID: "1", Channel: "presence-room", Payload: []byte(end)})
	n.until(end, func() bool { return slices.Contains(n.all(), "deliver presence-room "+end+" except 0 cache false") })
}

// heard returns what the node was told that begins with one of these words, and forgets the rest.
func (n *testNode) heard(verbs ...string) []string {
	lines := n.all()
	n.forget()
	return about(lines, verbs...)
}

// about returns the lines that begin with one of these words.
func about(lines []string, verbs ...string) (found []string) {
	for _, line := range lines {
		if verb, _, _ := strings.Cut(line, " "); slices.Contains(verbs, verb) && !strings.Contains(line, " end ") {
			found = append(found, line)
		}
	}
	return found
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		t.Errorf("%s\n got %s\nwant %s", what, g, w)
	}
}

func valueOf(t *testing.T, c prometheus.Counter) int {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return int(m.GetCounter().GetValue())
}

func user(id, info string) protocol.Member {
	return protocol.Member{ID: id, IDJSON: `"` + id + `"`, Info: info, Data: `{"user_id":"` + id + `","user_info":` + info + `}`}
}
