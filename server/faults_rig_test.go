package server_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
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
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
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
	t     *testing.T
	app   *auth.App
	nodes []*rigNode
	ears  []*ear

	lease    time.Duration
	stop     chan struct{} // ends the traffic
	traffic  sync.WaitGroup
	lastSent []int  // by publisher
	said     string // by HTTP, the last time it was asked
}

type rigNode struct {
	addr   string
	srv    *server.Server
	broker *scaling.Redis
	link   *wire // to Redis; nil if it is dialled directly

	repaired, unrepaired, malformed prometheus.Counter
}

const rigLease = 3 * time.Second

// newRig starts nodes with a client each from dial, which is called with the dialer to be used.
func newRig(t *testing.T, nodes int, sharded bool, dial func(link *wire) redis.UniversalClient) *rig {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "1", "app-key", "app-secret"
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, app: app, lease: rigLease, stop: make(chan struct{}), lastSent: make([]int, nodes)}
	prefix := newPrefix()
	for range nodes {
		r.nodes = append(r.nodes, r.newNode(prefix, sharded, dial))
	}
	return r
}

func (r *rig) newNode(prefix string, sharded bool, dial func(*wire) redis.UniversalClient) *rigNode {
	r.t.Helper()
	n := &rigNode{link: &wire{}, repaired: counter(), unrepaired: counter(), malformed: counter()}
	client := dial(n.link)
	n.broker = scaling.NewRedis(client, scaling.Options{
		Prefix: prefix, Lease: r.lease, Sharded: sharded, Logger: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
		Counters: scaling.Counters{Repaired: n.repaired, Unrepaired: n.unrepaired, Malformed: n.malformed},
	})
	apps, err := auth.NewApps(r.app)
	if err != nil {
		r.t.Fatal(err)
	}
	n.srv, err = server.New(server.Config{Apps: apps, Loops: 2}, n.broker)
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
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.srv.Shutdown(ctx); err != nil {
			r.t.Errorf("Shutdown: %v", err)
		}
		<-served
		n.link.mend()
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = n.broker.Stop(short)
		client.Close()
	})
	return n
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
var rigChannels = []string{"one", "two", "private-three", "presence-room"}

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
				lost, doubled := e.judge(r.lastSent)
				r.t.Logf("%s sees %v, lost %d, doubled %d", e.user, slices.Sorted(maps.Keys(e.seen())), lost, doubled)
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

// run publishes on all nodes until pause is called.
func (r *rig) run() {
	for i := range r.nodes {
		r.traffic.Go(func() { r.publish(i) })
	}
}

const publishPause = 5 * time.Millisecond

func (r *rig) publish(publisher int) {
	tick := time.NewTicker(publishPause)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		number := r.lastSent[publisher] + 1
		channel := rigChannels[number%len(rigChannels)]
		body := fmt.Sprintf(`{"name":"number","channel":%q,"data":"%d %d"}`, channel, publisher, number)
		status, answer := r.post(r.nodes[publisher], "/apps/1/events", body)
		if status != http.StatusOK {
			r.t.Errorf("publishing: %d %s", status, answer)
		}
		r.lastSent[publisher] = number
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
	for publisher := range r.nodes {
		v.sent += r.lastSent[publisher]
	}
	for _, e := range r.ears {
		lost, doubled := e.judge(r.lastSent)
		v.lost, v.doubled = v.lost+lost, v.doubled+doubled
	}
	for _, n := range r.nodes {
		v.repaired += int(testutil.ToFloat64(n.repaired))
	}
	return v
}

// An ear is a client that listens, and keeps account.
type ear struct {
	user string
	node *rigNode
	conn net.Conn

	mu      sync.Mutex
	err     error // why nothing is heard any more
	users   map[string]bool
	heard   map[stream][]int // numbers
	removed int              // member_removed
	ended   int              // "end" events
}

// A stream is what one publisher sends to one channel.
type stream struct {
	publisher int
	channel   string
}

func (r *rig) newEar(n *rigNode, user string) *ear {
	r.t.Helper()
	conn, buffered, _, err := ws.Dial(context.Background(), "ws://"+n.addr+"/app/app-key")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	e := &ear{user: user, node: n, conn: conn, users: make(map[string]bool), heard: make(map[stream][]int)}
	rw := struct {
		io.Reader
		io.Writer
	}{conn, conn}
	if buffered != nil {
		rw.Reader = buffered
	} else {
		rw.Reader = bufio.NewReader(conn)
	}
	hello, err := wsutil.ReadServerText(rw)
	if err != nil {
		r.t.Fatal(err)
	}
	id := socketIDIn(hello)
	for _, channel := range rigChannels {
		data := map[string]string{"channel": channel}
		switch {
		case strings.HasPrefix(channel, "presence-"):
			data["channel_data"] = fmt.Sprintf(`{"user_id":%q}`, user)
			data["auth"] = r.app.SignChannel(id, channel, data["channel_data"])
		case strings.HasPrefix(channel, "private-"):
			data["auth"] = r.app.SignChannel(id, channel, "")
		}
		message, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
		if err := wsutil.WriteClientText(conn, message); err != nil {
			r.t.Fatal(err)
		}
	}
	go e.listen(rw)
	return e
}

func socketIDIn(hello []byte) string {
	_, rest, _ := strings.Cut(string(hello), `\"socket_id\":\"`)
	id, _, _ := strings.Cut(rest, `\"`)
	return id
}

func (e *ear) listen(rw io.ReadWriter) {
	for {
		b, op, err := wsutil.ReadServerData(rw)
		if err != nil {
			e.mu.Lock()
			e.err = err
			e.mu.Unlock()
			return
		}
		if op == ws.OpText {
			e.hear(b)
		}
	}
}

func (e *ear) hear(b []byte) {
	var m struct{ Event, Channel, Data string }
	if json.Unmarshal(b, &m) != nil {
		return // data of errors is an object
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch m.Event {
	case "number":
		var publisher, number int
		fmt.Sscan(m.Data, &publisher, &number)
		s := stream{publisher, m.Channel}
		e.heard[s] = append(e.heard[s], number)
	case "end":
		e.ended++
	case "pusher_internal:member_added":
		e.users[userIn(m.Data)] = true
	case "pusher_internal:member_removed":
		delete(e.users, userIn(m.Data))
		e.removed++
	case "pusher_internal:subscription_succeeded":
		var list struct{ Presence struct{ Hash map[string]any } }
		if json.Unmarshal([]byte(m.Data), &list) == nil {
			for user := range list.Presence.Hash {
				e.users[user] = true
			}
		}
	}
}

func userIn(data string) string {
	var member struct {
		UserID string `json:"user_id"`
	}
	_ = json.Unmarshal([]byte(data), &member)
	return member.UserID
}

func (e *ear) seen() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.users)
}

func (e *ear) ends() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}

func (e *ear) removals() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.removed
}

func (e *ear) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// judge counts what was not heard, and what was heard twice or after a later one.
func (e *ear) judge(sent []int) (lost, doubled int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for publisher, last := range sent {
		for i, channel := range rigChannels {
			want := 0
			for n := cmp.Or(i, len(rigChannels)); n <= last; n += len(rigChannels) {
				want++
			}
			highest, got := 0, 0
			for _, n := range e.heard[stream{publisher, channel}] {
				if n <= highest {
					doubled++
					continue
				}
				highest, got = n, got+1
			}
			lost += want - got
		}
	}
	return lost, doubled
}
