package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// A rig is a cluster under traffic while something is done to it. Each node has clients on channels of all
// nodes, and a publisher who numbers what it sends; every client must hear each publisher's numbers one
// after the other.
type rig struct {
	t          *testing.T
	app        *auth.App
	makeNode   func() *rigNode
	prefix     string     // of all keys
	nodes      []*rigNode // that are alive
	ears       []*ear     // of those
	publishers []*publisher
	gone       []string // users of nodes that have crashed

	lease   time.Duration
	stop    chan struct{} // ends the traffic
	traffic sync.WaitGroup
	said    string // by HTTP, the last time it was asked
}

type rigNode struct {
	addr   string
	srv    *server.Server
	broker *scaling.Redis
	link   *wire        // to Redis; nil if it is dialled directly
	off    atomic.Int64 // by how much its clock is, a Duration
	isGone atomic.Bool  // it has ended before the test

	endServer, endBroker func(context.Context)

	repaired, unrepaired, malformed prometheus.Counter
}

const rigLease = 3 * time.Second

// newRig starts nodes with a client each from dial, which is called with the dialer to be used.
func newRig(t *testing.T, nodes int, sharded bool, dial func(link *wire) redis.UniversalClient) *rig {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "1", "app-key", "app-secret"
	a.TimestampTolerance = 0 // clocks are set
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, app: app, lease: rigLease, stop: make(chan struct{}), prefix: newPrefix()}
	r.makeNode = func() *rigNode { return r.newNode(sharded, dial) }
	for range nodes {
		r.join()
	}
	return r
}

// join adds a node, and a publisher to it, which does not publish yet.
func (r *rig) join() (*rigNode, *publisher) {
	n := r.makeNode()
	p := &publisher{rig: r, index: len(r.publishers), node: n}
	r.nodes, r.publishers = append(r.nodes, n), append(r.publishers, p)
	return n, p
}

func (r *rig) newNode(sharded bool, dial func(*wire) redis.UniversalClient) *rigNode {
	r.t.Helper()
	n := &rigNode{link: &wire{}, repaired: counter(), unrepaired: counter(), malformed: counter()}
	client := dial(n.link)
	n.broker = scaling.NewRedis(client, scaling.Options{
		Prefix: r.prefix, Lease: r.lease, Sharded: sharded, Logger: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
		Counters: scaling.Counters{Repaired: n.repaired, Unrepaired: n.unrepaired, Malformed: n.malformed},
	})
	apps, err := auth.NewApps(r.app)
	if err != nil {
		r.t.Fatal(err)
	}
	n.srv, err = server.New(server.Config{
		Apps: apps, Loops: 2, PongTimeout: 24 * time.Hour, // clocks are set
		Now: func() time.Time { return time.Now().Add(time.Duration(n.off.Load())) },
	}, n.broker)
	if err != nil {
		r.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	n.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- n.srv.Serve(ln) }()
	n.endServer = func(ctx context.Context) {
		if err := n.srv.Shutdown(ctx); err != nil {
			r.t.Errorf("Shutdown: %v", err)
		}
		<-served
	}
	n.endBroker = func(ctx context.Context) {
		_ = n.broker.Stop(ctx) // Redis may be away
		client.Close()
	}
	r.t.Cleanup(func() {
		n.link.mend()
		if n.isGone.Load() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		n.end(ctx)
	})
	return n
}

func (n *rigNode) end(ctx context.Context) {
	n.endServer(ctx)
	n.endBroker(ctx)
}

func counter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "counter"})
}

func plainClient(addr string) func(*wire) redis.UniversalClient {
	return func(link *wire) redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, Dialer: link.dial, MaxRetries: -1})
	}
}

// during waits while the traffic goes on.
func during(d time.Duration) { <-time.After(d) }

// rigChannels are where the traffic goes.
var rigChannels = []string{"one", "two", "private-three", "presence-room", "cache-five"}

// open connects ears clients to each node, subscribed to all channels, and waits until all see each other.
func (r *rig) open(ears int) {
	r.t.Helper()
	for i, n := range r.nodes {
		for j := range ears {
			r.ears = append(r.ears, r.newEar(n, fmt.Sprintf("user-%d-%d", i, j)))
		}
	}
	r.await("all see each other", r.isComplete)
}

