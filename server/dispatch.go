package server

import (
	"bytes"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// handleMessage takes one whole message. b is borrowed and may be rewritten.
func (l *loop) handleMessage(c *conn, b []byte) {
	l.stats.messagesIn++
	if l.server.isTraced() {
		l.trace(TraceEvent{Kind: TraceReceived, Socket: c.id, Payload: b})
	}
	if settings := c.app.get(); !c.limits(settings).allow(l.now, settings) {
		l.handleExcess(c)
		return
	}
	m, err := protocol.Parse(b)
	if err == nil {
		err = l.dispatch(c, m)
	}
	if err != nil {
		l.fail(c, err)
		return
	}
	if l.server.isTraced() {
		l.trace(TraceEvent{Kind: TraceHandled, Socket: c.id})
	}
}

// handleExcess answers a message over the rate limit. With terminate_on_limit the connection is
// closed with 4100, after which pusher-js comes back in a second: 4301 as a close code would make it
// give up for good.
func (l *loop) handleExcess(c *conn) {
	l.fail(c, protocol.ErrRateLimited)
	if c.app.get().RateLimit.Terminate {
		l.close(c, closedRate, ws.StatusCode(protocol.ErrOverCapacity.Code), protocol.ErrRateLimited.Message)
	}
}

var (
	pusherPrefix = []byte("pusher:")
	clientPrefix = []byte("client-")
)

func (l *loop) dispatch(c *conn, m protocol.Message) error {
	switch string(m.Event) {
	case "pusher:ping":
		l.push(c, framePusherPong)
		return nil
	case "pusher:pong":
		return nil
	case "pusher:subscribe":
		return l.handleSubscribe(c, m)
	case "pusher:unsubscribe":
		return l.handleUnsubscribe(c, m)
	case "pusher:signin":
		return l.handleSignin(c, m)
	}
	switch {
	case bytes.HasPrefix(m.Event, pusherPrefix), m.Channel == nil:
		return protocol.ErrInvalidFormat
	case bytes.HasPrefix(m.Event, clientPrefix):
		return l.handleClientEvent(c, m)
	}
	// Reverb is silent about other events, and so are we.
	return nil
}

// handleSubscribe answers every subscribe, because pusher-js waits for ever. What is refused is told
// twice: pusher:subscription_error is what Echo's error() hears, pusher:error what Reverb sends.
func (l *loop) handleSubscribe(c *conn, m protocol.Message) error {
	sub, err := protocol.ParseSubscribe(m.Data)
	if err != nil {
		return l.refuse(c, sub.Channel, protocol.ErrInvalidFormat)
	}
	kind := channels.KindOf(sub.Channel)
	if e := l.mayNotSubscribe(c, kind, sub); e != nil {
		return l.refuse(c, sub.Channel, e)
	}
	who, err := memberOf(c, kind, sub)
	if err != nil {
		return l.refuse(c, sub.Channel, protocol.ErrInvalidFormat)
	}
	joined, err := c.app.registry.Subscribe(l.now, l.shard, c, sub.Channel, who, l.scratch[:0])
	if err != nil {
		return l.refuse(c, sub.Channel, protocol.ErrTooManyMembers)
	}
	c.isAuthorized = c.isAuthorized || kind.Guarded()
	if !joined.IsAgain && !kind.IsInternal() {
		c.app.subscriptions.Inc()
		if joined.IsFirst {
			c.app.channels.Inc()
		}
	}
	if !joined.IsPending {
		l.reply(c, kind, sub.Channel, joined)
	}
	return nil
}

// mayNotSubscribe returns why a subscribe is refused, or nil.
func (l *loop) mayNotSubscribe(c *conn, kind channels.Kind, sub protocol.Subscribe) *protocol.Error {
	settings := c.app.get()
	switch {
	case kind.Has(channels.Watch):
		return protocol.ErrInvalidFormat
	case kind.Has(channels.ServerToUser) && !c.mayHear(sub.Channel), kind.Guarded() && !l.verify(c, sub):
		return protocol.ErrUnauthorized
	case settings.MaxMemberSize > 0 && len(sub.ChannelData) > settings.MaxMemberSize:
		return protocol.ErrMemberTooLarge
	case settings.MaxSubscriptions > 0 && c.subs.Len() >= settings.MaxSubscriptions && c.subs.Find(sub.Channel) == nil:
		return protocol.ErrTooManySubscriptions
	}
	return nil
}

// memberOf returns who joins a presence channel: as channel_data says, or, without any, the user who is
// signed in.
func memberOf(c *conn, kind channels.Kind, sub protocol.Subscribe) (protocol.Member, error) {
	switch {
	case !kind.Has(channels.Presence):
		return protocol.Member{}, nil
	case sub.ChannelData == nil && c.user != nil:
		return c.user.Member(), nil
	}
	return protocol.ParseMember(sub.ChannelData)
}

// verify checks the signature of a subscribe over the socket id, the channel and the channel data
// as they came.
func (l *loop) verify(c *conn, sub protocol.Subscribe) bool {
	l.scratch = c.id.AppendTo(l.scratch[:0])
	return c.app.get().VerifyChannel(l.scratch, sub.Channel, sub.ChannelData, sub.Auth)
}

// refuse answers a subscribe with an error for its channel; the caller sends the other one.
func (l *loop) refuse(c *conn, channel []byte, e *protocol.Error) error {
	kind, status := "AuthError", 401
	switch e {
	case protocol.ErrInvalidFormat:
		status = 400
	case protocol.ErrTooManyMembers, protocol.ErrMemberTooLarge, protocol.ErrTooManySubscriptions:
		kind, status = "LimitReached", 403
	}
	if channel != nil {
		l.sendText(c, protocol.AppendSubscriptionError(l.scratch[:0], string(channel), kind, e, status))
	}
	return e
}

// handleUnsubscribe is never answered, whether or not the connection was subscribed.
func (l *loop) handleUnsubscribe(c *conn, m protocol.Message) error {
	channel, err := protocol.ParseUnsubscribe(m.Data)
	if err != nil {
		return err
	}
	own := c.subs.Find(channel)
	if own == nil {
		return nil
	}
	isInternal := own.Channel.Kind().IsInternal()
	isEmpty := c.app.registry.Unsubscribe(l.now, l.shard, c, own)
	if !isInternal {
		c.app.subscriptions.Dec()
		if isEmpty {
			c.app.channels.Dec()
		}
	}
	return nil
}

// handleClientEvent publishes an event of a client to the others in the channel. Only members may,
// unless the app accepts client events from all; on public channels, too, as with Reverb.
func (l *loop) handleClientEvent(c *conn, m protocol.Message) error {
	own := c.subs.Find(m.Channel)
	if e := l.mayNotSend(c, own, m); e != nil {
		return e
	}
	channel, userID := "", ""
	if own != nil {
		channel, userID = own.Channel.Name(), own.UserID()
	} else {
		channel = string(m.Channel)
	}
	l.scratch = protocol.AppendClientEvent(l.scratch[:0], m.Event, m.Channel, m.Data, userID)
	l.stats.published++
	l.server.broker.Publish(protocol.Broadcast{
		AppID: c.app.id, Channel: channel, Payload: l.scratch, Except: c.id, Cache: isCache(channel), CacheTTL: c.app.get().CacheTTL,
	})
	if l.server.cfg.Hooks != nil {
		l.server.observe(c.app, channels.Event{
			Name: channels.ClientEvent, Channel: channel, UserID: userID,
			Event: string(m.Event), Data: protocol.ClientEventData(m.Data), SocketID: c.id,
		})
	}
	return nil
}

func isCache(channel string) bool { return channels.KindOf(channel).Has(channels.Cache) }

// mayNotSend returns why a client event is refused, or nil.
func (l *loop) mayNotSend(c *conn, own *channels.Subscription, m protocol.Message) *protocol.Error {
	settings := c.app.get()
	switch {
	case settings.ClientEvents == auth.ClientEventsNone:
		return protocol.ErrClientEventsDisabled
	case settings.ClientEvents == auth.ClientEventsMembers && own == nil:
		return protocol.ErrNotMember
	case channels.KindOf(m.Channel).IsInternal():
		return protocol.ErrNotMember
	case settings.MaxClientEventSize > 0 && len(m.Data) > settings.MaxClientEventSize:
		return protocol.ErrClientEventTooLarge
	case !c.limits(settings).allowClientEvent(l.now, settings):
		return protocol.ErrTooManyClientEvents
	}
	return nil
}
