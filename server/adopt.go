package server

import (
	crand "crypto/rand"
	"math/rand/v2"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/protocol"
)

// adopt makes an upgraded socket one of the loop's connections. early is what the client has sent already.
func (l *loop) adopt(c *conn, h handshake, early []byte) {
	if err := l.watch(c); err != nil {
		l.server.counts.refused[refusedSystem].Inc()
		l.server.log.Error("connection not watched", "err", err)
		l.load.Add(-1)
		closeUnadopted(c)
		return
	}
	l.guard(c, func(l *loop, c *conn) bool { l.welcome(c, h, early); return false })
}

// welcome tells a new connection that it is one, or why not. A refusal is a WebSocket close with a code, because
// an HTTP error would make pusher-js wait 15 seconds and tell it nothing.
func (l *loop) welcome(c *conn, h handshake, early []byte) {
	c.app, c.id, c.lastSeen = h.app, l.ids.next(), l.seconds
	c.state = closing // which it is, should a bug end it before it is counted
	l.push(c, l.own(rawFrame(h.response())))
	if why, refused := l.server.admit(c, h); refused {
		l.turnAway(c, why)
		return
	}
	c.state = open
	settings := c.app.get()
	c.opened = l.seconds
	l.server.counts.Opened.Inc()
	l.trace(TraceEvent{Kind: TraceOpened, Socket: c.id})
	l.sendText(c, protocol.AppendConnectionEstablished(l.scratch[:0], c.id, int(wholeSeconds(settings.ActivityTimeout))))
	l.schedule(c)
	if len(early) > 0 {
		l.feed(c, early)
	}
}

func (h *handshake) refuse(why refusal) { h.refused = &why }

// admit decides whether a connection is let in and counts it. The order is Reverb's, after what
// protects the node.
func (s *Server) admit(c *conn, h handshake) (refusal, bool) {
	switch {
	case s.draining.Load():
		return refusedShutdown, true
	case h.refused != nil:
		return *h.refused, true
	case c.app == nil:
		return refusedApp, true
	case c.app.get().IsDisabled:
		return refusedDisabled, true
	}
	total, n := s.total.Add(1), c.app.connections.Add(1)
	why, refused := s.admitCounted(c, h, total, n)
	if refused {
		s.total.Add(-1)
		c.app.connections.Add(-1)
		return why, true
	}
	c.app.gauge.Inc()
	if c.deflates {
		s.counts.Compressed.Inc()
	}
	return 0, false
}

// admitCounted decides about a connection that is the total-th of the node and the n-th of its app.
func (s *Server) admitCounted(c *conn, h handshake, total, n int64) (refusal, bool) {
	settings := c.app.get()
	switch {
	case s.cfg.MaxConnections > 0 && total > int64(s.cfg.MaxConnections):
		return refusedNode, true
	case settings.MaxConnections >= 0 && n+s.elsewhere(c.app) > int64(settings.MaxConnections):
		return refusedQuota, true
	case !settings.AllowsOrigin(h.origin):
		return refusedOrigin, true
	case h.addr == "" || settings.MaxConnectionsPerIP == 0 && !s.keepsAddresses():
		return 0, false
	}
	p := peer{c.app, h.addr}
	if !s.peers.enter(p, settings.MaxConnectionsPerIP) {
		return refusedAddress, true
	}
	c.peer = &p
	return 0, false
}

// elsewhere is how many connections an app has on other nodes.
func (s *Server) elsewhere(a *app) int64 {
	if s.cluster == nil {
		return 0
	}
	return int64(s.cluster.Elsewhere(a.id))
}

func (l *loop) turnAway(c *conn, why refusal) {
	l.server.counts.refused[why].Inc()
	e := why.err()
	l.trace(TraceEvent{Kind: TraceRefused, Socket: c.id, Err: e})
	l.sendError(c, e)
	l.sendClose(c, ws.StatusCode(e.Code), e.Message)
	l.linger(c)
}

// An idSource makes socket ids. They cannot be guessed, because a socket id is what signatures for
// a connection are bound to.
type idSource struct{ random *rand.Rand }

func newIDSource() idSource {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	return idSource{rand.New(rand.NewChaCha8(seed))}
}

func (s idSource) next() protocol.SocketID {
	return protocol.NewSocketID(1+s.random.Uint32N(1e9), 1+s.random.Uint32N(1e9))
}
