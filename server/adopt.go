package server

import (
	crand "crypto/rand"
	"math/rand/v2"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/protocol"
)

// adopt makes an upgraded socket one of the loop's connections and welcomes it, or tells it why not.
// A refusal is a WebSocket close with a code, because an HTTP error would make pusher-js wait 15
// seconds and tell it nothing. early is what the client has sent already.
func (l *loop) adopt(c *conn, h handshake, early []byte) {
	c.app, c.id, c.lastSeen = h.app, l.ids.next(), l.seconds
	if err := l.watch(c); err != nil {
		l.server.log.Error("connection not watched", "err", err)
		closeUnadopted(c)
		return
	}
	l.push(c, l.own(rawFrame(h.response())))
	if why, refused := l.server.admit(c, h); refused {
		l.turnAway(c, why)
		return
	}
	if c.app.RateLimit.Enabled {
		c.rate = new(rateWindow)
	}
	l.server.counts.Opened.Inc()
	l.trace(TraceEvent{Kind: TraceOpened, Socket: c.id})
	l.sendText(c, protocol.AppendConnectionEstablished(l.scratch[:0], c.id, int(wholeSeconds(c.app.ActivityTimeout))))
	l.wheel.insert(c, l.seconds+wholeSeconds(c.app.PingInterval))
	if len(early) > 0 {
		l.feed(c, early)
	}
}

// admit decides whether a connection is let in and counts it. The order is Reverb's.
func (s *Server) admit(c *conn, h handshake) (refusal, bool) {
	switch {
	case s.draining.Load():
		return refusedShutdown, true
	case h.isLost:
		return refusedPath, true
	case c.app == nil:
		return refusedApp, true
	}
	n := c.app.connections.Add(1)
	why := refusedQuota
	if c.app.MaxConnections < 0 || n <= int64(c.app.MaxConnections) {
		if c.app.AllowsOrigin(h.origin) {
			c.app.gauge.Inc()
			return 0, false
		}
		why = refusedOrigin
	}
	c.app.connections.Add(-1)
	return why, true
}

func (l *loop) turnAway(c *conn, why refusal) {
	l.server.counts.refused[why].Inc()
	e := why.err()
	l.trace(TraceEvent{Kind: TraceRefused, Socket: c.id, Err: e})
	l.sendError(c, e)
	c.state = closing
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
