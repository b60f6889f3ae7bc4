package server_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gobwas/ws"
)

// acts is what clients can do besides saying a message, by the words it begins with. Two notes can
// stand before a message: (100 times), where $n counts, and (10000 bytes), which fills it up with spaces.
var acts = []struct {
	verb string
	do   func(p *play, c *client, arg string) error
}{
	// (connect /app/app-key?protocol=7 | Origin: https://x.test | no Upgrade | HTTP/1.0): the handshake,
	// with headers added, replaced or left out. Its 101 goes without saying; other answers are heard.
	{"connect", (*play).actConnect},
	// (dial) connects, but says nothing yet.
	{"dial", func(p *play, c *client, arg string) error { return c.dial(p.stage) }},
	// (send GET /up HTTP/1.1\r\n\r\n) says this text to the socket.
	{"send", (*play).actSend},
	// (raw 81 82 00000000 6869) says these bytes to the socket.
	{"raw", (*play).actRaw},
	// (binary {"event":"pusher:ping"}) is a binary frame, (ping x) and (pong x) are control frames.
	{"binary", frameOf(ws.OpBinary, true)},
	{"ping", frameOf(ws.OpPing, true)},
	{"pong", frameOf(ws.OpPong, true)},
	// (deflated {"event":"pusher:ping"}) is a message that is compressed; one that is heard is shown as (deflated) and its text.
	{"deflated", func(p *play, c *client, arg string) error { c.write(deflatedFrame(p.fill(arg))); return nil }},
	// (first fragment x), (next fragment y) and (last fragment z) are one text message.
	{"first fragment", frameOf(ws.OpText, false)},
	{"next fragment", frameOf(ws.OpContinuation, false)},
	{"last fragment", frameOf(ws.OpContinuation, true)},
	// (byte by byte {"event":"pusher:ping"}) says a message in as many packets as it has bytes.
	{"byte by byte", (*play).actByteByByte},
	// (close 1000 bye) says a close frame; (close) one that is empty.
	{"close", (*play).actClose},
	// What is said between (hold) and (release) goes out at once.
	{"hold", func(_ *play, c *client, _ string) error { c.held = new(bytes.Buffer); return nil }},
	{"release", (*play).actRelease},
	// (hang up) ends the connection, (drop) resets it.
	{"hang up", func(_ *play, c *client, _ string) error { c.leave(false); return nil }},
	{"drop", (*play).actDrop},
}

func (p *play) says(c *client, l line) {
	p.t.Helper()
	n, notes := l.times()
	for p.turn = 1; p.turn <= n; p.turn++ {
		if err := p.say(c, notes, l.text); err != nil {
			p.broken(err)
		}
	}
}

func (p *play) say(c *client, notes []string, text string) error {
	p.t.Helper()
	if text == "" && len(notes) == 1 {
		return p.act(c, notes[0])
	}
	message := p.fill(text)
	if len(notes) > 0 {
		size, err := strconv.Atoi(strings.TrimSuffix(notes[0], " bytes"))
		if err != nil || len(message) > size {
			return fmt.Errorf("cannot say a message of %d bytes (%s)", len(message), notes[0])
		}
		message += strings.Repeat(" ", size-len(message))
	}
	c.frame(ws.OpText, true, []byte(message))
	return nil
}

func (p *play) act(c *client, note string) error {
	for _, a := range acts {
		if arg, ok := strings.CutPrefix(note, a.verb); ok && (arg == "" || arg[0] == ' ') {
			return a.do(p, c, strings.TrimPrefix(arg, " "))
		}
	}
	return errors.New("clients cannot do that")
}

func (p *play) actConnect(c *client, arg string) error {
	parts := strings.Split(p.fill(arg), " | ")
	return c.connect(p.stage, p.stage.local(parts[0]), parts[1:])
}

func (p *play) actSend(c *client, arg string) error {
	text := p.fill(strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(arg))
	for line := range strings.Lines(text) {
		if method, _, ok := strings.Cut(line, " /"); ok && strings.Contains(line, " HTTP/") {
			c.requests = append(c.requests, method)
		}
	}
	c.write([]byte(text))
	return nil
}

func (p *play) actRaw(c *client, arg string) error {
	b, err := hex.DecodeString(strings.ReplaceAll(p.fill(arg), " ", ""))
	c.write(b)
	return err
}

