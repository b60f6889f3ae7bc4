package server_test

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// What happens to two nodes when something fails between them.

// A cluster is two nodes on a stage, each with a client of Redis of its own. Connections go to the nodes in
// turn, the first to the second.
type cluster struct {
	*stage
	clients [2]*redis.Client
	brokers [2]*knownRedis
}

// A knownRedis remembers the server that it was given to.
type knownRedis struct {
	*scaling.Redis
	node scaling.Node
}

func (k *knownRedis) Start(n scaling.Node) {
	k.node = n
	k.Redis.Start(n)
}

func openCluster(t *testing.T, r *redisServer, lease time.Duration) *cluster {
	t.Helper()
	apps, known := readApps(t, &script{})
	c := &cluster{stage: &stage{apps: known, now: time.Now}}
	prefix := newPrefix()
	for i := range c.clients {
		c.clients[i] = redis.NewClient(&redis.Options{Addr: r.addr, ContextTimeoutEnabled: true})
		t.Cleanup(func() { c.clients[i].Close() })
		c.brokers[i] = &knownRedis{Redis: scaling.NewRedis(c.clients[i], scaling.Options{Prefix: prefix, Lease: lease})}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = c.brokers[i].Stop(ctx)
		})
	}
	raise(t, c.stage, []server.Broker{c.brokers[0], c.brokers[1]}, server.Config{Apps: apps, Loops: 2})
	c.settle = nil // it would wait for a Redis that is away
	return c
}

// await waits until both nodes have noticed that Redis is there, or is not.
func (c *cluster) await(t *testing.T, isUp bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, b := range c.brokers {
		for (b.Health() == nil) != isUp {
			if time.Now().After(deadline) {
				t.Fatalf("a node says of Redis: %v", b.Health())
			}
			runtime.Gosched()
		}
	}
}

func (c *client) subscribes(t *testing.T, channel string) {
	t.Helper()
	c.says(`{"event":"pusher:subscribe","data":{"channel":%q}}`, channel)
	wantNext(t, c, `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"`+channel+`"}`)
}

func publish(t *testing.T, on *stage, data string) {
	t.Helper()
	publishTo(t, on, "news", data)
}

func publishTo(t *testing.T, on *stage, channel, data string) {
	t.Helper()
	r := request{method: "POST", path: "/apps/1/events", body: fmt.Sprintf(`{"name":"n","channel":%q,"data":%q}`, channel, data)}
	on.sign(&r)
	if got, err := on.send(r); err != nil || got.String() != "200 {}" {
		t.Fatalf("publishing %s was answered by %v, %v", data, got, err)
	}
}

func event(data string) string { return `{"event":"n","data":"` + data + `","channel":"news"}` }

// TestSynchronisingLosesNothing has a node synchronise all the time while another one publishes on a cache channel: what the answers
// bring has often not been heard yet.
func TestSynchronisingLosesNothing(t *testing.T) {
	on := openCluster(t, startRedis(t), time.Minute)
	listener := crowd(t, on.stage, 2)[1] // on the first node
	listener.subscribes(t, "cache-x")
	wantNext(t, listener, `{"event":"pusher:cache_miss","channel":"cache-x","data":"{}"}`)
	other := &stage{apps: on.apps, now: on.now, nodes: on.nodes[1:], addr: on.nodes[1]}

	var synchronising sync.WaitGroup
	done := make(chan struct{})
	defer synchronising.Wait()
	defer close(done)
	synchronising.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			on.brokers[0].node.Resync()
			if err := on.brokers[0].Flush(t.Context()); err != nil {
				t.Errorf("synchronise: %v", err)
				return
			}
		}
	})
	const events = 500
	for i := range events {
		publishTo(t, other, "cache-x", fmt.Sprint(i))
	}
	for i := range events {
		wantNext(t, listener, fmt.Sprintf(`{"event":"n","data":"%d","channel":"cache-x"}`, i))
	}
}

