package server

import (
	"bufio"
	"bytes"
	std "compress/flate"
	"io"
	"testing"
)

const fuzzInflatedSize = 4096

// FuzzInflate compares with the standard library, which must find the same message or a fault as well, and has it compress what
// was found, which must be the same again.
func FuzzInflate(f *testing.F) {
	f.Add([]byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})
	f.Add([]byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})
	f.Add(deflated(f, 6, `{"event":"pusher:ping"}`, `{"event":"pusher:pong"}`))
	f.Add(deflated(f, 9, string(make([]byte, fuzzInflatedSize+1))))
	z := new(inflater)
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := z.inflate(payload, fuzzInflatedSize)
		want, wantErr := inflateStd(payload)
		// Of what is corrupt and too large, each names the one that it finds first.
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v, want %q, %v", got, err, want, wantErr)
		}
		if err != nil {
			return
		}
		message := string(got)
		again, err := z.inflate(deflated(t, 6, message), fuzzInflatedSize)
		if err != nil || string(again) != message {
			t.Fatalf("compressed again: got %q, %v, want %q", again, err, message)
		}
		checkDeflate(t, message)
	})
}

// checkDeflate has the standard library read what a deflater makes.
func checkDeflate(t *testing.T, message string) {
	t.Helper()
	short := new(deflater).deflate([]byte(message))
	if short == nil {
		return
	}
	if got, err := inflateStd(short); err != nil || string(got) != message {
		t.Errorf("got %q, %v, want %q", got, err, message)
	}
}

// inflateStd is the same with the standard library.
func inflateStd(payload []byte) (message []byte, err error) {
	if len(payload) == 0 {
		return nil, nil
	}
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(payload), bytes.NewReader([]byte(deflateTail+finalBlock))))
	for {
		part, err := io.ReadAll(io.LimitReader(std.NewReader(in), int64(fuzzInflatedSize+1-len(message))))
		message = append(message, part...)
		if len(message) > fuzzInflatedSize {
			return nil, errInflatedSize
		}
		if err != nil {
			return nil, err
		}
		if _, err := in.Peek(1); err != nil {
			return message, nil
		}
	}
}
