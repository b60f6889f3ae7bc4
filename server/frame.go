package server

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// A frame is a WebSocket frame ready to be written, or other bytes that go out as they are. Its
// bytes never change, so any number of connections can share it. It is counted: it starts with one
// reference, and the last release gives it back to the pool.
type frame struct {
	refs    atomic.Int32
	packing sync.Mutex // held while packed is made
	data    []byte
	packed  atomic.Pointer[frame] // the same compressed, with a reference of this frame's, or this frame; nil until it is asked for
}

var framePool = sync.Pool{New: func() any { return new(frame) }}

// maxPooled is the capacity above which a frame's memory is left to the garbage collector.
const maxPooled = 16 << 10

// newFrame returns an unmasked, final frame with this payload, which is copied.
func newFrame(op ws.OpCode, payload []byte) *frame {
	f := framePool.Get().(*frame)
	f.refs.Store(1)
	f.data = append(appendHeader(f.data[:0], op, len(payload)), payload...)
	return f
}

// rawFrame returns a frame that is just these bytes, which it keeps.
func rawFrame(b []byte) *frame {
	f := new(frame)
	f.refs.Store(1)
	f.data = b
	f.packed.Store(f) // never compressed
	return f
}

func (f *frame) retain() { f.refs.Add(1) }

func (f *frame) release() {
	switch n := f.refs.Add(-1); {
	case n > 0:
	case n < 0:
		panic("server: frame released too often")
	default:
		f.recycle()
	}
}

func (f *frame) recycle() {
	if z := f.packed.Load(); z != nil {
		f.packed.Store(nil)
		if z != f {
			z.release()
		}
	}
	if cap(f.data) <= maxPooled {
		framePool.Put(f)
	}
}

// appendHeader appends the header of an unmasked, final frame.
func appendHeader(dst []byte, op ws.OpCode, n int) []byte {
	first := 0x80 | byte(op)
	switch {
	case n < 126:
		return append(dst, first, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
}

// parseHeader reads the header at the start of b; n is its length, 0 when b does not hold all of it.
// It does the work of ws.ReadHeader, which needs a reader and an allocation for each frame.
func parseHeader(b []byte) (h ws.Header, n int) {
	if len(b) < 2 {
		return h, 0
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	h.Length, n = int64(b[1]&0x7f), 2
	switch h.Length {
	case 126:
		if len(b) < 4 {
			return h, 0
		}
		h.Length, n = int64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return h, 0
		}
		// With the top bit set, which section 5.2 forbids, the length is negative here.
		h.Length, n = int64(binary.BigEndian.Uint64(b[2:])), 10
	}
	if !h.Masked {
		return h, n
	}
	if len(b) < n+4 {
		return h, 0
	}
	copy(h.Mask[:], b[n:])
	return h, n + 4
}
