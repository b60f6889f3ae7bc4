package server

import (
	"bytes"
	"errors"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// handleMessage takes one whole message. b is borrowed and may be rewritten.
func (l *loop) handleMessage(c *conn, b []byte) {
	l.stats.messagesIn++
	l.trace(TraceEvent{Kind: TraceReceived, Socket: c.id, Payload: b})
	if c.rate != nil && !c.rate.allows(l.now, c.app.RateLimit) {
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
	l.trace(TraceEvent{Kind: TraceHandled, Socket: c.id})
}

// fail answers a message with an error. The connection stays open: no client may lose it by a
// mistake in one message.
func (l *loop) fail(c *conn, err error) {
	l.stats.malformed++
	l.trace(TraceEvent{Kind: TraceFailed, Socket: c.id, Err: err})
	var told *protocol.Error
	if !errors.As(err, &told) {
		l.server.log.Error("message not handled", "app", c.app.ID, "socket", c.id, "err", err)
		told = protocol.ErrInvalidFormat
	}
	l.sendError(c, told)
}

// handleExcess answers a message over the rate limit. With terminate_on_limit the connection is
// closed with 4100, after which pusher-js comes back in a second: 4301 as a close code would make it
// give up for good.
func (l *loop) handleExcess(c *conn) {
	l.stats.rateLimited++
	l.trace(TraceEvent{Kind: TraceFailed, Socket: c.id, Err: protocol.ErrRateLimited})
	l.sendError(c, protocol.ErrRateLimited)
	if c.app.RateLimit.Terminate {
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
		return l.refuse(c, sub.Channel, protocol.ErrInvalidFormat, 400)
	}
	kind := channels.KindOf(sub.Channel)
	if kind.Guarded() && !l.verify(c, sub) {
		return l.refuse(c, sub.Channel, protocol.ErrUnauthorized, 401)
	}
	var who protocol.Member
	if kind.Has(channels.Presence) && sub.ChannelData != nil {
		if who, err = protocol.ParseMember(sub.ChannelData); err != nil {
			return l.refuse(c, sub.Channel, protocol.ErrInvalidFormat, 400)
		}
	}
	joined := c.app.registry.Subscribe(l.now, l.shard, c, sub.Channel, who, l.scratch[:0])
	if !joined.IsAgain {
		c.app.subscriptions.Inc()
	}
	if joined.IsFirst {
		c.app.channels.Inc()
	}
	l.reply(c, sub.Channel, joined)
	return nil
}

// verify checks the signature of a subscribe over the socket id, the channel and the channel data
// as they came.
func (l *loop) verify(c *conn, sub protocol.Subscribe) bool {
	l.scratch = c.id.AppendTo(l.scratch[:0])
	return c.app.VerifyChannel(l.scratch, sub.Channel, sub.ChannelData, sub.Auth)
}

func (l *loop) refuse(c *conn, channel []byte, e *protocol.Error, status int) error {
	if channel != nil {
		l.sendText(c, protocol.AppendSubscriptionError(l.scratch[:0], string(channel), "AuthError", e, status))
	}
	return e
}

// handleUnsubscribe is never answered, whether or not the connection was subscribed.
func (l *loop) handleUnsubscribe(c *conn, m protocol.Message) error {
	channel, err := protocol.ParseUnsubscribe(m.Data)
	if err != nil {
		return err
	}
	if own := c.subs.Find(channel); own != nil {
		c.app.subscriptions.Dec()
		if c.app.registry.Unsubscribe(l.shard, c, own) {
			c.app.channels.Dec()
		}
	}
	return nil
}

// handleClientEvent publishes an event of a client to the others in the channel. Only members may,
// unless the app accepts client events from all; on public channels, too, as with Reverb.
func (l *loop) handleClientEvent(c *conn, m protocol.Message) error {
	own := c.subs.Find(m.Channel)
	switch c.app.ClientEvents {
	case auth.ClientEventsAll:
	case auth.ClientEventsMembers:
		if own == nil {
			return protocol.ErrNotMember
		}
	default:
		return protocol.ErrClientEventsDisabled
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
		AppID: c.app.ID, Channel: channel, Payload: l.scratch, Except: c.id, Cache: true,
	})
	return nil
}
