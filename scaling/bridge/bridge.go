package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
)

// A Node is what this node is asked about its own connections, without those of others. What Start is given must
// be one. The methods may be called from any goroutine of the broker.
type Node interface {
	scaling.Node
	// Own returns a channel as far as it is here, and its members who are.
	Own(appID, channel string) (channels.Info, []protocol.Member)
	// OwnChannels returns the names of those with a subscriber here that begin with prefix.
	OwnChannels(appID, prefix string) []string
	// OwnSockets returns the connections of an app.
	OwnSockets(appID string) []protocol.SocketID
}

// A Broker is the broker of a cluster that has nodes of Laravel Reverb, or may have.
type Broker struct {
	*scaling.Redis

	client   redis.UniversalClient
	options  Options
	counters Counters
	log      *slog.Logger
	node     Node

	why       atomic.Pointer[string] // it is on; nil while it is off
	others    atomic.Int64           // subscribers to Reverb's channel that are not ours
	heard     chan struct{}          // one of them has said something
	outbox    outbox
	questions chan question
	rounds    rounds
	apps      map[string]string // ids by serialized app; owned by receive

	cancel context.CancelFunc
	sender sync.WaitGroup
	wg     sync.WaitGroup // of all other goroutines
}

// New returns a broker that does all that inner does, and needs Start. client is for the Redis of Laravel Reverb,
// usually inner's own.
func New(inner *scaling.Redis, client redis.UniversalClient, options Options) (*Broker, error) {
	if options.Apps == nil {
		return nil, errors.New("bridge: no apps")
	}
	b := &Broker{
		Redis: inner, client: client, options: options.withDefaults(),
		heard: make(chan struct{}, 1), questions: make(chan question, maxQuestions),
		apps: make(map[string]string),
	}
	b.counters, b.log = b.options.Counters, b.options.Logger
	b.outbox = outbox{maxBytes: b.options.MaxQueued, maxAge: b.options.MaxAge, filled: make(chan struct{}, 1)}
	b.rounds.byKey = make(map[string]*round)
	return b, nil
}

// Start starts inner, and listens. It does not wait for Redis.
func (b *Broker) Start(node scaling.Node) {
	b.node = node.(Node)
	b.Redis.Start(node)
	b.work()
}

// work starts the goroutines.
func (b *Broker) work() {
	if b.options.Mode == Off {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	if b.options.Mode == On {
		b.turnOn("it is set to be")
	} else {
		why := unknown // and nothing may be missed until it is
		b.why.Store(&why)
	}
	b.sender.Go(func() { b.sendAll(ctx) })
	for _, run := range []func(context.Context){b.receive, b.answerAll, b.watch} {
		b.wg.Go(func() { run(ctx) })
	}
}

// Stop sends what waits, as long as ctx allows, and leaves the cluster.
func (b *Broker) Stop(ctx context.Context) error {
	b.rest(ctx)
	return b.Redis.Stop(ctx)
}

// rest sends what waits and ends the goroutines.
func (b *Broker) rest(ctx context.Context) {
	if b.cancel == nil {
		return
	}
	b.outbox.close()
	stopWaiting := context.AfterFunc(ctx, b.cancel)
	b.sender.Wait()
	stopWaiting()
	b.cancel()
	b.wg.Wait()
}

// Pause sends what waits, ends all work, and returns what another process has to know to go on. What nodes of
// Laravel Reverb say until then is lost, as it is among them.
func (b *Broker) Pause(ctx context.Context) ([]byte, error) {
	state, err := b.Redis.Pause(ctx)
	if err == nil {
		b.rest(ctx)
	}
	return state, err
}

// Resume goes on after all.
func (b *Broker) Resume() {
	b.Redis.Resume()
	b.outbox.open()
	b.work()
}

// Publish hands a message to all nodes of both kinds.
func (b *Broker) Publish(m protocol.Broadcast) {
	b.Redis.Publish(m)
	// On a node of Laravel Reverb anybody can subscribe to a channel that is for one user.
	if b.isOn() && !channels.KindOf(m.Channel).IsInternal() {
		b.counters.Dropped.Add(float64(b.outbox.add(m, time.Now())))
	}
}

// Why returns why the bridge is on, or "" if it is off.
func (b *Broker) Why() string {
	if why := b.why.Load(); why != nil {
		return *why
	}
	return ""
}

// unknown is why the bridge is on before the first count.
const unknown = "it is not known yet whether there are others"

func (b *Broker) isOn() bool { return b.why.Load() != nil }

func (b *Broker) turnOn(why string) {
	b.why.Store(&why)
	b.counters.On.Set(1)
	b.log.Info("bridge to Laravel Reverb on", "why", why, "channel", b.options.Channel)
}

func (b *Broker) turnOff(why string) {
	b.why.Store(nil)
	b.counters.On.Set(0)
	b.log.Info("bridge to Laravel Reverb off", "why", why, "channel", b.options.Channel)
}

// ownTopic is the channel that all nodes of ours subscribe to together with Reverb's, to be counted.
func (b *Broker) ownTopic() string { return b.Prefix() + "bridge:" + b.options.Channel }

// receive hands on what is said on Reverb's channel. go-redis connects and subscribes again when the connection is
// lost; what is said meanwhile is lost, as between nodes of Laravel Reverb.
func (b *Broker) receive(ctx context.Context) {
	pubsub := b.client.Subscribe(ctx, b.options.Channel, b.ownTopic())
	defer pubsub.Close()
	messages := pubsub.Channel(redis.WithChannelSize(maxQuestions))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			if m.Channel == b.options.Channel {
				b.handle(m.Payload)
			}
		}
	}
}

