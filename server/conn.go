package server

import (
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A conn is one WebSocket connection. It belongs to one loop for life.
type conn struct {
	// Static after construction.
	id     protocol.SocketID
	app    *app    // nil for a connection that was refused because there is no such app
	stream *stream // nil when the loop itself reads and writes fd
	fd     int32
	isJS   bool // pusher-js, which answers pusher:ping

	deflates bool // permessage-deflate was negotiated

	// Owned by the loop: touch only on its goroutine.
	state        connState
	pinged       bool   // and nothing came since
	isReady      bool   // in loop.ready
	isDoomed     bool   // in loop.doomed
	hasEnded     bool   // the client has stopped sending: read to the end
	isAuthorized bool   // has signed in, or subscribed where it takes a signature
	taps         uint8  // who follow what it is sent
	slot         uint8  // place in loop.wheel
	pos          int32  // index in that slot
	lastSeen     uint32 // loop.seconds when something last came in
	subs         channels.Subscriptions
	opened       uint32    // loop.seconds when it was established
	in           *input    // an unfinished message; nil when idle
	out          *outQueue // what waits to be written; nil when idle
	rates        *rates    // nil unless the app limits messages
	user         *user     // nil until it has signed in
	peer         *peer     // nil unless the app limits connections by address, or they are kept
}

type connState uint8

const (
	open    connState = iota
	closing           // a close frame is queued or sent; what comes in is thrown away
	gone              // the socket is closed
)

// SocketID returns the connection's public name.
func (c *conn) SocketID() protocol.SocketID { return c.id }

// Subscriptions returns the channels the connection is in.
func (c *conn) Subscriptions() *channels.Subscriptions { return &c.subs }

// maxMessage returns the limit for the payload of one message in bytes.
func (c *conn) maxMessage() int64 {
	if c.app == nil || c.app.get().MaxMessageSize <= 0 {
		return unlimitedMessage
	}
	return int64(c.app.get().MaxMessageSize)
}

// unlimitedMessage is what max_message_size 0 comes to: a client must not be able to have memory
// reserved without end.
const unlimitedMessage = 64 << 20
