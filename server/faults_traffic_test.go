package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// A publisher numbers what it sends to its node.
type publisher struct {
	rig   *rig
	index int
	node  *rigNode
	last  atomic.Int64 // number that the node has taken
}

const publishPause = 5 * time.Millisecond

// run has all publish until finish is called.
func (r *rig) run() {
	for _, p := range r.publishers {
		r.traffic.Go(p.publish)
	}
}

func (p *publisher) publish() {
	r := p.rig
	tick := time.NewTicker(publishPause)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		number := int(p.last.Load()) + 1
		channel := rigChannels[number%len(rigChannels)]
		body := fmt.Sprintf(`{"name":"number","channel":%q,"data":"%d %d"}`, channel, p.index, number)
		status, answer := r.post(p.node, "/apps/1/events", body)
		switch {
		case status == http.StatusOK:
			p.last.Store(int64(number))
		case p.node.isGone.Load():
			return
		default:
			r.t.Errorf("publishing: %d %s", status, answer)
		}
	}
}

// grow adds a node under traffic, with ears that have to hear all that is taken from now on.
func (r *rig) grow(ears int) {
	r.t.Helper()
	n, p := r.join()
	r.await("a new node is healthy", func() bool { return n.broker.Health() == nil })
	for i := range ears {
		e := r.newEar(n, fmt.Sprintf("user-%d-%d", p.index, i))
		r.await("a new client is subscribed", func() bool { return e.subscriptions() == len(rigChannels) })
		for _, p := range r.publishers {
			e.since = append(e.since, int(p.last.Load()))
		}
		r.ears = append(r.ears, e)
	}
	r.traffic.Go(p.publish)
}

// crash has a node vanish: Redis hears nothing more from it, and its clients are gone.
func (r *rig) crash(n *rigNode) {
	r.t.Helper()
	n.isGone.Store(true)
	n.link.cut()
	n.link.reset()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	n.end(now)
	r.nodes = slices.DeleteFunc(r.nodes, func(other *rigNode) bool { return other == n })
	r.ears = slices.DeleteFunc(r.ears, func(e *ear) bool {
		if e.node == n {
			r.gone = append(r.gone, e.user)
		}
		return e.node == n
	})
}

// checkGone looks whether everybody was told once of each who was on a node that has crashed, and has heard the same
// of what that node had published.
func (r *rig) checkGone() {
	r.t.Helper()
	for _, e := range r.ears {
		for _, user := range r.gone {
			if n := e.removals(user); n != 1 && e.wasThereWith(user) {
				r.t.Errorf("%s was told %d times that %s has left", e.user, n, user)
			}
		}
	}
	for _, p := range r.publishers {
		if !p.node.isGone.Load() {
			continue
		}
		for _, channel := range rigChannels {
			r.checkSame(stream{p.index, channel})
		}
	}
}

// checkSame looks whether all who were there from the beginning have heard the same of a stream.
func (r *rig) checkSame(s stream) {
	r.t.Helper()
	var first *ear
	for _, e := range r.ears {
		switch {
		case s.publisher < len(e.since) && e.since[s.publisher] > 0:
		case first == nil:
			first = e
		case !slices.Equal(e.numbers(s), first.numbers(s)):
			r.t.Errorf("%s and %s have heard different numbers of %v: %d and %d", first.user, e.user, s, len(first.numbers(s)), len(e.numbers(s)))
		}
	}
}
