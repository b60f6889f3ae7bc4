package scaling

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// unlinkDelay is how long a channel stays subscribed without anybody here.
const unlinkDelay = 5 * time.Second

// A silent pub/sub connection is pinged, and taken for dead when that is not answered.
const (
	receiveTimeout = 2 * time.Second
	maxSilence     = 5 * time.Second
)

// seenTurn is how long at least it is remembered which messages a node has sent.
const seenTurn = 10 * time.Minute

// maxHeld bounds the messages held back while subscriptions are being restored.
const maxHeld = 100_000

// A receiver owns one pub/sub connection: it subscribes, and hands on what arrives, in the order of the
// stream. After the connection was lost it reads what it missed from the stream first.
type receiver struct {
	broker  *Redis
	sharded bool
	kick    chan struct{} // there is something to be subscribed
	retry   chan struct{} // and no connection for it
	isUp    atomic.Bool

	sending sync.Mutex // held from choosing topics to sending them, so that no older choice comes later

	mu      sync.Mutex // guards what follows
	pubsub  *redis.PubSub
	wanted  map[string]*link // by topic
	changed []string         // topics to be subscribed

	// Owned by the goroutine of run.
	lastSeen  [buckets]uint64 // ID of the last message handed on
	begun     bool            // lastSeen is known
	seen      seen
	turned    time.Time    // when seen was last turned
	held      []envelopeAt // waiting until all is subscribed again
	restoring bool
	began     time.Time     // when the connection was begun
	clock     redisClock    // compared when what was missed is read
	lastHeard time.Time     // when the connection was last known to be there
	missing   time.Time     // since when messages may have been missed; zero if they may not
	ponged    chan struct{} // a Ping of drained was answered
}

type link struct {
	place       place
	idle        time.Time // since when nobody here wants it; zero if somebody does
	isConfirmed bool      // messages arrive
}

type envelopeAt struct {
	place    place
	envelope envelope
}

func newReceiver(r *Redis, sharded bool) *receiver {
	return &receiver{
		broker: r, sharded: sharded, kick: make(chan struct{}, 1), retry: make(chan struct{}, 1),
		ponged: make(chan struct{}, 1), wanted: make(map[string]*link), seen: seen{now: make(map[source]uint64)},
	}
}

// subscribe asks for a topic. It is confirmed also when it is subscribed still, which leads to a new
// synchronisation: what a channel needs that was left and joined again.
func (rc *receiver) subscribe(p place) {
	topic := rc.broker.topic(p)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if l := rc.wanted[topic]; l != nil {
		l.idle = time.Time{}
	} else {
		rc.wanted[topic] = &link{place: p}
	}
	rc.changed = append(rc.changed, topic)
	signal(rc.kick)
}

// signal leaves a note in a channel for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// subscribeLoop subscribes what has been asked for, many topics at a time.
func (rc *receiver) subscribeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-rc.kick:
		}
		rc.subscribeChanged(ctx)
	}
}

func (rc *receiver) subscribeChanged(ctx context.Context) {
	rc.sending.Lock()
	defer rc.sending.Unlock()
	rc.mu.Lock()
	pubsub, topics := rc.pubsub, rc.changed
	if pubsub != nil {
		rc.changed = nil
	}
	rc.mu.Unlock()
	if pubsub == nil {
		signal(rc.retry)
	} else if len(topics) > 0 {
		// An error shows again at the next Receive, which then makes a new connection with all topics.
		_ = rc.send(ctx, pubsub.Subscribe, pubsub.SSubscribe, topics)
	}
}

// hears reports whether messages of a channel arrive.
func (rc *receiver) hears(p place) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	l := rc.wanted[rc.broker.topic(p)]
	return l != nil && l.isConfirmed
}

// send calls the plain or the sharded form of a command.
func (rc *receiver) send(ctx context.Context, plain, sharded func(context.Context, ...string) error, topics []string) error {
	ctx, cancel := context.WithTimeout(ctx, receiveTimeout)
	defer cancel()
	if rc.sharded {
		return sharded(ctx, topics...)
	}
	return plain(ctx, topics...)
}

func (rc *receiver) unsubscribe(p place) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if l := rc.wanted[rc.broker.topic(p)]; l != nil {
		l.idle = time.Now()
	}
}

