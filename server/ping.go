package server

import (
	"time"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/protocol"
)

// The two forms of a ping. Every client answers the one of RFC 6455; pusher-js in a browser cannot
// see it, and is asked in the protocol as well so that it notices a dead connection itself.
var (
	framePing       = constantFrame(ws.OpPing, "")
	framePusherPing = constantFrame(ws.OpText, protocol.Ping)
	framePusherPong = constantFrame(ws.OpText, protocol.Pong)
)

// constantFrame returns a frame that is never released.
func constantFrame(op ws.OpCode, payload string) *frame {
	return rawFrame(append(appendHeader(nil, op, len(payload)), payload...))
}

// tick does what has become due in the seconds that have passed.
func (l *loop) tick() {
	if l.wheel.now == l.seconds {
		return
	}
	l.wheel.advance(l.seconds, l.check)
	if l.index == 0 {
		if l.server.cluster != nil {
			l.server.outage.note(l.server.cluster.Health())
		}
		for _, a := range l.server.apps.all() {
			a.registry.Tick(l.now)
			a.answers.expire(l.now)
		}
	}
}

// check looks at a connection whose time has come: one that was silent for the app's ping interval
// is pinged, one that has not answered is closed.
func (l *loop) check(c *conn) {
	if c.state == closing {
		l.end(c, closedGone)
		return
	}
	if due := l.authDue(c); due != 0 && l.seconds >= due {
		l.closeWith(c, closedUnauthorized, protocol.ErrNotAuthorizedInTime)
		return
	}
	switch silent := l.seconds - c.lastSeen; {
	case silent < l.patience(c):
		l.schedule(c)
	case c.pinged:
		l.trace(TraceEvent{Kind: TracePruned, Socket: c.id})
		l.closeWith(c, closedTimeout, protocol.ErrPongTimeout)
	default:
		l.ping(c)
	}
}

// patience is how long the connection may be silent, in seconds.
func (l *loop) patience(c *conn) uint32 {
	if c.pinged {
		return wholeSeconds(l.server.cfg.PongTimeout)
	}
	return wholeSeconds(c.app.get().PingInterval)
}

// authDue is the second by which the connection has to have signed in or subscribed with a signature,
// or 0.
func (l *loop) authDue(c *conn) uint32 {
	timeout := c.app.get().AuthTimeout
	if timeout == 0 || c.isAuthorized {
		return 0
	}
	return c.opened + wholeSeconds(timeout)
}

// schedule has the connection, which is in no slot, looked at when the next thing is due.
func (l *loop) schedule(c *conn) {
	due := c.lastSeen + l.patience(c)
	if c.pinged {
		// An answer does not move the connection, and its next ping may be due before the last one would have failed.
		due = min(due, c.lastSeen+wholeSeconds(c.app.get().PingInterval))
	}
	if auth := l.authDue(c); auth != 0 {
		due = min(due, auth)
	}
	l.wheel.insert(c, due)
}

// ping asks for a sign of life. lastSeen becomes the time of the ping.
func (l *loop) ping(c *conn) {
	l.trace(TraceEvent{Kind: TracePinged, Socket: c.id})
	l.push(c, framePing)
	if c.isJS {
		l.push(c, framePusherPing)
	}
	c.pinged, c.lastSeen = true, l.seconds
	l.schedule(c)
}

func wholeSeconds(d time.Duration) uint32 { return uint32(max(d/time.Second, 1)) }
