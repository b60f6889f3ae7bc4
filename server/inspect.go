package server

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// An Inspector answers requests below /inspector. It reports false for what is to look as if it did not exist.
// path is without the configured prefix.
type Inspector func(in Inspection, ctx *fasthttp.RequestCtx, path string) bool

func isInspector(path string) bool {
	return path == "/inspector" || strings.HasPrefix(path, "/inspector/")
}

// An Inspection is what an Inspector may ask and do. Its methods may be called from any goroutine but a loop's, and
// wait for the loops as long as their context lasts. A loop is never kept long: it answers in parts.
type Inspection struct{ server *Server }

// Client returns the address of who asks. ok is false if nobody knows: a proxy that is not trusted stands between, or one
// that is has left a mark but does not say for whom it asks.
func (in Inspection) Client(ctx *fasthttp.RequestCtx) (addr netip.Addr, ok bool) {
	addr, err := netip.ParseAddr(in.server.clientAddr(ctx))
	if err != nil {
		return addr, false
	}
	h := &ctx.Request.Header
	_, isTrusted := in.server.peerOf(ctx)
	isTold := isTrusted && len(h.Peek("X-Forwarded-For")) > 0
	return addr, isTold || !isForwarded(h)
}

// isForwarded reports whether a proxy has left its mark.
func isForwarded(h *fasthttp.RequestHeader) bool {
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via"} {
		if len(h.Peek(name)) > 0 {
			return true
		}
	}
	return false
}

// keepsAddresses reports whether connections remember the address of their client because their sockets do not know
// it, and the inspector is asked for it.
func (s *Server) keepsAddresses() bool {
	return s.cfg.Inspector != nil && (len(s.cfg.TrustedProxies) > 0 || s.cfg.TrustUnix)
}

// A LoopState is what an event loop has to do.
type LoopState struct {
	Index       int  `json:"index"`
	Answers     bool `json:"answers"` // in time
	Connections int  `json:"connections"`
	Waiting     int  `json:"waiting"` // notes in its inbox
}

// Loops asks all event loops how they are, at the same time.
func (in Inspection) Loops(ctx context.Context) []LoopState {
	states := make([]LoopState, len(in.server.loops))
	answers := make([]chan int, len(states))
	for i, l := range in.server.loops {
		states[i] = LoopState{Index: i, Waiting: int(l.inbox.length.Load())}
		answers[i] = make(chan int, 1)
		l.inbox.post(note{do: func(l *loop) { answers[i] <- int(l.load.Load()) - len(l.visitors) }})
	}
	for i := range states {
		select {
		case states[i].Connections = <-answers[i]:
			states[i].Answers = true
		case <-ctx.Done():
		}
	}
	return states
}

// Health returns what is wrong with this node, or "".
func (in Inspection) Health() string {
	switch {
	case in.server.draining.Load():
		return "the node is closing its connections"
	case in.server.cluster == nil:
		return ""
	}
	if err := in.server.cluster.Health(); err != nil {
		return err.Error()
	}
	return ""
}

// Started returns when the server was made.
func (in Inspection) Started() time.Time { return in.server.started }

// app returns an app, which need not have been met; nil if there is none.
func (in Inspection) app(id string) (*app, error) {
	if a := in.server.apps.find(id); a != nil {
		return a, nil
	}
	settings, err := in.server.cfg.Apps.ByID(id)
	if err != nil || settings == nil {
		return nil, err
	}
	return in.server.meet(settings), nil
}

// App returns the settings of an app; nil if there is none.
func (in Inspection) App(id string) (*auth.App, error) {
	a, err := in.app(id)
	if a == nil {
		return nil, err
	}
	return a.get(), nil
}

// Apps returns the settings of the apps that have been met.
func (in Inspection) Apps() (all []*auth.App) {
	for _, a := range in.server.apps.all() {
		all = append(all, a.get())
	}
	return all
}

// Channels returns the channels of an app that have a subscriber on any node.
func (in Inspection) Channels(appID string) ([]channels.Info, error) {
	a, err := in.app(appID)
	if a == nil {
		return nil, err
	}
	return in.server.list(a, ""), nil
}

// Channel returns what all nodes know of a channel, and the ids of its members.
func (in Inspection) Channel(appID, name string) (info channels.Info, users []string, err error) {
	a, err := in.app(appID)
	if a == nil {
		return channels.Info{Name: name, Kind: channels.KindOf(name)}, nil, err
	}
	info = in.server.lookup(a, name)[0]
	if info.Kind.Has(channels.Presence) {
		users, _ = in.server.users(a, name)
	}
	return info, users, nil
}

// HasSubscribers reports whether a channel has subscribers on this node.
func (in Inspection) HasSubscribers(appID, channel string) bool {
	a := in.server.apps.find(appID)
	return a != nil && a.registry.Lookup(in.server.cfg.Now(), channel).Subscriptions > 0
}

// Publish does what POST /events would, and returns how many subscribers all nodes know of. ok is false without such
// an app.
func (in Inspection) Publish(appID string, event protocol.Publish) (subscribers int, ok bool, err error) {
	a, err := in.app(appID)
	if a == nil {
		return 0, false, err
	}
	in.server.waitToPublish()
	in.server.publish(a, event)
	for _, name := range event.Channels {
		subscribers += in.server.lookup(a, string(name))[0].Subscriptions
	}
	return subscribers, true, nil
}

// Terminate closes all connections of a user, as the HTTP API does.
func (in Inspection) Terminate(appID, userID string) (ok bool, err error) {
	a, err := in.app(appID)
	if a == nil {
		return false, err
	}
	in.server.terminateAnywhere(a, userID)
	return true, nil
}

// Trace tells t of all that passes until stop is called.
func (in Inspection) Trace(t Tracer) (stop func()) {
	in.server.addTracer(t)
	return func() { in.server.removeTracer(t) }
}

// FollowSent has TraceSent told of all that a connection is sent from now on, until stop is called. ok is false if this
// node has no such connection, or its loop does not answer in time.
func (in Inspection) FollowSent(ctx context.Context, id protocol.SocketID) (stop func(), ok bool) {
	found := in.Connections(ctx, ConnQuery{Socket: id, Limit: 1}).Connections
	if len(found) == 0 {
		return nil, false
	}
	c := found[0].at
	begun := make(chan struct{})
	c.loop.inbox.post(note{do: func(*loop) { c.conn.taps++; close(begun) }})
	stop = func() { c.loop.inbox.post(note{do: func(*loop) { c.conn.taps-- }}) }
	select {
	case <-begun:
		return stop, true
	case <-ctx.Done():
		stop()
		return nil, false
	}
}

// Close closes a connection as terminate does, and reports whether this node has it.
func (in Inspection) Close(ctx context.Context, id protocol.SocketID) bool {
	found := in.Connections(ctx, ConnQuery{Socket: id, Limit: 1}).Connections
	if len(found) == 0 {
		return false
	}
	c := found[0].at
	return c.loop.inbox.post(note{do: func(l *loop) { l.closeWith(c.conn, closedByApp, protocol.ErrTerminated) }})
}

// traceSent tells of a frame that is queued for a connection.
func (l *loop) traceSent(c *conn, f *frame) {
	h, n := parseHeader(f.data)
	if n > 0 && h.OpCode.IsData() {
		l.trace(TraceEvent{Kind: TraceSent, Socket: c.id, Payload: f.data[n:]})
	}
}
