package server

import (
	"bytes"
	"time"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/server/handover"
)

// exportConn describes an open connection of a loop that is parked.
func (l *loop) exportConn(c *conn) handover.Connection {
	x := handover.Connection{
		AppID: c.app.id, Socket: c.id, IsJS: c.isJS, Deflates: c.deflates, IsPinged: c.pinged, IsAuthorized: c.isAuthorized,
		Silent: l.seconds - c.lastSeen, Age: l.seconds - c.opened, Output: c.out.export(),
	}
	if c.peer != nil {
		x.Address = &c.peer.addr
	}
	if c.in != nil {
		x.Input = &handover.Input{Tail: c.in.tail, Message: c.in.message, Opcode: uint8(c.in.opcode), IsFragment: c.in.fragment, IsDeflated: c.in.deflated}
	}
	if c.rates != nil {
		x.Rates = c.rates.export(l.now)
	}
	if c.user != nil {
		x.User = &handover.User{User: c.user.User, Watching: c.user.watching != nil}
	}
	for _, sub := range c.subs.All() {
		isWatch := sub.Channel.Kind().Has(channels.Watch)
		if isWatch && x.User != nil && x.User.Watching {
			continue // it is asked again, for all at once
		}
		x.Subscriptions = append(x.Subscriptions, handover.Subscription{
			Channel: sub.Channel.Name(), UserID: sub.UserID(), IsPending: sub.IsPending(),
		})
	}
	return x
}

// importConn makes the connection with this descriptor one of the loop's, which does not run yet. On an error
// the descriptor is still the caller's.
func (l *loop) importConn(a *app, x *handover.Connection, fd int) error {
	c := &conn{
		id: x.Socket, app: a, fd: int32(fd), slot: noSlot, isJS: x.IsJS, deflates: x.Deflates, pinged: x.IsPinged, isAuthorized: x.IsAuthorized,
		lastSeen: l.seconds - min(x.Silent, l.seconds), opened: l.seconds - min(x.Age, l.seconds),
	}
	if err := l.watch(c); err != nil {
		return err
	}
	l.load.Add(1)
	l.server.total.Add(1)
	a.connections.Add(1)
	a.gauge.Inc()
	if c.deflates {
		l.server.counts.Compressed.Inc()
	}
	if x.Address != nil {
		c.peer = &peer{a, *x.Address}
		l.server.peers.restore(*c.peer)
	}
	if x.Input != nil {
		// Cloned, because these may stay for long and borrow from a message about many connections.
		c.in = &input{
			tail: bytes.Clone(x.Input.Tail), message: bytes.Clone(x.Input.Message),
			opcode: ws.OpCode(x.Input.Opcode), fragment: x.Input.IsFragment, deflated: x.Input.IsDeflated,
		}
	}
	if x.Rates != nil {
		c.rates = importRates(x.Rates, l.now)
	}
	l.importOutput(c, x.Output)
	l.importSubscriptions(c, x)
	l.schedule(c)
	return nil
}

func (l *loop) importSubscriptions(c *conn, x *handover.Connection) {
	for _, sub := range x.Subscriptions {
		if !c.app.registry.Restore(l.now, l.shard, c, sub.Channel, sub.UserID, sub.IsPending) {
			continue
		}
		if !channels.KindOf(sub.Channel).IsInternal() {
			c.app.subscriptions.Inc()
		}
	}
	if x.User == nil {
		return
	}
	c.user = &user{User: x.User.User}
	c.app.registry.RestoreUser(c.user.ID)
	if x.User.Watching {
		l.rewatch = append(l.rewatch, c)
	}
}

// watchAgain asks for the watchlists that were not answered yet.
func (l *loop) watchAgain() {
	for _, c := range l.rewatch {
		if c.state == open && c.user != nil {
			l.watchUsers(c, c.user.Watchlist)
		}
	}
	l.rewatch = nil
}

// export lists what waits; a connection that has nothing to write has no queue.
func (q *outQueue) export() (o handover.Output) {
	if q == nil {
		return o
	}
	o.Written = q.offset
	for _, f := range q.frames[q.head:] {
		o.Frames = append(o.Frames, f.data)
	}
	return o
}

func (l *loop) importOutput(c *conn, o handover.Output) {
	if len(o.Frames) == 0 {
		return
	}
	q := l.lendQueue()
	for _, data := range o.Frames {
		q.frames = append(q.frames, rawFrame(data))
		q.bytes += len(data)
	}
	q.owned, q.offset = len(q.frames), o.Written
	q.bytes -= o.Written
	c.out = q
	l.account(q)
	q.isDirty = true
	l.dirty = append(l.dirty, c)
}

func (r *rates) export(now time.Time) *handover.Rates {
	x := &handover.Rates{Messages: r.messages.export(now), ClientEvents: r.clientEvents.export(now)}
	if r.window.ends.After(now) {
		x.WindowLeft, x.WindowCount = r.window.ends.Sub(now), r.window.count
	}
	return x
}

func importRates(x *handover.Rates, now time.Time) *rates {
	r := &rates{messages: importBucket(x.Messages, now), clientEvents: importBucket(x.ClientEvents, now)}
	if x.WindowLeft > 0 {
		r.window = rateWindow{ends: now.Add(x.WindowLeft), count: x.WindowCount}
	}
	return r
}

func (b *bucket) export(now time.Time) handover.Bucket {
	if b.last.IsZero() {
		return handover.Bucket{}
	}
	return handover.Bucket{Left: b.left, Ago: now.Sub(b.last), Used: true}
}

func importBucket(x handover.Bucket, now time.Time) bucket {
	if !x.Used {
		return bucket{}
	}
	return bucket{left: x.Left, last: now.Add(-x.Ago)}
}

func (b *lockedBucket) export(now time.Time) handover.Bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bucket.export(now)
}

func (t *peerTable) restore(p peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[p]++
}