func frameOf(op ws.OpCode, fin bool) func(*play, *client, string) error {
	return func(p *play, c *client, arg string) error {
		c.frame(op, fin, []byte(p.fill(arg)))
		return nil
	}
}

func (p *play) actByteByByte(c *client, arg string) error {
	for b := range slices.Chunk(clientFrame(ws.OpText, true, []byte(p.fill(arg))), 1) {
		c.write(b)
	}
	return nil
}

func (p *play) actClose(c *client, arg string) error {
	c.bye = true
	if arg == "" {
		c.frame(ws.OpClose, true, nil)
		return nil
	}
	number, reason, _ := strings.Cut(arg, " ")
	code, err := strconv.ParseUint(number, 10, 16)
	c.close(ws.StatusCode(code), p.fill(reason))
	return err
}

func (p *play) actRelease(c *client, _ string) error {
	if c.held == nil {
		return errors.New("nothing is held")
	}
	b := c.held.Bytes()
	c.held = nil
	c.write(b)
	return nil
}

func (p *play) actDrop(c *client, _ string) error {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
	}
	c.leave(false)
	return nil
}

// hears compares what is heard next with the line. Besides what clients hear, a line can be (nothing);
// (header X: y) and (no header X), about the last HTTP response; and (gone at last), when what is
// heard before the end does not matter. $* at the end of a line leaves open how it goes on.
func (p *play) hears(c *client, l line) {
	p.t.Helper()
	if l.text == "" && len(l.notes) == 1 && p.hearsSpecial(c, l.notes[0]) {
		return
	}
	n, notes := l.times()
	text := l.whole
	if len(notes) < len(l.notes) {
		text = l.text
		if text == "" {
			text = "(" + strings.Join(notes, ") (") + ")"
		}
	}
	for p.turn = 1; p.turn <= n; p.turn++ {
		got := c.next()
		if want := p.want(text); !matches(want, got) {
			p.failed(want, c.name+": "+got)
		}
	}
}

// want fills a line that is to be heard, but leaves the open end alone.
func (p *play) want(text string) string {
	p.t.Helper()
	text, end := cutLast(text, "$*)", "$*")
	if end {
		return p.fill(text) + "$*"
	}
	return p.fill(text)
}

func matches(want, got string) bool {
	if start, open := strings.CutSuffix(want, "$*"); open {
		return strings.HasPrefix(got, strings.TrimRight(start, " "))
	}
	return got == want
}

func (p *play) hearsSpecial(c *client, note string) bool {
	p.t.Helper()
	if note == "nothing" {
		p.hearsNothing(c)
		return true
	}
	if note == "gone at last" {
		for heard := ""; heard != "(gone)"; heard = c.next() {
			if strings.HasPrefix(heard, "(nothing") {
				p.failed("(gone)", heard)
			}
		}
		return true
	}
	if !strings.HasPrefix(note, "header ") && !strings.HasPrefix(note, "no header ") {
		return false
	}
	c.awaitResponse()
	if c.response == nil {
		p.failed("("+note+")", c.name+": no HTTP response")
	}
	p.checkHeader(c.response.Header, note)
	return true
}

func (p *play) checkHeader(header http.Header, note string) {
	p.t.Helper()
	if name, ok := strings.CutPrefix(note, "no header "); ok {
		if got, has := header[http.CanonicalHeaderKey(name)]; has {
			p.failed("("+note+")", fmt.Sprintf("%s: %s", name, got))
		}
		return
	}
	name, want, _ := strings.Cut(strings.TrimPrefix(note, "header "), ": ")
	if got := strings.Join(header.Values(name), ", "); got != want {
		p.failed(name+": "+want, name+": "+got)
	}
}

// hearsNothing first lets the others settle, so that what they did has come about, in Redis too, and then c, twice:
// what another loop has for c is on its way at the first pong and before the second.
func (p *play) hearsNothing(c *client) {
	p.t.Helper()
	for _, other := range p.order {
		if other != c && other.spoke {
			other.settle()
		}
	}
	if p.stage.settle != nil {
		p.stage.settle()
	}
	c.settle()
	c.settle()
	if len(c.unheard) > 0 {
		p.failed("(nothing)", c.name+": "+c.unheard[0])
	}
}
