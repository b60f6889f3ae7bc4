package server

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

// An inflater decompresses messages. A loop has one, made when it is first needed: without context takeover a message is
// all there is to it, and no connection keeps anything.
type inflater struct {
	flate io.Reader
	in    []byte
	src   bytes.Reader // over in; flate reads it byte by byte, and not beyond its end
	out   []byte
}

// errInflatedSize says that a message is longer than it may be. As much as it may be long is decompressed of it.
var errInflatedSize = errors.New("server: too large when decompressed")

// finalBlock is an empty block that ends a stream of deflate; a message has no end of its own.
const finalBlock = "\x01\x00\x00\xff\xff"

// inflate returns the message in a compressed payload, valid until the next call. More than limit bytes are
// errInflatedSize.
func (z *inflater) inflate(payload []byte, limit int64) ([]byte, error) {
	if len(payload) == 0 {
		return nil, nil // what zlib makes of nothing after a flush
	}
	z.in = append(append(append(z.in[:0], payload...), deflateTail...), finalBlock...)
	z.src.Reset(z.in)
	z.out = z.out[:0]
	// A client may have set BFINAL (section 7.2.3.4): then what follows is a stream of its own, whose window is empty.
	for z.src.Len() > 0 {
		if err := z.inflateStream(limit); err != nil {
			return nil, err
		}
	}
	return z.out, nil
}

func (z *inflater) inflateStream(limit int64) error {
	if z.flate == nil {
		z.flate = flate.NewReader(&z.src)
	} else if err := z.flate.(flate.Resetter).Reset(&z.src, nil); err != nil {
		return err
	}
	for {
		z.out = slices.Grow(z.out, 512)
		n, err := z.flate.Read(z.out[len(z.out):cap(z.out)])
		z.out = z.out[:len(z.out)+n]
		switch {
		case int64(len(z.out)) > limit:
			return errInflatedSize
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// trim lets go of what a large message has needed.
func (z *inflater) trim() {
	if cap(z.in) > maxKeptBuffer {
		z.in = nil
	}
	if cap(z.out) > maxKeptBuffer {
		z.out = nil
	}
}

// handleDeflated takes a compressed message that is complete. RFC 7692 has the connection failed if it cannot be decompressed,
// and names no code: 1007 is for data that is not what it should be, and what the library ws for Node sends, too.
func (l *loop) handleDeflated(c *conn, opcode ws.OpCode, payload []byte) {
	message, err := l.inflater.inflate(payload, c.maxMessage())
	switch {
	case errors.Is(err, errInflatedSize):
		l.close(c, closedTooBig, ws.StatusMessageTooBig, textTooBig)
	case err != nil:
		l.close(c, closedProtocol, ws.StatusInvalidFramePayloadData, "Invalid compressed data")
	default:
		l.handleWhole(c, opcode, message)
	}
	l.inflater.trim()
}

// mayCompress reports whether a frame may have the reserved bits it has.
func (c *conn) mayCompress(h ws.Header) bool {
	return c.deflates && h.Rsv == rsv1 && (h.OpCode == ws.OpText || h.OpCode == ws.OpBinary)
}

// deflateSlack is by how much compression may make a message of n bytes longer: a little for each block.
func deflateSlack(n int64) int64 { return 16 + n>>10 }
