package server_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling/bridge"
	"github.com/reverb-go/reverb-go/server"
)

// A bridgedNode is a node of reverb-go that speaks with nodes of Laravel Reverb.
type bridgedNode struct {
	*stage
	t      *testing.T
	broker *bridge.Broker
	counts bridge.Counters
}

// startBridged starts a node in the cluster with this prefix, and waits until it hears Laravel Reverb.
func startBridged(t *testing.T, r *redisServer, prefix string, options bridge.Options) *bridgedNode {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "1", "app-key", "app-secret"
	settings.RateLimit.MaxAttempts = 60
	a, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	apps, err := auth.NewApps(a)
	if err != nil {
		t.Fatal(err)
	}
	n := &bridgedNode{t: t, stage: &stage{apps: []app{{"1", "app-key", "app-secret"}}, now: time.Now}, counts: newBridgeCounters()}
	options.Apps, options.Counters = apps, n.counts
	options.Interval = 20 * time.Millisecond
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	t.Cleanup(func() { client.Close() })
	n.broker, err = bridge.New(r.newBroker(t, prefix), client, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.broker.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	channel := cmp.Or(options.Channel, "reverb")
	before := subscribers(t, client, channel)
	raise(t, n.stage, []server.Broker{n.broker}, server.Config{Apps: apps, Loops: 2})
	if options.Mode != bridge.Off {
		eventually(t, "it subscribes", func() bool { return subscribers(t, client, channel) > before })
	}
	return n
}

func newBridgeCounters() bridge.Counters {
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{Name: "x"}) }
	gauge := func() prometheus.Gauge { return prometheus.NewGauge(prometheus.GaugeOpts{Name: "x"}) }
	return bridge.Counters{
		On: gauge(), Nodes: gauge(), Sent: counter(), Received: counter(), Dropped: counter(), Withheld: counter(),
		Malformed: counter(), Answered: counter(), Asked: counter(), Incomplete: counter(),
	}
}

func valueOf(t *testing.T, m prometheus.Metric) int {
	t.Helper()
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		t.Fatal(err)
	}
	return int(d.GetCounter().GetValue() + d.GetGauge().GetValue())
}

func subscribers(t *testing.T, client *redis.Client, channel string) int64 {
	t.Helper()
	n, err := client.PubSubNumSub(t.Context(), channel).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n[channel]
}

// eventually waits for something that nothing tells of.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !isSo(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// knows waits until a node has counted so many others.
func (n *bridgedNode) knows(others int) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("%d others are known", others), func() bool { return valueOf(n.t, n.counts.Nodes) == others })
}

// connects returns a client that is connected.
func (n *bridgedNode) connects(name string) *client {
	n.t.Helper()
	c := &client{name: name}
	if err := c.connect(n.stage, "/app/app-key", nil); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.leave(false) })
	if heard := c.next(); c.id == "" {
		n.t.Fatalf("%s heard %s", name, heard)
	}
	return c
}

// joins subscribes a client; data is its channel_data, or "".
func joins(t *testing.T, c *client, channel, data string) {
	t.Helper()
	fields := map[string]string{"channel": channel}
	text := c.id + ":" + channel
	if data != "" {
		fields["channel_data"] = data
		text += ":" + data
	}
	fields["auth"] = "app-key:" + hmacHex("app-secret", text)
	body, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": fields})
	c.frame(1, true, body)
	if heard := c.next(); !strings.Contains(heard, "subscription_succeeded") {
		t.Fatalf("%s heard %s", c.name, heard)
	}
}

func hears(t *testing.T, c *client, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			t.Fatalf("%s heard\n%s\nwant\n%s", c.name, got, w)
		}
	}
}

// asks sends a signed request and returns status and body.
func (n *bridgedNode) asks(method, target, body string) string {
	n.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	r := request{method: method, path: path, query: query, body: body}
	n.sign(&r)
	got, err := n.send(r)
	if err != nil {
		n.t.Fatal(err)
	}
	return got.String()
}

func (n *bridgedNode) publishes(body string) {
	n.t.Helper()
	if got := n.asks("POST", "/apps/1/events", body); got != "200 {}" {
		n.t.Fatalf("got %s", got)
	}
}

// mixed are two nodes of each kind, who know each other.
func mixed(t *testing.T) (ours [2]*bridgedNode, theirs [2]*reverbNode) {
	r, prefix := startRedis(t), newPrefix()
	for i := range 2 {
		theirs[i] = startReverb(t, r)
	}
	for i := range 2 {
		ours[i] = startBridged(t, r, prefix, bridge.Options{Timeout: patience})
	}
	for i := range 2 {
		ours[i].knows(2)
	}
	return ours, theirs
}
