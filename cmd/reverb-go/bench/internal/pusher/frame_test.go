package pusher

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// unmasked returns a frame as servers send it.
func unmasked(op ws.OpCode, payload string) []byte {
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, ws.NewFrame(op, true, []byte(payload))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestParseFrame(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 65_535, 65_536, 100_000} {
		payload := strings.Repeat("x", size)
		b := unmasked(ws.OpText, payload)
		for _, short := range []int{0, 1, 2, 3, 9, len(b) - 1} {
			if short >= len(b) {
				continue
			}
			if _, n, err := parseFrame(b[:short]); n != 0 || err != nil {
				t.Errorf("%d of %d bytes: got a frame of %d bytes and %v, want none yet", short, len(b), n, err)
			}
		}
		f, n, err := parseFrame(append(b, "next"...))
		if err != nil || n != len(b) || ws.OpCode(f.op) != ws.OpText || !f.final || string(f.payload) != payload {
			t.Errorf("%d bytes: got opcode %d, %d bytes of payload, length %d and %v", size, f.op, len(f.payload), n, err)
		}
	}
}

func TestParseFrameRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"masked", appendFrame(nil, ws.OpText, []byte("x"), 1), errMasked},
		{"too long", []byte{0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0}, errTooLong},
		{"negative", []byte{0x81, 127, 255, 0, 0, 1, 0, 0, 0, 0}, errTooLong},
	} {
		if _, _, err := parseFrame(tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestAppendFrame has another library read what we write.
func TestAppendFrame(t *testing.T) {
	for _, size := range []int{0, 5, 125, 126, 65_535, 65_536} {
		payload := bytes.Repeat([]byte("y"), size)
		r := bytes.NewReader(appendFrame(nil, ws.OpText, payload, 0xdeadbeef))
		h, err := ws.ReadHeader(r)
		if err != nil {
			t.Fatal(err)
		}
		if !h.Fin || h.OpCode != ws.OpText || !h.Masked || h.Mask == [4]byte{} || h.Length != int64(size) {
			t.Errorf("%d bytes: got header %+v, want all of a text with a mask", size, h)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if ws.Cipher(got, h.Mask, 0); !bytes.Equal(got, payload) {
			t.Errorf("%d bytes: got another payload of %d bytes", size, len(got))
		}
	}
}
