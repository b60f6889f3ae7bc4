package pusher

import (
	"encoding/binary"
	"errors"

	"github.com/gobwas/ws"
)

// frame is one WebSocket frame from the server.
type frame struct {
	op      byte
	final   bool
	payload []byte // borrowed
}

var (
	errMasked  = errors.New("the server masks its frames, which RFC 6455 forbids")
	errTooLong = errors.New("the server announces a frame of more than 16 MiB")
)

const maxFrame = 16 << 20

// parseFrame reads the first frame of b. n is its length, or 0 if it is not complete.
func parseFrame(b []byte) (f frame, n int, err error) {
	if len(b) < 2 {
		return f, 0, nil
	}
	if b[1]&0x80 != 0 {
		return f, 0, errMasked
	}
	size, at := int(b[1]), 2
	switch size {
	case 126:
		if len(b) < 4 {
			return f, 0, nil
		}
		size, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return f, 0, nil
		}
		long := binary.BigEndian.Uint64(b[2:])
		if long > maxFrame {
			return f, 0, errTooLong
		}
		size, at = int(long), 10
	}
	if len(b)-at < size {
		return f, 0, nil
	}
	return frame{op: b[0] & 0x0f, final: b[0]&0x80 != 0, payload: b[at : at+size]}, at + size, nil
}

// appendFrame appends a masked frame. Servers have to unmask, so the mask is never zero.
func appendFrame(dst []byte, op ws.OpCode, payload []byte, mask uint32) []byte {
	dst = append(dst, 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xffff:
		dst = append(dst, 0x80|126, byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	key := [4]byte{byte(mask>>24) | 1, byte(mask >> 16), byte(mask >> 8), byte(mask)}
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, payload...)
	ws.Cipher(dst[start:], key, 0)
	return dst
}
