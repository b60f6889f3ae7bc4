package server_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// R:WS-24: the cases of sections 1 to 7, 9 and 10 of the Autobahn suite, with its numbers. It wants an echo; here one
// client's event is what the other one hears.

// A framing is what a client sends, and what comes of it.
type framing struct {
	name  string
	sent  [][]byte // each is a packet
	echo  string   // the message the other client hears; "" for none
	heard []string // by the sender; a close frame as far as its code
}

// fits returns an event of size bytes, or of no more than it needs.
func fits(size int) string { return holding(strings.Repeat("*", max(size-len(holding("")), 0))) }

func holding(text string) string {
	return `{"event":"client-e","channel":"echo","data":"` + text + `"}`
}

func text(payload string) []byte { return clientFrame(ws.OpText, true, []byte(payload)) }

// split makes a fragmented message of parts.
func split(parts ...string) (frames [][]byte) {
	for i, part := range parts {
		op := ws.OpContinuation
		if i == 0 {
			op = ws.OpText
		}
		frames = append(frames, clientFrame(op, i == len(parts)-1, []byte(part)))
	}
	return frames
}

func chop(b []byte, size int) [][]byte { return slices.Collect(slices.Chunk(b, size)) }

// header changes the first byte of a frame.
func header(first byte, frame []byte) [][]byte {
	frame[0] = first
	return [][]byte{frame}
}

func sizeCases() (cases []framing) {
	for _, size := range []int{0, 125, 126, 127, 128, 65535, 65536, 1 << 19} {
		message := fits(size)
		cases = append(cases,
			framing{name: fmt.Sprintf("1.1, 9.1 %d bytes", size), sent: [][]byte{text(message)}, echo: message},
			framing{name: fmt.Sprintf("1.2 %d bytes of a binary message", size), sent: [][]byte{clientFrame(ws.OpBinary, true, []byte(message))}, echo: message},
			framing{name: fmt.Sprintf("1.1.8, 9.5 %d bytes in packets of 997", size), sent: chop(text(message), 997), echo: message},
			framing{name: fmt.Sprintf("9.3, 10.1 %d bytes in fragments of 1300", size), sent: split(splitEvery(message, 1300)...), echo: message},
		)
	}
	return cases
}

func splitEvery(s string, size int) (parts []string) {
	for part := range slices.Chunk([]byte(s), size) {
		parts = append(parts, string(part))
	}
	return parts
}

func controlCases() []framing {
	ping := func(payload string) []byte { return clientFrame(ws.OpPing, true, []byte(payload)) }
	pong := func(payload string) []byte { return clientFrame(ws.OpPong, true, []byte(payload)) }
	long := strings.Repeat("\xfe", 125)
	message := fits(0)
	cases := []framing{
		{name: "2.1 empty ping", sent: [][]byte{ping("")}, heard: []string{"(pong)"}},
		{name: "2.3 binary ping", sent: [][]byte{ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}, heard: []string{"(pong \x00\xff\xfe\xfd\xfc\xfb\x00\xff)"}},
		{name: "2.4 longest ping", sent: [][]byte{ping(long)}, heard: []string{"(pong " + long + ")"}},
		{name: "2.5 too long a ping", sent: [][]byte{ping(long + "\xfe")}, heard: []string{"(closed 1002"}},
		{name: "2.6 ping byte by byte", sent: chop(ping(long), 1), heard: []string{"(pong " + long + ")"}},
		{name: "2.7 unsolicited pongs", sent: [][]byte{pong(""), pong("x"), ping("y")}, heard: []string{"(pong y)"}},
		{name: "2.10 ten pings", sent: [][]byte{bytes.Repeat(ping("z"), 10)}, heard: slices.Repeat([]string{"(pong z)"}, 10)},
		{name: "5.1 ping in fragments", sent: [][]byte{clientFrame(ws.OpPing, false, nil), clientFrame(ws.OpContinuation, true, nil)}, heard: []string{"(closed 1002"}},
		{name: "5.2 pong in fragments", sent: [][]byte{clientFrame(ws.OpPong, false, nil), clientFrame(ws.OpContinuation, true, nil)}, heard: []string{"(closed 1002"}},
	}
	for rsv := byte(1); rsv < 8; rsv++ {
		cases = append(cases,
			framing{name: fmt.Sprintf("3 reserved bits %03b", rsv), sent: header(0x81|rsv<<4, text(message)), heard: []string{"(closed 1002"}},
			framing{name: fmt.Sprintf("3 reserved bits %03b of a ping", rsv), sent: header(0x89|rsv<<4, ping("x")), heard: []string{"(closed 1002"}},
		)
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases, framing{name: fmt.Sprintf("4 opcode %d", op), sent: header(0x80|op, text("x")), heard: []string{"(closed 1002"}})
	}
	return cases
}

func fragmentCases() []framing {
	message := holding("fragmented")
	parts := splitEvery(message, 20)
	frames := split(parts...)
	ping := clientFrame(ws.OpPing, true, []byte("p"))
	withPings := slices.Clone(frames[:1])
	for _, f := range frames[1:] {
		withPings = append(withPings, ping, f)
	}
	end := clientFrame(ws.OpContinuation, true, []byte("x"))
	lone := []string{"(closed 1002"}
	return []framing{
		{name: "5.3 two fragments", sent: split(message[:9], message[9:]), echo: message},
		{name: "5.4 in one packet", sent: [][]byte{slices.Concat(frames...)}, echo: message},
		{name: "5.5 byte by byte", sent: chop(slices.Concat(frames...), 1), echo: message},
		{name: "5.6 to 5.8, 5.19 pings between", sent: withPings, echo: message, heard: slices.Repeat([]string{"(pong p)"}, len(frames)-1)},
		{name: "5.9, 5.12 nothing to continue", sent: [][]byte{end}, heard: lone},
		{name: "5.10 nothing to continue, and a message in the same packet", sent: [][]byte{slices.Concat(end, text(message))}, heard: lone},
		{name: "5.13 nothing to continue, unfinished", sent: [][]byte{clientFrame(ws.OpContinuation, false, []byte("x"))}, heard: lone},
		{name: "5.15 continued after its end", sent: append(slices.Clone(frames), end), echo: message, heard: lone},
		{name: "5.18 a message within", sent: [][]byte{frames[0], text(message)}, heard: lone},
		{name: "6.1.2 empty fragments", sent: split("", "", ""), heard: []string{`{"event":"pusher:error","data":{"code":4200,"message":"Invalid message format"}}`}},
		{name: "6.1.3 empty fragments around", sent: split("", message, ""), echo: message},
	}
}