// isComplete reports whether every client sees exactly the users who are there.
func (r *rig) isComplete() bool {
	want := make(map[string]bool)
	for _, e := range r.ears {
		want[e.user] = true
	}
	for _, e := range r.ears {
		if !maps.Equal(e.seen(), want) {
			return false
		}
	}
	return true
}

// await waits until something holds.
func (r *rig) await(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			for _, e := range r.ears {
				lost, doubled := e.judge(r.publishers)
				r.t.Logf("%s at %s sees %v, lost %d, doubled %d", e.user, e.node.addr, slices.Sorted(maps.Keys(e.seen())), lost, doubled)
			}
			for _, n := range r.nodes {
				_, users := r.get(n, "/apps/1/channels/presence-room/users", nil)
				r.t.Logf("%s: health %v, users %s", n.addr, n.broker.Health(), users)
			}
			r.t.Fatalf("in vain: %s; by HTTP: %s", what, r.said)
		}
		<-tick.C
	}
}

func (r *rig) post(n *rigNode, path, body string) (int, string) {
	query := r.app.SignRequest(http.MethodPost, path, nil, []byte(body), time.Now())
	resp, err := http.Post("http://"+n.addr+path+"?"+query, "application/json", strings.NewReader(body))
	return answerOf(resp, err)
}

func (r *rig) get(n *rigNode, path string, params url.Values) (int, string) {
	query := r.app.SignRequest(http.MethodGet, path, params, nil, time.Now())
	resp, err := http.Get("http://" + n.addr + path + "?" + query)
	return answerOf(resp, err)
}

func answerOf(resp *http.Response, err error) (int, string) {
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// A verdict is what became of the messages.
type verdict struct{ sent, lost, doubled, repaired int }

// finish ends the traffic, waits until what is on its way has arrived, and judges. mayLose says whether messages
// may be missing.
func (r *rig) finish(mayLose bool) verdict {
	r.t.Helper()
	close(r.stop)
	r.traffic.Wait()
	r.await("all users are seen again", r.isComplete)
	for _, n := range r.nodes {
		r.await("health", func() bool { return n.broker.Health() == nil })
	}
	if !mayLose {
		r.await("every message", func() bool { return r.judge().lost == 0 })
	}
	// Whatever is on its way comes before this.
	for i, n := range r.nodes {
		for _, channel := range rigChannels {
			r.post(n, "/apps/1/events", fmt.Sprintf(`{"name":"end","channel":%q,"data":"%d"}`, channel, i))
		}
	}
	r.await("the end", func() bool {
		return !slices.ContainsFunc(r.ears, func(e *ear) bool { return e.ends() < len(r.nodes)*len(rigChannels) })
	})
	r.checkUsers()
	for _, e := range r.ears {
		if faults := e.surprises(); len(faults) > 0 {
			r.t.Errorf("%s was told of users: %v", e.user, faults)
		}
	}
	v := r.judge()
	if v.doubled > 0 || v.lost > 0 && !mayLose {
		r.t.Errorf("%d messages lost, %d doubled or out of order", v.lost, v.doubled)
	}
	r.t.Logf("messages sent %d, lost %d, doubled or out of order %d, repaired %d", v.sent, v.lost, v.doubled, v.repaired)
	return v
}

// checkUsers compares what the HTTP API says with the truth, on each node.
func (r *rig) checkUsers() {
	r.t.Helper()
	for _, n := range r.nodes {
		r.await("users and counts by HTTP", func() bool {
			_, users := r.get(n, "/apps/1/channels/presence-room/users", nil)
			_, count := r.get(n, "/apps/1/channels/one", url.Values{"info": {"subscription_count"}})
			isRight := strings.Count(users, `"id"`) == len(r.ears) && strings.Contains(count, `"subscription_count":`+strconv.Itoa(len(r.ears))+`}`)
			r.said = users + " " + count
			return isRight
		})
	}
}

func (r *rig) judge() (v verdict) {
	for _, p := range r.publishers {
		v.sent += int(p.last.Load())
	}
	for _, e := range r.ears {
		lost, doubled := e.judge(r.publishers)
		v.lost, v.doubled = v.lost+lost, v.doubled+doubled
	}
	for _, n := range r.nodes {
		v.repaired += int(testutil.ToFloat64(n.repaired))
	}
	return v
}