// sweep unsubscribes what nobody has wanted for a while.
func (rc *receiver) sweep(ctx context.Context) {
	var gone []string
	rc.sending.Lock()
	defer rc.sending.Unlock()
	rc.mu.Lock()
	for topic, l := range rc.wanted {
		if !l.idle.IsZero() && time.Since(l.idle) > unlinkDelay {
			delete(rc.wanted, topic)
			gone = append(gone, topic)
		}
	}
	rc.mu.Unlock()
	if len(gone) > 0 {
		_ = rc.send(ctx, rc.pubsub.Unsubscribe, rc.pubsub.SUnsubscribe, gone)
	}
}

// run receives until ctx ends.
func (rc *receiver) run(ctx context.Context) {
	for ctx.Err() == nil {
		isNeeded, err := rc.connect(ctx)
		if !isNeeded {
			select {
			case <-ctx.Done():
			case <-rc.retry:
			}
			continue
		}
		if err == nil {
			err = rc.receiveAll(ctx)
		}
		rc.disconnect(ctx, err)
		pause(ctx, retryPause)
	}
}

// connect makes a connection with all topics that are wanted. A sharded one needs a topic, since that
// says which master it is for: without, none is needed.
//
// A Redis that stalls keeps it waiting, and it must not keep the loops waiting, which subscribe meanwhile.
func (rc *receiver) connect(ctx context.Context) (isNeeded bool, err error) {
	rc.sending.Lock()
	defer rc.sending.Unlock()
	pubsub, topics := rc.prepare(ctx)
	if pubsub == nil {
		return false, nil
	}
	rc.restoring = true
	rc.began = time.Now()
	rc.lastHeard = rc.began
	return true, rc.send(ctx, pubsub.Subscribe, pubsub.SSubscribe, topics)
}

// prepare returns a connection that is not made yet, and what it is to subscribe.
func (rc *receiver) prepare(ctx context.Context) (pubsub *redis.PubSub, topics []string) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for topic, l := range rc.wanted {
		topics = append(topics, topic)
		l.isConfirmed = false
	}
	rc.changed = nil
	switch {
	case rc.sharded && len(topics) == 0:
		rc.isUp.Store(true) // there is nothing to miss
		return nil, nil
	case rc.sharded:
		rc.pubsub = rc.broker.client.SSubscribe(ctx)
	default:
		rc.pubsub = rc.broker.client.Subscribe(ctx)
		// The control topic is always wanted, so that there is a connection whose loss is noticed.
		topics = append(topics, rc.broker.controlTopic())
	}
	return rc.pubsub, topics
}

func (rc *receiver) disconnect(ctx context.Context, err error) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	wasUp := rc.isUp.Swap(false)
	rc.pubsub.Close()
	rc.pubsub = nil
	rc.held = nil
	if wasUp && ctx.Err() == nil {
		rc.missing = rc.lastHeard
		rc.broker.log.Warn("redis pub/sub lost", "err", err)
		rc.broker.queue.stopWaiting()
		rc.broker.tellOwn()
	}
}

// interrupt ends a Receive that waits.
func (rc *receiver) interrupt() {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.pubsub != nil {
		rc.pubsub.Close()
	}
}

// receiveAll hands on what arrives until the connection fails.
func (rc *receiver) receiveAll(ctx context.Context) error {
	lastSweep := time.Now()
	for ctx.Err() == nil {
		message, err := rc.pubsub.ReceiveTimeout(ctx, receiveTimeout)
		switch {
		case err == nil:
			rc.lastHeard = time.Now()
		case !isTimeout(err) || time.Since(rc.lastHeard) > maxSilence:
			return err
		default:
			if err := rc.pubsub.Ping(ctx); err != nil {
				return err
			}
		}
		if err := rc.handle(ctx, message); err != nil {
			return err
		}
		if time.Since(lastSweep) > time.Second {
			lastSweep = time.Now()
			rc.sweep(ctx)
			if time.Since(rc.turned) > seenTurn {
				rc.turned = time.Now()
				rc.seen.turn()
			}
		}
	}
	return ctx.Err()
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

func (rc *receiver) handle(ctx context.Context, message any) error {
	switch m := message.(type) {
	case *redis.Subscription:
		return rc.handleSubscription(ctx, m)
	case *redis.Message:
		rc.handleMessage(m)
	case *redis.Pong:
		if m.Payload == drainedPing {
			signal(rc.ponged)
		}
	}
	return nil
}

// handleSubscription is told that a topic has been subscribed. When all are, what was missed is read
// again.
func (rc *receiver) handleSubscription(ctx context.Context, s *redis.Subscription) error {
	switch s.Kind {
	case "sunsubscribe", "unsubscribe":
		if rc.sharded && rc.isWanted(s.Channel) {
			return errors.New("the slot has moved to another master")
		}
		return nil
	}
	rc.confirm(s.Channel)
	if rc.restoring {
		return rc.restore(ctx)
	}
	if p, ok := rc.broker.placeOfTopic(s.Channel); ok {
		rc.heard(p)
	}
	return nil
}

func (rc *receiver) isWanted(topic string) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return rc.wanted[topic] != nil
}