// P:PRE-20: of a node that has died, or has lost the others, the members leave.
func TestMembersOfDeadNodeLeave(t *testing.T) {
	on := openCluster(t, startRedis(t), time.Second)
	all := crowd(t, on.stage, 2)
	all[0].joins(on.stage, "presence-x", 1)
	wantNext(t, all[0], `{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[1],\"hash\":{\"1\":null}}}","channel":"presence-x"}`)
	all[1].joins(on.stage, "presence-x", 2)
	wantNext(t, all[0], `{"event":"pusher_internal:member_added","data":"{\"user_id\":2}","channel":"presence-x"}`)
	on.clients[0].Close()
	wantNext(t, all[0], `{"event":"pusher_internal:member_removed","data":"{\"user_id\":2}","channel":"presence-x"}`)
}

// Who comes back to another node while theirs is drained has never been gone for others; the rest leave with it.
func TestDrainedMembersDoNotFlap(t *testing.T) {
	on := openCluster(t, startRedis(t), time.Minute)
	all := crowd(t, on.stage, 3) // the second one is on the first node
	watcher, back, gone := all[0], &client{name: "back"}, all[1]
	enter(t, on.stage, back)
	const list = `{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":%d,\"ids\":[%s],\"hash\":{%s}}}","channel":"presence-x"}`
	watcher.joins(on.stage, "presence-x", 1)
	wantNext(t, watcher, fmt.Sprintf(list, 1, "1", `\"1\":null`))
	for i, c := range []*client{gone, back} {
		c.joins(on.stage, "presence-x", i+2)
		wantNext(t, watcher, fmt.Sprintf(`{"event":"pusher_internal:member_added","data":"{\"user_id\":%d}","channel":"presence-x"}`, i+2))
	}
	on.stops[0]()
	on.nodes = on.nodes[1:]
	again := crowd(t, on.stage, 1)[0]
	again.joins(on.stage, "presence-x", 3)
	wantNext(t, again, fmt.Sprintf(list, 3, "1,2,3", `\"1\":null,\"2\":null,\"3\":null`))
	wantSilence(t, watcher)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := on.brokers[0].Stop(ctx); err != nil {
		t.Fatal(err)
	}
	wantNext(t, watcher, `{"event":"pusher_internal:member_removed","data":"{\"user_id\":2}","channel":"presence-x"}`)
	wantSilence(t, watcher)
}

// R:SC-10, R:SC-11: what nobody of ours has said is ignored, where Reverb's nodes end.
func TestGarbageBetweenNodes(t *testing.T) {
	on := openCluster(t, startRedis(t), time.Minute)
	for _, c := range crowd(t, on.stage, 2) {
		c.subscribes(t, "news")
		defer wantSilence(t, c)
		defer wantNext(t, c, event("2"))
		defer wantNext(t, c, event("1"))
	}
	topics, err := on.clients[0].PubSubChannels(t.Context(), "*").Result()
	if err != nil || len(topics) == 0 {
		t.Fatalf("topics %v, %v", topics, err)
	}
	publish(t, on.stage, "1")
	for _, topic := range topics {
		for _, garbage := range []string{
			"", "x", "null", "5", `"x"`, "{}", "[]", "\x00\xff", `{"type":"unknown"}`, `{"type":"message"}`, `{"type":"terminate","application":"O:1"}`,
			"0-1 ", "1-1 E", "99999999999999-0 RA", "99999999999999-0 Q", strings.Repeat("[", 600), strings.Repeat("x", 100_000),
		} {
			if err := on.clients[0].Publish(t.Context(), topic, garbage).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(t, on.stage, "2")
}

// While Redis is away a node goes on alone and answers 200 (R:SC-13), for as long as it takes (R:SC-14). When it is
// back, what the other node has published meanwhile arrives (R:SC-12).
func TestRedisIsAway(t *testing.T) {
	r := startRedis(t)
	on := openCluster(t, r, time.Minute)
	all := crowd(t, on.stage, 2)
	for _, c := range all {
		c.subscribes(t, "news")
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	on.await(t, false)
	// These are answered by the nodes in turn, which are the first client's and then the second's.
	publish(t, on.stage, "1")
	publish(t, on.stage, "2")
	wantNext(t, all[0], event("1"))
	wantNext(t, all[1], event("2"))
	r.cmd = exec.Command(r.cmd.Path, r.cmd.Args[1:]...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wantNext(t, all[0], event("2"))
	wantNext(t, all[1], event("1"))
	on.await(t, true)
	publish(t, on.stage, "3")
	for _, c := range all {
		wantNext(t, c, event("3"))
	}
}
