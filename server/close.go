package server

import (
	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/protocol"
)

// A closeReason says why a connection ended. Its text is the label in the metrics.
type closeReason int

const (
	closedByClient     closeReason = iota // a close frame came
	closedGone                            // the socket ended without one
	closedProtocol                        // RFC 6455 was broken
	closedTooBig                          // a message was over max_message_size
	closedTimeout                         // a ping was not answered
	closedSlow                            // too much was waiting to be written to it
	closedNodeQueue                       // it was slow while too much was waiting on the whole node
	closedRate                            // terminate_on_limit
	closedByApp                           // terminate_connections
	closedShutdown                        // this node stops
	closedUnauthorized                    // neither signed in nor subscribed with a signature in time
	closedAppGone                         // its app was removed or disabled
	closedPanic                           // a bug of ours
	numCloseReasons    int         = iota
)

func (r closeReason) String() string {
	return [...]string{"client", "gone", "protocol", "too_big", "timeout", "slow", "node_queue", "rate_limit", "app", "shutdown", "unauthorized", "app_gone", "panic"}[r]
}

// A refusal says why a connection was not established. Its text is the label in the metrics.
type refusal int

const (
	refusedApp refusal = iota
	refusedQuota
	refusedOrigin
	refusedPath
	refusedShutdown
	refusedDisabled
	refusedAddress
	refusedNode
	refusedRate
	refusedMemory
	refusedSource
	refusedFiles
	refusedSystem
	numRefusals int = iota
)

func (r refusal) String() string {
	return [...]string{"unknown_app", "over_quota", "origin", "path", "shutdown", "disabled", "address", "node_full", "handshake_rate", "memory", "app_source", "files", "system"}[r]
}

func (r refusal) err() *protocol.Error {
	return [...]*protocol.Error{
		protocol.ErrAppNotFound, protocol.ErrOverQuota, protocol.ErrOriginNotAllowed, errPathNotFound, protocol.ErrOverCapacity,
		protocol.ErrAppDisabled, protocol.ErrTooManyConnections, protocol.ErrOverCapacity, protocol.ErrOverCapacity, protocol.ErrOverCapacity, protocol.ErrOverCapacity, protocol.ErrOverCapacity,
		nil, // its socket cannot be used
	}[r]
}

// errPathNotFound is for a WebSocket on a path that is none of ours, such as /app/app/KEY: what comes
// of the setting wsPath: '/app'.
var errPathNotFound = &protocol.Error{Code: 4005, Message: "Path not found"}

// maxCloseText is what of a reason fits into a close frame.
const maxCloseText = ws.MaxControlFramePayloadSize - 2

// closeWith says goodbye with an error of the protocol: the pusher:error message, for clients that
// read nothing else, then a close frame with the same code.
func (l *loop) closeWith(c *conn, why closeReason, e *protocol.Error) {
	if c.state != open {
		return
	}
	l.sendError(c, e)
	l.close(c, why, ws.StatusCode(e.Code), e.Message)
}

// close sends a close frame, ends the connection's part in everything and closes the socket once
// the frame is written.
func (l *loop) close(c *conn, why closeReason, code ws.StatusCode, text string) {
	if c.state != open {
		return
	}
	l.leave(c, why)
	l.sendClose(c, code, text)
	l.linger(c)
}

func (l *loop) sendClose(c *conn, code ws.StatusCode, text string) {
	l.scratch = append(l.scratch[:0], byte(code>>8), byte(code))
	l.scratch = append(l.scratch, text[:min(len(text), maxCloseText)]...)
	l.push(c, l.own(newFrame(ws.OpClose, l.scratch)))
}

// leave takes an open connection out of its channels and counts.
func (l *loop) leave(c *conn, why closeReason) {
	c.state = closing
	ended, emptied := c.app.registry.UnsubscribeAll(l.now, l.shard, c)
	c.app.subscriptions.Sub(float64(ended))
	c.app.channels.Sub(float64(emptied))
	if c.user != nil {
		c.app.registry.SignOut(c.user.ID)
	}
	if c.peer != nil {
		l.server.peers.leave(*c.peer)
	}
	l.server.closed(c, why)
}

// doom marks a connection to be ended by reap: where output fails, the loop may be in the middle of
// a channel's subscribers, and must not change them.
func (l *loop) doom(c *conn, why closeReason) {
	if !c.isDoomed {
		c.isDoomed = true
		l.doomed = append(l.doomed, doomed{c, why})
	}
}

type doomed struct {
	conn *conn
	why  closeReason
}

// reap ends the connections that were doomed.
func (l *loop) reap() {
	for i := 0; i < len(l.doomed); i++ {
		d := l.doomed[i]
		d.conn.isDoomed = false
		if d.why == closedSlow || d.why == closedNodeQueue {
			l.closeSlow(d.conn, d.why)
		} else {
			l.end(d.conn, d.why)
		}
	}
	l.doomed = l.doomed[:0]
}

// closeSlow ends a connection that does not read. What waits for it is dropped, except a frame that
// is half written.
func (l *loop) closeSlow(c *conn, why closeReason) {
	if c.state == open {
		l.stats.dropped += l.dropWaiting(c)
		l.closeWith(c, why, protocol.ErrSlow)
	}
}

// end closes the socket of a connection at once.
func (l *loop) end(c *conn, why closeReason) {
	if c.state == open {
		l.leave(c, why)
	}
	if c.state == gone {
		return
	}
	c.state = gone
	c.in = nil
	l.wheel.remove(c)
	l.discard(c)
	l.closeSocket(c)
}

// linger gives a closing connection lingerTime to take what waits for it and to close from its side.
// Closing at once would answer bytes still on their way with a reset, and that can destroy the close
// frame before the client has read it.
func (l *loop) linger(c *conn) {
	c.in = nil
	l.wheel.move(c, l.seconds+lingerTime)
}
