package scaling

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// restoring returns a receiver of a node, with a connection that has just been made again, as it was for room.
func restoring(n *testNode, isSharded bool) (rc *receiver, topic string) {
	rc = newReceiver(n.Redis, isSharded)
	topic = n.topic(placeOf("1", room))
	rc.wanted[topic] = &link{place: placeOf("1", room)}
	rc.begun, rc.restoring, rc.began = true, true, time.Now()
	return rc, topic
}

// What arrives on a new connection waits for what was missed before, which is in the stream along with it.
func TestHeldMessages(t *testing.T) {
	n := newNode(t, startRedis(t))
	rc, topic := restoring(n, false)
	live := n.client.Subscribe(t.Context(), topic)
	defer live.Close()
	if _, err := live.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := placeOf("1", room)
	for number := range 4 {
		envelope := appendEvent(nil, "elsewhere", uint64(number+1), 0, event(room, fmt.Sprint(number)))
		args := []any{"elsewhere", n.publishCommand(), n.options.StreamLen, number + 1, p.name, envelope, 0}
		if err := scriptPublish.Run(t.Context(), n.client, []string{n.base(p.bucket)}, args...).Err(); err != nil {
			t.Fatal(err)
		}
		m, err := live.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if number%2 == 1 { // the others are missed
			rc.handleMessage(m)
		}
	}
	want(t, "held", n.heard("deliver"), []string(nil))
	if err := rc.handleSubscription(t.Context(), &redis.Subscription{Kind: "subscribe", Channel: topic}); err != nil {
		t.Fatal(err)
	}
	var all []string
	for number := range 4 {
		all = append(all, fmt.Sprintf("deliver %s %d except 0 cache false", room, number))
	}
	want(t, "heard when all is subscribed", n.heard("deliver"), all)
	want(t, "still held", len(rc.held), 0)
}

func TestHandleSubscription(t *testing.T) {
	n := newNode(t, startRedis(t))
	tests := []struct {
		kind, topic string
		isSharded   bool
		isError     bool
		told        []string
	}{
		{"subscribe", "", false, false, []string{"heard " + room}},
		{"ssubscribe", "", true, false, []string{"heard " + room}},
		{"sunsubscribe", "", true, true, nil}, // the slot has moved
		{"sunsubscribe", n.topic(placeOf("1", "left")), true, false, nil},
		{"unsubscribe", "", false, false, nil},
		{"subscribe", n.controlTopic(), false, false, nil},
		{"subscribe", "somebody's", false, false, nil},
		{"subscribe", n.options.Prefix + "{b64}:c:1:1:x", false, false, nil},
		{"subscribe", n.options.Prefix + "{b1}:c:x", false, false, nil},
	}
	for _, tt := range tests {
		rc, topic := restoring(n, tt.isSharded)
		rc.restoring = false
		if tt.topic != "" {
			topic = tt.topic
		}
		err := rc.handleSubscription(t.Context(), &redis.Subscription{Kind: tt.kind, Channel: topic})
		if (err != nil) != tt.isError {
			t.Errorf("%s %s: %v, want an error: %t", tt.kind, topic, err, tt.isError)
		}
		want(t, tt.kind+" "+topic, n.heard("heard"), tt.told)
	}
}

// A channel that nobody has wanted for a while is unsubscribed, and subscribed again when somebody does.
func TestResubscribe(t *testing.T) {
	t.Parallel()
	n := newNode(t, startRedis(t))
	n.link(room)
	p := placeOf("1", room)
	n.Unlink("1", room)
	n.link(room) // in time
	n.Unlink("1", room)
	rc := n.receiverOf(p)
	rc.mu.Lock()
	rc.wanted[n.topic(p)].idle = time.Now().Add(-time.Minute)
	rc.mu.Unlock()
	n.until("it is unsubscribed", func() bool {
		return !rc.isWanted(n.topic(p)) && n.client.PubSubNumSub(t.Context(), n.topic(p)).Val()[n.topic(p)] == 0
	})
	n.link(room)
	n.Publish(event(room, "1"))
	n.is("deliver " + room + " 1 except 0 cache false")
}
