package pusher

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
)

// A Handler is told what a Client hears.
type Handler interface {
	// Established says that the server has given the client a socket id.
	Established(now int64)
	// Message is given each later message. It may change b, and keeps nothing of it.
	Message(b []byte, now int64)
	// Closed is the last call, and comes unless the client was cut off by its owner. err is nil after
	// Leave.
	Closed(err error)
}

// A Client is one WebSocket connection to an app.
type Client struct {
	SocketID string // "" until established

	app      *App
	conn     *netloop.Conn
	handler  Handler
	partial  []byte // of a message in several frames
	mask     uint32
	upgraded bool
	leaving  bool
	ended    bool
}

// CloseError is a close frame from the server.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %s", e.Code, e.Reason) }

// ServerError is a pusher:error in place of the greeting.
type ServerError struct{ Text string }

func (e *ServerError) Error() string { return "refused with " + e.Text }

// Connect begins to connect from a source address, which may be the zero Addr. buffer is how much the system may
// hold for the client, 0 leaves it to the system.
func (a *App) Connect(l *netloop.Loop, local netip.Addr, buffer int, h Handler) *Client {
	c := &Client{app: a, handler: h}
	c.conn = a.dial(l, local, buffer, c)
	return c
}

// Subscribe asks for a channel, with the proof that an app's backend would have given. data is for presence
// channels.
func (c *Client) Subscribe(channel, data string, private bool) {
	c.conn.Append(func(dst []byte) []byte {
		return appendFrame(dst, ws.OpText, c.app.subscribe(c.SocketID, channel, data, private), c.nextMask())
	})
}

// Send sends a message.
func (c *Client) Send(text []byte) { c.send(ws.OpText, text) }

func (c *Client) send(op ws.OpCode, payload []byte) {
	c.conn.Append(func(dst []byte) []byte { return appendFrame(dst, op, payload, c.nextMask()) })
}

func (c *Client) nextMask() uint32 {
	c.mask = c.mask*1664525 + 1013904223
	return c.mask
}

// Waiting returns how many bytes have not been taken by the system yet.
func (c *Client) Waiting() int { return c.conn.Waiting() }

// Pause stops reading.
func (c *Client) Pause() { c.conn.Pause() }

// Resume reads on.
func (c *Client) Resume() { c.conn.Resume() }

// Leave says goodbye and waits for the server to close.
func (c *Client) Leave() {
	if !c.leaving {
		c.leaving = true
		c.send(ws.OpClose, binary.BigEndian.AppendUint16(nil, 1000))
	}
}

// Cut drops the connection, as a lost network does.
func (c *Client) Cut() {
	c.ended = true
	c.conn.Close()
}

// Opened implements netloop.Handler.
func (c *Client) Opened(conn *netloop.Conn, _ int64) { conn.Send(c.app.upgrade) }

// Closed implements netloop.Handler.
func (c *Client) Closed(_ *netloop.Conn, err error) {
	if c.leaving {
		err = nil
	} else if err == io.EOF {
		err = errors.New("closed without a close frame")
	}
	c.end(err)
}

func (c *Client) end(err error) {
	if !c.ended {
		c.ended = true
		c.handler.Closed(err)
	}
}

func (c *Client) fail(err error) {
	c.conn.Close()
	c.end(err)
}

// Received implements netloop.Handler.
func (c *Client) Received(_ *netloop.Conn, b []byte, now int64) int {
	used := 0
	if !c.upgraded {
		n, err := c.app.parseUpgrade(b)
		if err != nil {
			c.fail(err)
			return 0
		}
		if n == 0 {
			return 0
		}
		c.upgraded, used = true, n
	}
	for !c.ended {
		f, n, err := parseFrame(b[used:])
		if err != nil {
			c.fail(err)
			return used
		}
		if n == 0 {
			break
		}
		used += n
		c.handleFrame(f, now)
	}
	return used
}

func (c *Client) handleFrame(f frame, now int64) {
	switch ws.OpCode(f.op) {
	case ws.OpText:
		if f.final {
			c.handleText(f.payload, now)
		} else {
			c.partial = append([]byte{}, f.payload...)
		}
	case ws.OpContinuation:
		if c.partial = append(c.partial, f.payload...); f.final {
			whole := c.partial
			c.partial = nil
			c.handleText(whole, now)
		}
	case ws.OpPing:
		c.send(ws.OpPong, f.payload)
	case ws.OpClose:
		c.handleClose(f.payload)
	}
}

func (c *Client) handleClose(payload []byte) {
	if c.leaving {
		return // the answer to ours; the server closes
	}
	e := &CloseError{Code: 1005}
	if len(payload) >= 2 {
		e.Code, e.Reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
	}
	c.fail(e)
}

func (c *Client) handleText(b []byte, now int64) {
	if c.SocketID != "" {
		c.handler.Message(b, now)
		return
	}
	if c.SocketID = findSocketID(b); c.SocketID == "" {
		c.fail(&ServerError{Text: string(b)})
		return
	}
	c.handler.Established(now)
}

// findSocketID returns the socket id in a greeting, or "" if it is none.
func findSocketID(b []byte) string {
	if !bytes.Contains(b, []byte("pusher:connection_established")) {
		return ""
	}
	i := bytes.Index(b, []byte("socket_id"))
	if i < 0 {
		return ""
	}
	b = b[i+len("socket_id"):]
	isPart := func(r rune) bool { return r == '.' || '0' <= r && r <= '9' }
	if i = bytes.IndexFunc(b, isPart); i < 0 {
		return ""
	}
	b = b[i:]
	if i = bytes.IndexFunc(b, func(r rune) bool { return !isPart(r) }); i < 0 {
		return ""
	}
	return string(b[:i])
}
