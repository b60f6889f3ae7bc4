package server

import (
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// An input is what a connection keeps of a message that is not complete.
type input struct {
	tail     []byte    // an unfinished frame, still masked
	message  []byte    // the payloads of the fragments so far
	opcode   ws.OpCode // of the first fragment; 0 when no message is under way
	fragment bool      // a fragmented message is under way
	deflated bool      // and compressed
}

// feed takes bytes that came from the client. They are only borrowed: what is needed later is
// copied. It may close the connection.
func (l *loop) feed(c *conn, b []byte) {
	l.stats.bytesIn += len(b)
	c.lastSeen, c.pinged = l.seconds, false
	isKept := c.in != nil && len(c.in.tail) > 0
	if isKept {
		c.in.tail = append(c.in.tail, b...)
		b = c.in.tail
	}
	for c.state == open && !c.isDoomed {
		rest := l.takeFrame(c, b)
		if len(rest) == len(b) {
			break
		}
		b, isKept = rest, false
	}
	// A long frame is not copied each time that a byte more of it comes: its client could keep the loop busy with that.
	if c.state == open && !isKept {
		c.keepTail(b)
	}
}

// maxSpareTail is how much more memory than it needs an unfinished frame may have.
const maxSpareTail = 4 << 10

// keepTail remembers an unfinished frame, and forgets the buffers of a connection that is idle.
func (c *conn) keepTail(b []byte) {
	switch {
	case len(b) > 0:
		if c.in == nil {
			c.in = new(input)
		}
		if cap(c.in.tail) > maxSpareTail+len(b) {
			c.in.tail = nil // has held a read, or a long frame
		}
		c.in.tail = append(c.in.tail[:0], b...)
	case c.in != nil && c.in.fragment:
		c.in.tail = nil
	default:
		c.in = nil
	}
}

// takeFrame handles the frame at the start of b and returns what follows it, or b when the frame is
// not complete.
func (l *loop) takeFrame(c *conn, b []byte) []byte {
	h, n := parseHeader(b)
	if n == 0 {
		return b
	}
	if fault := c.checkHeader(h); fault != "" {
		l.close(c, closedProtocol, ws.StatusProtocolError, fault)
		return b
	}
	// Before the payload is there: what is too large is refused, not collected.
	if l.tooBig(c, h) {
		l.close(c, closedTooBig, ws.StatusMessageTooBig, textTooBig)
		return b
	}
	if int64(len(b)-n) < h.Length {
		return b
	}
	payload := b[n : n+int(h.Length)]
	ws.Cipher(payload, h.Mask, 0)
	l.handleFrame(c, h, payload)
	return b[n+int(h.Length):]
}

const textTooBig = "Maximum message size exceeded"

func (l *loop) tooBig(c *conn, h ws.Header) bool {
	size, limit := h.Length, c.maxMessage()
	isDeflated := h.Rsv != 0
	if c.in != nil && !h.OpCode.IsControl() {
		size += int64(len(c.in.message))
		isDeflated = isDeflated || c.in.fragment && c.in.deflated
	}
	if isDeflated {
		limit += deflateSlack(limit)
	}
	return size > limit
}

// checkHeader returns what is wrong with a header by RFC 6455, section 5.2 and 5.4, or "".
func (c *conn) checkHeader(h ws.Header) string {
	fragmented := c.in != nil && c.in.fragment
	switch {
	case h.Rsv != 0 && !c.mayCompress(h):
		return "Reserved bits must not be set"
	case h.OpCode.IsReserved():
		return "Unknown opcode"
	case h.Length < 0:
		return "Lengths have 63 bits"
	case !h.Masked:
		return "Frames from a client must be masked"
	case h.OpCode.IsControl() && (!h.Fin || h.Length > ws.MaxControlFramePayloadSize):
		return "Control frames must be short and not fragmented"
	case h.OpCode == ws.OpContinuation && !fragmented:
		return "Continuation without a message to continue"
	case h.OpCode.IsData() && h.OpCode != ws.OpContinuation && fragmented:
		return "New message inside a fragmented one"
	}
	return ""
}

// handleFrame takes a complete frame; payload is unmasked and borrowed.
func (l *loop) handleFrame(c *conn, h ws.Header, payload []byte) {
	switch h.OpCode {
	case ws.OpPing:
		l.traceControl(c)
		l.push(c, l.own(newFrame(ws.OpPong, payload)))
	case ws.OpPong:
		l.traceControl(c)
	case ws.OpClose:
		l.traceControl(c)
		l.handleClose(c, payload)
	default:
		l.handleData(c, h, payload)
	}
}

// handleClose answers a close frame with the same code and reason, as section 5.5.1 asks.
func (l *loop) handleClose(c *conn, payload []byte) {
	if len(payload) == 0 {
		l.close(c, closedByClient, ws.StatusNormalClosure, "")
		return
	}
	code, reason := ws.ParseCloseFrameData(payload)
	switch {
	case len(payload) == 1 || !mayClose(code):
		l.close(c, closedProtocol, ws.StatusProtocolError, "Invalid close code")
	case !utf8.ValidString(reason):
		l.close(c, closedProtocol, ws.StatusInvalidFramePayloadData, "Invalid UTF-8 in the close reason")
	default:
		l.close(c, closedByClient, code, reason)
	}
}

// mayClose reports whether a client may send this code: those of section 7.4.1 that are for the
// wire, and those free for libraries and applications.
func mayClose(code ws.StatusCode) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1011 || code >= 3000 && code <= 4999
}

// handleData puts fragments together and hands on whole messages.
func (l *loop) handleData(c *conn, h ws.Header, payload []byte) {
	opcode, isDeflated := h.OpCode, h.Rsv != 0
	if !h.Fin || opcode == ws.OpContinuation {
		if c.in == nil {
			c.in = new(input)
		}
		if opcode != ws.OpContinuation {
			c.in.opcode, c.in.fragment, c.in.deflated = opcode, true, isDeflated
		}
		c.in.message = append(c.in.message, payload...)
		if !h.Fin {
			return
		}
		opcode, payload, isDeflated = c.in.opcode, c.in.message, c.in.deflated
		c.in.message, c.in.fragment = nil, false
	}
	if isDeflated {
		l.handleDeflated(c, opcode, payload)
		return
	}
	l.handleWhole(c, opcode, payload)
}

// handleWhole takes a message that is complete and not compressed any more.
func (l *loop) handleWhole(c *conn, opcode ws.OpCode, payload []byte) {
	if opcode == ws.OpText && !utf8.Valid(payload) {
		l.close(c, closedProtocol, ws.StatusInvalidFramePayloadData, "Invalid UTF-8 in a text message")
		return
	}
	l.handleMessage(c, payload)
}
