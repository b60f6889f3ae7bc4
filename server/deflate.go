package server

import (
	"bytes"

	"github.com/klauspost/compress/flate"
)

// Compression of what goes out. An event is compressed once on this node, by the first loop that has a subscriber who
// negotiated it, and all of them share that frame. Other nodes and Redis only ever see the plain message: what
// comes from there is compressed here, for the clients that are here.

// minDeflated is the size of a frame from which on it is compressed. JSON of 256 bytes loses some 65 of them, which is less than the
// headers of its packet, and JSON of 600 bytes loses half, for about 5 µs either way (BenchmarkDeflate).
const minDeflated = 512

// rsv1 marks the first frame of a compressed message (RFC 7692, section 6).
const rsv1 = 4

// deflateTail is what a compressed message ends with, and what is not sent of it (section 7.2.1).
const deflateTail = "\x00\x00\xff\xff"

// maxKeptBuffer is the capacity from which on a buffer of a loop is left to the garbage collector.
const maxKeptBuffer = 64 << 10

// A deflater is where a loop compresses to.
type deflater struct{ buf []byte }

func (d *deflater) Write(b []byte) (int, error) {
	d.buf = append(d.buf, b...)
	return len(b), nil
}

// deflate returns b compressed, valid until the next call, or nil if it did not get shorter.
//
// StatelessDeflate is the choice because its memory is in pools of its own and is gone when nobody needs it, where a
// writer of a level keeps 0.8 to 1.4 MB. BenchmarkDeflate has the figures: level 6 makes frames 8 to 10 % shorter still and takes
// 1.3 to 1.8 times as long.
func (d *deflater) deflate(b []byte) []byte {
	d.buf = d.buf[:0]
	if err := flate.StatelessDeflate(d, b, false, nil); err != nil {
		return nil // only Write could fail
	}
	z, isFlushed := bytes.CutSuffix(d.buf, []byte(deflateTail))
	if !isFlushed || len(z) >= len(b) {
		return nil
	}
	return z
}

// deflated returns what a connection that negotiated compression gets for f. It lives as long as f; who needs it longer has to
// retain it. A loop that wants it while another one is at it waits: that takes no longer than to do the same again.
func (f *frame) deflated(d *deflater) *frame {
	if z := f.packed.Load(); z != nil {
		return z
	}
	f.packing.Lock()
	defer f.packing.Unlock()
	z := f.packed.Load()
	if z == nil {
		z = f.pack(d)
		f.packed.Store(z)
	}
	return z
}

// pack returns a new frame with the message of f compressed, or f itself if that is not worth it.
func (f *frame) pack(d *deflater) *frame {
	h, n := parseHeader(f.data)
	z := f
	if payload := d.deflate(f.data[n:]); payload != nil {
		z = newFrame(h.OpCode, payload)
		z.data[0] |= rsv1 << 4
	}
	if cap(d.buf) > maxKeptBuffer {
		d.buf = nil
	}
	return z
}

// pack returns what is to be queued for a connection that negotiated compression. All messages are alike to it: those for one
// connection are compressed, too, if they are long, of which there are lists of members and cached events.
func (l *loop) pack(f *frame) *frame {
	z := f.deflated(&l.deflater)
	l.stats.saved += len(f.data) - len(z.data)
	return z
}
