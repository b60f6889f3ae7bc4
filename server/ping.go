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
	if l.wheel.now != l.seconds {
		l.wheel.advance(l.seconds, l.check)
	}
}

// check looks at a connection whose time has come: one that was silent for the app's ping interval
// is pinged, one that has not answered is closed.
func (l *loop) check(c *conn) {
	if c.state == closing {
		l.end(c, closedGone)
		return
	}
	wait := wholeSeconds(c.app.PingInterval)
	if c.pinged {
		wait = wholeSeconds(l.server.cfg.PongTimeout)
	}
	switch silent := l.seconds - c.lastSeen; {
	case silent < wait:
		l.wheel.insert(c, c.lastSeen+wait)
	case c.pinged:
		l.trace(TraceEvent{Kind: TracePruned, Socket: c.id})
		l.closeWith(c, closedTimeout, protocol.ErrPongTimeout)
	default:
		l.ping(c)
	}
}

// ping asks for a sign of life. lastSeen becomes the time of the ping.
func (l *loop) ping(c *conn) {
	l.trace(TraceEvent{Kind: TracePinged, Socket: c.id})
	l.push(c, framePing)
	if c.isJS {
		l.push(c, framePusherPing)
	}
	c.pinged, c.lastSeen = true, l.seconds
	l.wheel.insert(c, l.seconds+wholeSeconds(l.server.cfg.PongTimeout))
}

func wholeSeconds(d time.Duration) uint32 { return uint32(max(d/time.Second, 1)) }
