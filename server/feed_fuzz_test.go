package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
)

const (
	fuzzMessageSize = 512
	maxFuzzAnswer   = 16 << 10 // what one message of that size may be answered with
)

// FuzzFeed feeds what a client might send to a connection: at once, byte by byte, and in pieces. All three
// must be answered alike, with no more than there was to answer, and nothing large may be kept.
func FuzzFeed(f *testing.F) {
	newFuzzStill(f).fuzz(f)
}

// FuzzFeedDeflated does so where compression was negotiated.
func FuzzFeedDeflated(f *testing.F) {
	s := newFuzzStill(f)
	s.deflates = true
	ping := string(deflated(f, 6, `{"event":"pusher:ping"}`))
	f.Add(squeezed(ws.OpText, true, ping), byte(3))
	f.Add(append(squeezed(ws.OpText, false, ping[:5]), masked(ws.OpContinuation, true, ping[5:])...), byte(9))
	f.Add(squeezed(ws.OpText, true, string(deflated(f, 9, string(make([]byte, fuzzMessageSize+1))))), byte(0))
	s.fuzz(f)
}

func newFuzzStill(f *testing.F) *still {
	return newStill(f, Config{MaxQueued: 1 << 30}, func(a *auth.App) { a.MaxMessageSize = fuzzMessageSize })
}

func (s *still) fuzz(f *testing.F) {
	f.Add([]byte{}, byte(0))
	f.Add(said(`{"event":"pusher:ping","data":{}}`), byte(3))
	f.Fuzz(func(t *testing.T, input []byte, piece byte) {
		want, end := s.listen(t, input, len(input))
		for _, size := range []int{1, int(piece) + 2} {
			got, ended := s.listen(t, input, size)
			if !bytes.Equal(got, want) || ended != end {
				t.Errorf("in pieces of %d\n got %q, state %v\nwant %q, state %v", size, got, ended, want, end)
			}
		}
	})
}

// listen feeds input in pieces of size bytes to a new connection of an app without channels, and returns
// all that it hears.
func (s *still) listen(t *testing.T, input []byte, size int) (heard []byte, end connState) {
	t.Helper()
	clear(s.apps.byID)
	s.app, s.made = s.meet(s.app.get()), 0
	c := s.connect(t, -1)
	answered := 0
	for rest := input; ; rest = rest[min(size, len(rest)):] {
		for _, frame := range s.hears(c, rest[:min(size, len(rest))]) {
			checkAnswer(t, frame, s.deflates)
			heard = append(heard, frame...)
			answered++
		}
		s.checkKept(t, c)
		if len(rest) == 0 {
			break
		}
	}
	// A frame of a client has six bytes at least; a subscribe has three answers at most.
	if most := 3 * (len(input)/6 + 1); answered > most {
		t.Errorf("%d bytes were answered with %d frames, want at most %d", len(input), answered, most)
	}
	end = c.state
	if c.state == open {
		s.loop.leave(c, closedGone)
	}
	s.loop.takeNotes()
	s.loop.wheel.remove(c)
	return heard, end
}

// checkAnswer holds a frame to what a server may send.
func checkAnswer(t *testing.T, frame []byte, mayDeflate bool) {
	t.Helper()
	h, n := parseHeader(frame)
	payload := frame[n:]
	if mayDeflate && h.Rsv == rsv1 {
		message, _ := opened(t, frame)
		payload, h.Rsv, h.Length = []byte(message), 0, int64(len(message))
	}
	switch {
	case n == 0 || !h.Fin || h.Rsv != 0 || h.Masked || int64(len(payload)) != h.Length:
		t.Errorf("a frame no server should send: %+v %q", h, payload)
	case h.OpCode == ws.OpText && (!utf8.Valid(payload) || !json.Valid(payload)):
		t.Errorf("a message that is no JSON: %q", payload)
	case h.OpCode.IsControl() && len(payload) > ws.MaxControlFramePayloadSize, len(payload) > maxFuzzAnswer:
		t.Errorf("a frame that is too long: %d bytes", len(payload))
	}
}

func (s *still) checkKept(t *testing.T, c *conn) {
	t.Helper()
	if c.state != open && (c.in != nil || c.subs.Len() > 0) {
		t.Errorf("a closed connection keeps %+v and %d subscriptions", c.in, c.subs.Len())
	}
	if c.in == nil {
		return
	}
	if len(c.in.tail) == 0 && !c.in.fragment {
		t.Errorf("an idle connection keeps %+v", c.in)
	}
	if kept := len(c.in.tail) + len(c.in.message); kept > 2*fuzzMessageSize+ws.MaxHeaderSize {
		t.Errorf("%d bytes of unfinished messages are kept", kept)
	}
}

// FuzzParseHeader compares with the reader of package ws, which needs an allocation for each frame.
func FuzzParseHeader(f *testing.F) {
	f.Add([]byte{0x81, 0x85, 1, 2, 3, 4})
	f.Add([]byte{0x82, 126, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, n := parseHeader(b)
		r := bytes.NewReader(b)
		want, err := ws.ReadHeader(r)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			if n != 0 {
				t.Errorf("read %+v of %d bytes from half a header", got, n)
			}
		case errors.Is(err, ws.ErrHeaderLengthMSB):
			if n != 0 && got.Length >= 0 {
				t.Errorf("length = %d, want a negative one for the top bit", got.Length)
			}
		case err != nil:
			t.Fatal(err)
		case got != want || n != len(b)-r.Len():
			t.Errorf("got %+v of %d bytes, want %+v of %d", got, n, want, len(b)-r.Len())
		}
	})
}

func TestAppendHeader(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 127, 0xffff, 0x10000, 1 << 30} {
		b := appendHeader(nil, ws.OpBinary, size)
		want := ws.Header{Fin: true, OpCode: ws.OpBinary, Length: int64(size)}
		if got, n := parseHeader(b); got != want || n != len(b) {
			t.Errorf("got %+v of %d bytes, want %+v of %d", got, n, want, len(b))
		}
	}
}
