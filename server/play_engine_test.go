package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// An engine is a way to run the server that has to hold every conversation.
type engine struct {
	portable bool
	writes   bool         // epoll without io_uring
	redis    *redisServer // nil for a node that is alone
	nodes    int
}

// newEngine returns the engine of a name: epoll, writes and portable are one node alone, redis is one node with a
// Redis, cluster is two of them, which clients and requests go to in turn.
func newEngine(t testing.TB, name string) engine {
	t.Helper()
	switch name {
	case "portable":
		return engine{portable: true, nodes: 1}
	case "writes":
		return engine{writes: true, nodes: 1}
	case "redis":
		return engine{redis: startRedis(t), nodes: 1}
	case "cluster":
		return engine{redis: startRedis(t), nodes: 2}
	}
	return engine{nodes: 1}
}

// settle waits until Redis has heard all that the nodes have to say.
func settle(t testing.TB, brokers []server.Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, broker := range brokers {
		if r, ok := broker.(interface{ Flush(context.Context) error }); ok {
			if err := r.Flush(ctx); err != nil {
				t.Fatalf("redis does not answer: %v", err)
			}
		}
	}
}

// brokers returns one for each node.
func (e engine) brokers(t testing.TB) (brokers []server.Broker) {
	t.Helper()
	prefix := newPrefix()
	for range e.nodes {
		if e.redis == nil {
			brokers = append(brokers, scaling.NewLocal())
			continue
		}
		broker := e.redis.newBroker(t, prefix)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_ = broker.Stop(ctx)
		})
		brokers = append(brokers, broker)
	}
	return brokers
}

// aloneOnly are conversations about what a cluster cannot do, and why.
var aloneOnly = map[string]string{
	"api_idempotency_expires":       "Redis forgets by its own clock",
	"cache_expires":                 "Redis forgets by its own clock",
	"connect_quota":                 "connections of other nodes are known a few seconds later",
	"connect_quota_idle":            "connections of other nodes are known a few seconds later",
	"connect_quota_per_app":         "connections of other nodes are known a few seconds later",
	"query_connections":             "connections of other nodes are known a few seconds later",
	"query_channels":                "the order in which channels came up is not known; they are listed by name",
	"limit_api":                     "each node has this limit",
	"limit_connections_per_address": "each node has this limit",
	"node_full":                     "each node has this limit",
	"node_handshakes":               "each node has this limit",
	"frames_together":               "a subscribe is answered when Redis has confirmed it, and what comes behind it in the same packet is not held up",
	"subscribe_many":                "subscribes to several channels are answered as Redis confirms them",
	"subscribe_burst":               "a subscription that ends before Redis has confirmed it is not answered",
	"presence_leave_and_return":     "whether nodes notice so short an absence is a matter of chance",
}
