package server

import (
	"bytes"
	std "compress/flate"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
)

func unhex(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// deflated is the payload of a compressed message, as the standard library makes it.
func deflated(t testing.TB, level int, messages ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := std.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages { // a block for each
		_, _ = io.WriteString(w, m) // to memory
		_ = w.Flush()
	}
	return bytes.TrimSuffix(b.Bytes(), []byte(deflateTail))
}

// squeezed returns the frame of a compressed message.
func squeezed(op ws.OpCode, fin bool, payload string) []byte {
	b := masked(op, fin, payload)
	b[0] |= rsv1 << 4
	return b
}

func TestInflate(t *testing.T) {
	const hello = "f2 48 cd c9 c9 07 00"
	tests := []struct {
		name, payload string
		want          string
		limit         int64
		err           error // io.EOF stands for any that is not errInflatedSize
	}{
		{name: "7.2.3.1 one block", payload: hello, want: "Hello"},
		{name: "7.2.3.2 no context of a message before", payload: "f2 00 11 00 00", err: io.EOF},
		{name: "7.2.3.3 a block that is not compressed", payload: "00 05 00 fa ff 48 65 6c 6c 6f 00", want: "Hello"},
		{name: "7.2.3.4 a block with BFINAL", payload: "f3 48 cd c9 c9 07 00 00", want: "Hello"},
		{name: "7.2.3.5 two blocks", payload: "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", want: "Hello"},
		{name: "7.2.3.6 an empty message", payload: "00", want: ""},
		{name: "not even a block", payload: "", want: ""},
		{name: "blocks behind BFINAL", payload: "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00" + hello, want: "HelloHelloHello"},
		{name: "BFINAL, and the byte that is due missing", payload: "f3 48 cd c9 c9 07 00", err: io.EOF},
		{name: "a reference beyond BFINAL", payload: "f3 48 cd c9 c9 07 00 f2 00 11 00 00", err: io.EOF},
		{name: "a tail that was not taken off", payload: hello + "00 00 ff ff 00", want: "Hello"},
		{name: "a block type that is none", payload: "07", err: io.EOF},
		{name: "half a block", payload: "f2 48 cd", err: io.EOF},
		{name: "half a block that is not compressed", payload: "00 50 00 af ff 48", err: io.EOF},
		{name: "as long as may be", payload: hello, limit: 5, want: "Hello"},
		{name: "longer than may be", payload: hello, limit: 4, err: errInflatedSize},
	}
	z := new(inflater)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limit := tt.limit
			if limit == 0 {
				limit = 1000
			}
			got, err := z.inflate([]byte(unhex(t, tt.payload)), limit)
			switch {
			case (err != nil) != (tt.err != nil) || errors.Is(err, errInflatedSize) != errors.Is(tt.err, errInflatedSize):
				t.Errorf("got error %v, want %v", err, tt.err)
			case err == nil && string(got) != tt.want:
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestInflateBomb sends a kilobyte of which a megabyte would become.
func TestInflateBomb(t *testing.T) {
	const limit, size = 10_000, 1 << 20
	bomb := deflated(t, std.BestCompression, strings.Repeat("x", size))
	if len(bomb) > 2000 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	z := new(inflater)
	if _, err := z.inflate(bomb, limit); !errors.Is(err, errInflatedSize) {
		t.Errorf("got %v, want %v", err, errInflatedSize)
	}
	if cap(z.out) > 4*limit {
		t.Errorf("%d bytes were reserved for it", cap(z.out))
	}
	if got, err := z.inflate(bomb, size); err != nil || len(got) != size {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, size)
	}
	if z.trim(); cap(z.out) > maxKeptBuffer {
		t.Errorf("%d bytes are kept", cap(z.out))
	}
}

// TestDeflatedInput feeds what only matters, or may only come, where compression was negotiated.
func TestDeflatedInput(t *testing.T) {
	const ping, pong, malformed = `{"event":"pusher:ping"}`, `{"event":"pusher:pong"}`, `{"code":4200,`
	packed := string(deflated(t, 6, ping))
	rsv := func(bits byte, frame []byte) []byte {
		frame[0] |= bits << 4
		return frame
	}
	tests := []struct {
		name string
		in   []byte
		want string // in the last frame
	}{
		{"compressed", squeezed(ws.OpText, true, packed), pong},
		{"binary", squeezed(ws.OpBinary, true, packed), pong},
		{"not compressed", said(ping), pong},
		{"both in turn", bytes.Join([][]byte{said(ping), squeezed(ws.OpText, true, packed), said(ping)}, nil), pong},
		{"fragments", bytes.Join([][]byte{squeezed(ws.OpText, false, packed[:3]), masked(ws.OpContinuation, false, ""), masked(ws.OpContinuation, true, packed[3:])}, nil), pong},
		{"a ping between", bytes.Join([][]byte{squeezed(ws.OpText, false, packed[:3]), masked(ws.OpPing, true, "x"), masked(ws.OpContinuation, true, packed[3:])}, nil), pong},
		{"fragments of bytes that are not compressed, behind compressed ones", bytes.Join([][]byte{
			squeezed(ws.OpText, false, packed[:3]), masked(ws.OpContinuation, true, packed[3:]), masked(ws.OpText, false, ping[:3]), masked(ws.OpContinuation, true, ping[3:]),
		}, nil), pong},
		{"blocks", squeezed(ws.OpText, true, string(deflated(t, 1, ping[:5], ping[5:]))), pong},
		{"empty", squeezed(ws.OpText, true, "\x00"), malformed},
		{"an empty last fragment", bytes.Join([][]byte{squeezed(ws.OpText, false, packed), masked(ws.OpContinuation, true, "")}, nil), pong},

		{"RSV1 on a continuation", bytes.Join([][]byte{squeezed(ws.OpText, false, packed[:3]), squeezed(ws.OpContinuation, true, packed[3:])}, nil), "\x03\xea"},
		{"RSV1 on a ping", squeezed(ws.OpPing, true, ""), "\x03\xea"},
		{"RSV1 on a close", squeezed(ws.OpClose, true, ""), "\x03\xea"},
		{"RSV2", rsv(2, said(ping)), "\x03\xea"},
		{"RSV3", rsv(1, said(ping)), "\x03\xea"},
		{"RSV1 and RSV2", rsv(6, masked(ws.OpText, true, packed)), "\x03\xea"},
		{"not deflate", squeezed(ws.OpText, true, ping), "\x03\xef"},
		{"no UTF-8", squeezed(ws.OpText, true, string(deflated(t, 6, "\"\xff\""))), "\x03\xef"},
		{"half a message", squeezed(ws.OpText, true, packed[:len(packed)-4]), "\x03\xef"},
		{"a bomb", squeezed(ws.OpText, true, string(deflated(t, 9, strings.Repeat(" ", 10_001)))), "\x03\xf1"},
		{"as large as may be", squeezed(ws.OpText, true, string(deflated(t, 9, ping+strings.Repeat(" ", 10_000-len(ping))))), pong},
		{"as large as may be, and not made shorter", squeezed(ws.OpText, true, string(deflated(t, 0, ping+strings.Repeat(" ", 10_000-len(ping))))), pong},
		{"larger, compressed", squeezed(ws.OpText, true, strings.Repeat("\x00\x00\x00\xff\xff", 2010)), "\x03\xf1"},
		{"larger, not compressed", said(ping + strings.Repeat(" ", 10_001-len(ping))), "\x03\xf1"},
	}
	s := newStill(t, Config{}, func(a *auth.App) { a.Compression = auth.CompressionAuto })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.connect(t, -1)
			c.deflates = true
			frames := s.hears(c, tt.in)
			if len(frames) == 0 || !strings.Contains(string(frames[len(frames)-1]), tt.want) {
				t.Errorf("heard %q, want %q", frames, tt.want)
			}
			if c.in != nil {
				t.Errorf("%+v is kept", c.in)
			}
		})
	}
}
