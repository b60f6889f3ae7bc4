// Package stamp marks messages so that whoever receives one knows which it is and how old it is.
//
// A [Stamp] is written into the data of an event as characters that no server has a reason to escape,
// so it is found in a frame whatever the order of its keys and however often its data was encoded.
package stamp

import "bytes"

// A Stamp says which message this is.
type Stamp struct {
	Run     uint16 // messages of other runs are not ours
	Channel uint32 // number of the channel
	Stream  uint16 // number of the sender within the channel
	Seq     uint32 // position in the stream, from 1
	Time    int64  // when it was meant to be sent
}

const (
	marker = "@bench-"
	digits = 4 + 8 + 4 + 8 + 16

	// Size is the length of a stamp in bytes.
	Size = len(marker) + digits
)

// Append appends the text of s.
func Append(dst []byte, s Stamp) []byte {
	dst = append(dst, marker...)
	dst = appendHex(dst, uint64(s.Run), 4)
	dst = appendHex(dst, uint64(s.Channel), 8)
	dst = appendHex(dst, uint64(s.Stream), 4)
	dst = appendHex(dst, uint64(s.Seq), 8)
	return appendHex(dst, uint64(s.Time), 16)
}

func appendHex(dst []byte, v uint64, n int) []byte {
	for shift := 4 * (n - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&15])
	}
	return dst
}

// Find returns the first stamp in b and what follows it. ok is false when there is none.
func Find(b []byte) (s Stamp, rest []byte, ok bool) {
	i := bytes.Index(b, []byte(marker))
	if i < 0 || len(b)-i < Size {
		return Stamp{}, nil, false
	}
	text := b[i+len(marker):]
	bad := byte(0)
	hex := func(from, to int) (v uint64) {
		for _, c := range text[from:to] {
			d := values[c]
			bad |= d
			v = v<<4 | uint64(d&15)
		}
		return v
	}
	s = Stamp{
		Run:     uint16(hex(0, 4)),
		Channel: uint32(hex(4, 12)),
		Stream:  uint16(hex(12, 16)),
		Seq:     uint32(hex(16, 24)),
		Time:    int64(hex(24, 40)),
	}
	return s, text[digits:], bad < 16
}

// values holds what each hex digit is worth; 16 is no digit.
var values = func() (t [256]byte) {
	for i := range t {
		t[i] = 16
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()
