package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

// debugTracer prints what passes, in the words of Reverb's --debug.
type debugTracer struct {
	width int

	mu sync.Mutex // guards w, so that what belongs together stays together
	w  io.Writer
}

// titles are of what Reverb tells about a connection.
var titles = map[server.TraceKind]string{
	server.TraceOpened:    "Connection Established",
	server.TraceClosed:    "Connection Closed",
	server.TraceReceived:  "Message Received",
	server.TraceHandled:   "Message Handled",
	server.TraceControl:   "Control Frame Received",
	server.TraceBroadcast: "Broadcasting To",
	server.TracePinged:    "Connection Pinged",
	server.TracePruned:    "Connection Pruned",
}

// Trace implements server.Tracer.
func (d *debugTracer) Trace(e server.TraceEvent) {
	if e.Kind > server.TraceHTTP {
		return // Reverb tells nothing like it
	}
	text := d.describe(e)
	d.mu.Lock()
	defer d.mu.Unlock()
	io.WriteString(d.w, text)
}

func (d *debugTracer) describe(e server.TraceEvent) string {
	switch e.Kind {
	case server.TraceRefused, server.TraceFailed:
		return d.fault(fmt.Sprintf("Message from %s resulted in a pusher error", e.Socket)) + d.line(reason(e.Err), "")
	case server.TraceHTTP:
		return d.fault(e.Err.Error())
	case server.TraceBroadcast:
		return d.line(titles[e.Kind], e.Channel) + messageBlock(e.Payload)
	case server.TraceReceived, server.TraceControl:
		return d.line(titles[e.Kind], e.Socket.String()) + messageBlock(e.Payload)
	}
	return d.line(titles[e.Kind], e.Socket.String())
}

// reason is what the client was told.
func reason(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// line is a title and a value at the two ends of the line, with dots between them.
func (d *debugTracer) line(title, value string) string {
	title, value = printable(title), printable(value)
	if value != "" {
		value = " " + value
	}
	dots := d.width - len("    ") - len(" ") - utf8.RuneCountInString(title) - utf8.RuneCountInString(value)
	return fmt.Sprintf("  %s %s%s  \n", title, strings.Repeat(".", max(dots, 0)), value)
}

// fault is an error block.
func (d *debugTracer) fault(text string) string {
	return fmt.Sprintf("\n%-*s\n\n", d.width, printable(" [ERROR] "+text))
}

// messageCut is how many characters of a message are shown.
const messageCut = 200

// messageBlock shows a message as indented JSON with numbered lines; what is no JSON is null.
func messageBlock(message []byte) string {
	var text bytes.Buffer
	if !json.Valid(message) {
		message = []byte("null")
	}
	_ = json.Indent(&text, reveal(message, "data", "channel_data"), "", "    ") // which is valid, as message is
	var b strings.Builder
	for i, line := range strings.Split(cut(text.String(), messageCut), "\n") {
		fmt.Fprintf(&b, "%4d▕ %s\n", i+1, printable(line))
	}
	return b.String() + "\n"
}

// reveal puts the JSON that the string under the first of keys holds in place of the string, and so on below it
// with the other keys. message is valid JSON, and so is what it returns.
func reveal(message []byte, keys ...string) []byte {
	dec := json.NewDecoder(bytes.NewReader(message))
	if t, _ := dec.Token(); t != json.Delim('{') || len(keys) == 0 {
		return message
	}
	out := []byte{'{'}
	for dec.More() {
		name, _ := dec.Token()
		key, _ := name.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return message // nested too deep
		}
		if key == keys[0] {
			value = reveal(unwrap(value), keys[1:]...)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(protocol.AppendString(out, key), ':'), value...)
	}
	return append(out, '}')
}

// unwrap returns the JSON that a JSON string holds, or what it was given if that is something else.
func unwrap(value []byte) []byte {
	var s string
	if json.Unmarshal(value, &s) != nil || !json.Valid([]byte(s)) {
		return value
	}
	return []byte(s)
}

// cut shortens a text as Laravel's Str::limit does.
func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return strings.TrimRight(s[:i], " \n") + "..."
		}
		n++
	}
	return s
}