func textCases() (cases []framing) {
	for _, valid := range []string{
		"κόσμε", "\u0080", "\u0800", "\U00010000", "\u07ff", "\uffff", "\U0010ffff", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\U0001fffe", "\U000efffe",
	} {
		message := holding(valid)
		cases = append(cases,
			framing{name: fmt.Sprintf("6 valid %x", valid), sent: [][]byte{text(message)}, echo: message},
			framing{name: fmt.Sprintf("6 valid %x in fragments of a byte", valid), sent: split(splitEvery(message, 1)...), echo: message},
		)
	}
	for _, invalid := range []string{
		"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", "\xf4\x90\x80\x80", "\x80", "\xbf", "\x80\xbf\x80", "\xc0 \xc1 ", "\xe0 \xef ", "\xf0 \xf4 ",
		"\xf8 ", "\xfc ", "\xc0", "\xe0\x80", "\xf0\x80\x80", "\xdf", "\xef\xbf", "\xfe", "\xff", "\xfe\xfe\xff\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
		"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbf\xbf",
		"\xed\xa0\x80\xed\xb0\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
	} {
		cases = append(cases,
			framing{name: fmt.Sprintf("6 invalid %x", invalid), sent: [][]byte{text(holding(invalid))}, heard: []string{"(closed 1007"}},
			framing{name: fmt.Sprintf("6 invalid %x in fragments of a byte", invalid), sent: split(splitEvery(holding(invalid), 1)...), heard: []string{"(closed 1007"}},
		)
	}
	return cases
}

func closeCases() []framing {
	bye := func(payload string) []byte { return clientFrame(ws.OpClose, true, []byte(payload)) }
	coded := func(code int, reason string) []byte {
		return bye(string([]byte{byte(code >> 8), byte(code)}) + reason)
	}
	message, long := fits(0), strings.Repeat("*", 123)
	cases := []framing{
		{name: "7.1.1 after a message", sent: [][]byte{text(message), coded(1000, "")}, echo: message, heard: []string{"(closed 1000"}},
		{name: "7.1.3 a ping behind", sent: [][]byte{slices.Concat(coded(1000, ""), clientFrame(ws.OpPing, true, nil))}, heard: []string{"(closed 1000"}},
		{name: "7.1.4 a message behind", sent: [][]byte{slices.Concat(coded(1000, ""), text(message))}, heard: []string{"(closed 1000"}},
		{name: "7.1.5 within a message", sent: [][]byte{clientFrame(ws.OpText, false, []byte("x")), coded(1000, "")}, heard: []string{"(closed 1000"}},
		{name: "7.3.1 no code", sent: [][]byte{bye("")}, heard: []string{"(closed 1000"}},
		{name: "7.3.2 half a code", sent: [][]byte{bye("x")}, heard: []string{"(closed 1002"}},
		{name: "7.3.5 longest reason", sent: [][]byte{coded(1000, long)}, heard: []string{"(closed 1000 " + long}},
		{name: "7.3.6 too long a reason", sent: [][]byte{coded(1000, long+"*")}, heard: []string{"(closed 1002"}},
		{name: "7.5.1 invalid reason", sent: [][]byte{coded(1000, "\xce\xba\xed\xa0\x80")}, heard: []string{"(closed 1007"}},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, framing{name: fmt.Sprintf("7.7 code %d", code), sent: [][]byte{coded(code, "")}, heard: []string{fmt.Sprintf("(closed %d", code)}})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, framing{name: fmt.Sprintf("7.9, 7.13 code %d", code), sent: [][]byte{coded(code, "")}, heard: []string{"(closed 1002"}})
	}
	return cases
}

func TestFraming(t *testing.T) {
	script := &script{file: "framing", files: map[string][]byte{
		"apps.json": []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret","max_message_size":0,"accept_client_events_from":"all"}]`),
	}}
	cases := slices.Concat(sizeCases(), controlCases(), fragmentCases(), textCases(), closeCases())
	for _, name := range []string{"epoll", "portable"} {
		t.Run(name, func(t *testing.T) {
			on := openStage(t, script, newEngine(t, name))
			listener := crowd(t, on, 1)[0]
			listener.subscribes(t, "echo")
			for _, f := range cases {
				t.Run(f.name, func(t *testing.T) { f.play(t, on, listener) })
			}
		})
	}
}

func (f framing) play(t *testing.T, on *stage, listener *client) {
	c := &client{name: "sender"}
	enter(t, on, c)
	for _, packet := range f.sent {
		c.write(packet)
	}
	for _, want := range f.heard {
		if got := c.next(); !strings.HasPrefix(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	c.settle()
	if f.echo != "" {
		wantNext(t, listener, f.echo)
	}
	wantSilence(t, listener)
	if len(c.unheard) > 0 {
		t.Errorf("got %q, want nothing more", c.unheard)
	}
}