func (rc *receiver) confirm(topic string) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if l := rc.wanted[topic]; l != nil {
		l.isConfirmed = true
	}
}

// confirmed returns the places of all topics, if each is confirmed.
func (rc *receiver) confirmed() (places []place, isAll bool) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, l := range rc.wanted {
		if !l.isConfirmed {
			return nil, false
		}
		places = append(places, l.place)
	}
	return places, true
}

func (rc *receiver) heard(p place) {
	if appID, channel, ok := splitName(p.name); ok {
		rc.broker.node.Heard(appID, channel)
	}
}

// restore goes on when all wanted topics are confirmed: nothing can be missed any more, so now it
// is known what has been.
func (rc *receiver) restore(ctx context.Context) error {
	places, isAll := rc.confirmed()
	if !isAll {
		return nil
	}
	if err := rc.repair(ctx, places); err != nil {
		return err
	}
	held := rc.held
	rc.held, rc.restoring, rc.missing = nil, false, time.Time{}
	for _, e := range held {
		rc.handOn(e.place, e.envelope, rc.clock.dated(e.envelope.id, rc.began))
	}
	rc.isUp.Store(true)
	for _, p := range places {
		rc.heard(p)
	}
	return nil
}

func (rc *receiver) handleMessage(m *redis.Message) {
	rc.broker.options.Counters.Received.Inc()
	rc.broker.node.WaitForRoom()
	if m.Channel == rc.broker.controlTopic() {
		rc.broker.handleControl(m.Payload)
		return
	}
	p, ok := rc.broker.placeOfTopic(m.Channel)
	if !ok {
		return
	}
	e, err := parseEnvelope(m.Payload)
	if err != nil {
		rc.broker.malformed(m.Channel, err)
		return
	}
	if rc.restoring {
		if len(rc.held) < maxHeld {
			rc.held = append(rc.held, envelopeAt{p, e})
		}
		return
	}
	rc.handOn(p, e, time.Time{})
}

// handOn gives a message to the node, unless it has had it. published is when it was, if that has been a while.
func (rc *receiver) handOn(p place, e envelope, published time.Time) {
	if !protocol.IsLater(e.id, rc.lastSeen[p.bucket]) {
		return
	}
	rc.lastSeen[p.bucket] = e.id
	r := rc.broker
	switch {
	case e.kind != kindEvent:
		r.deliver(p, e, published)
	case e.origin == r.instance:
		r.hearOwn(p.bucket, e.number, func() { r.deliver(p, e, published) })
	case rc.seen.isNew(source{e.origin, p.bucket}, e.number):
		r.deliver(p, e, published)
	}
}

func (r *Redis) deliver(p place, e envelope, published time.Time) {
	appID, channel, ok := splitName(p.name)
	if !ok {
		return
	}
	switch e.kind {
	case kindEvent:
		r.node.Deliver(protocol.Broadcast{
			AppID: appID, Channel: channel, Payload: []byte(e.payload), Except: e.except, Cache: e.flags&flagCache != 0, ID: e.id,
			Published: published,
		})
	case kindJoined:
		r.node.Change(protocol.Change{AppID: appID, Channel: channel, Seq: e.seq, Kind: protocol.MemberJoined, Member: e.member})
	case kindUpdated:
		r.node.Change(protocol.Change{AppID: appID, Channel: channel, Seq: e.seq, Kind: protocol.MemberUpdated, Member: e.member})
	case kindLeft:
		r.node.Change(protocol.Change{AppID: appID, Channel: channel, Seq: e.seq, Kind: protocol.MemberLeft, Member: e.member})
	}
}
