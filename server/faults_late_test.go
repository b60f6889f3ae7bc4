package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// numbered publishes a number to a channel by the publisher of a node, whose traffic does not run.
func (r *rig) numbered(p *publisher, channel string) {
	r.t.Helper()
	number := p.last.Add(1)
	body := fmt.Sprintf(`{"name":"number","channel":%q,"data":"%d %d"}`, channel, p.index, number)
	if status, answer := r.post(p.node, "/apps/1/events", body); status != http.StatusOK {
		r.t.Fatalf("publishing: %d %s", status, answer)
	}
}

// When a connection was lost, what is read again may have been published long before: it is only for those who were
// subscribed then.
func TestRepairTellsNothingOld(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, false, plainClient(startRedis(t).addr))
	near, far := r.publishers[0], r.publishers[1]
	r.await("health", func() bool { return near.node.broker.Health() == nil && far.node.broker.Health() == nil })

	const apart = 100 * time.Millisecond // more than clocks are compared with
	r.numbered(far, "one")               // 1: nobody on the near node is there
	during(apart)
	first := r.newEar(near.node, "first")
	r.await("the first is subscribed", func() bool { return first.subscriptions() == len(rigChannels) })
	near.node.link.reset()
	r.numbered(far, "one") // 2: the first is
	want := func(e *ear, numbers ...int) {
		t.Helper()
		s := stream{far.index, "one"}
		r.await(fmt.Sprintf("%s hears %v", e.user, numbers), func() bool { return len(e.numbers(s)) >= len(numbers) })
		if got := e.numbers(s); !slices.Equal(got, numbers) {
			t.Errorf("%s hears %v, want %v", e.user, got, numbers)
		}
	}
	want(first, 2)

	near.node.link.cut()
	near.node.link.reset()
	r.await("the near node notices", func() bool { return near.node.broker.Health() != nil })
	r.numbered(far, "one") // 3
	during(apart)
	second := r.newEar(near.node, "second")
	r.await("the second is subscribed", func() bool { return second.subscriptions() == len(rigChannels) })
	during(apart)
	r.numbered(far, "one") // 4: both are
	near.node.link.mend()
	want(first, 2, 3, 4)
	want(second, 4)
	if got := first.subscriptions() + second.subscriptions(); got != 2*len(rigChannels) {
		t.Errorf("%d subscribes were answered, want %d", got, 2*len(rigChannels))
	}
}

// A client that subscribes, leaves and subscribes again in one breath, again and again, is answered for each subscribe
// that it did not take back, and is there in the end.
func TestSubscribeInQuickSuccession(t *testing.T) {
	t.Parallel()
	on := openCluster(t, startRedis(t), rigLease)
	all := crowd(t, on.stage, 3)
	watcher, hasty, other := all[0], all[1], all[2]
	watcher.joins(on.stage, "presence-x", 1)
	watcher.next()
	other.joins(on.stage, "presence-x", 2) // on the node of the watcher; the hasty one is on the other alone
	watcher.next()
	other.next()
	const added, removed = `{"event":"pusher_internal:member_added","data":"{\"user_id\":3}","channel":"presence-x"}`,
		`{"event":"pusher_internal:member_removed","data":"{\"user_id\":3}","channel":"presence-x"}`
	for round := range 50 {
		for range 3 {
			hasty.joins(on.stage, "presence-x", 3)
			during(time.Duration(round) * 20 * time.Microsecond) // what is under way meanwhile differs
			hasty.says(`{"event":"pusher:unsubscribe","data":{"channel":"presence-x"}}`)
		}
		hasty.joins(on.stage, "presence-x", 3)
		answers := 0
		for isHeard := false; !isHeard; {
			publishTo(t, on.stage, "presence-x", fmt.Sprint("round ", round))
			hasty.settle()
			for _, text := range hasty.unheard {
				isHeard = isHeard || strings.Contains(text, fmt.Sprint("round ", round, `"`))
				if strings.Contains(text, "subscription_succeeded") {
					answers++
				}
				if text == added || text == removed {
					t.Fatalf("it heard of itself %s", text)
				}
			}
			hasty.unheard = nil
		}
		if answers < 1 || answers > 4 {
			t.Fatalf("%d answers to 4 subscribes, of which 3 were taken back", answers)
		}
		hasty.says(`{"event":"pusher:unsubscribe","data":{"channel":"presence-x"}}`)
	}
	isThere, changes := false, 0
	for changes < 2 || isThere {
		switch text := watcher.next(); {
		case text == added && !isThere, text == removed && isThere:
			isThere = !isThere
			changes++
		case !strings.Contains(text, `"event":"n"`):
			t.Fatalf("the watcher heard %s, when the hasty one was there: %t", text, isThere)
		}
	}
}