// handle takes one message. Nobody may be able to end a node with it.
func (b *Broker) handle(text string) {
	m, err := parseMessage(text)
	if err == nil && m.from == b.Prefix() {
		return
	}
	if err == nil {
		err = b.dispatch(m)
	}
	if err != nil {
		b.counters.Malformed.Inc()
		b.log.Debug("ignored something on the channel of Laravel Reverb", "err", err)
		return
	}
	select {
	case b.heard <- struct{}{}:
	default:
	}
}

func (b *Broker) dispatch(m message) error {
	switch m.kind {
	case typeMessage:
		return b.handleEvent(m)
	case typeTerminate:
		return b.handleTerminate(m)
	case typeMetrics:
		return b.handleQuestion(m)
	}
	if m.payload[0] != '{' && m.payload[0] != '[' {
		return errMalformed
	}
	b.rounds.answer(m.kind, m.payload)
	return nil
}

// handleEvent delivers an event of another node to the clients of this one.
func (b *Broker) handleEvent(m message) error {
	appID, err := b.appIDOf(m)
	if err != nil {
		return err
	}
	e, err := parseEvent(m.payload)
	if err != nil {
		return err
	}
	b.counters.Received.Inc()
	except, _ := protocol.ParseSocketID(m.socketID) // one that is none of ours excludes nobody
	for _, channel := range e.channels {
		if !e.mayBePublished(channel) {
			return errMalformed
		}
		isCached := channels.KindOf(channel).Has(channels.Cache)
		broadcast := protocol.Broadcast{
			AppID: appID, Channel: channel, Payload: e.appendFrame(nil, channel), Except: except, Cache: isCached,
		}
		b.node.Deliver(broadcast)
		if isCached {
			if broadcast.CacheTTL = b.appTTL(appID); broadcast.CacheTTL > 0 {
				b.Keep(broadcast)
			}
		}
	}
	return nil
}

// maxApps bounds the apps whose serialized form is remembered: it is the same in every message.
const maxApps = 256

func (b *Broker) appIDOf(m message) (string, error) {
	if id, ok := b.apps[string(m.application)]; ok {
		return id, nil
	}
	id, ok := appIDOf(textOf(m.application))
	if !ok {
		return "", fmt.Errorf("%s without an app: %w", m.kind, errMalformed)
	}
	if len(b.apps) >= maxApps {
		clear(b.apps)
	}
	b.apps[string(m.application)] = id
	return id, nil
}

func (b *Broker) handleTerminate(m message) error {
	appID, err := b.appIDOf(m)
	if err != nil {
		return err
	}
	var payload struct {
		UserID json.RawMessage `json:"user_id"`
	}
	if json.Unmarshal(m.payload, &payload) != nil || textOf(payload.UserID) == "" {
		return errMalformed
	}
	b.node.Terminate(appID, textOf(payload.UserID))
	return nil
}

func (b *Broker) handleQuestion(m message) error {
	q, err := parseQuestion(m.payload)
	if err != nil {
		return err
	}
	select {
	case b.questions <- q:
	default:
		b.log.Warn("question of another node left without an answer, because too many wait")
	}
	return nil
}
