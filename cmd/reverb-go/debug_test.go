package main

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

func TestDebugTracer(t *testing.T) {
	socket := protocol.NewSocketID(472288338, 439939038)
	const (
		id   = "472288338.439939038"
		dots = "................................."
	)
	tests := []struct {
		name  string
		event server.TraceEvent
		want  string
	}{
		{"opened", server.TraceEvent{Kind: server.TraceOpened, Socket: socket}, "  Connection Established " + dots + " " + id + "  \n"},
		{"closed", server.TraceEvent{Kind: server.TraceClosed, Socket: socket}, "  Connection Closed ....." + dots + " " + id + "  \n"},
		{"control", server.TraceEvent{Kind: server.TraceControl, Socket: socket}, "  Control Frame Received " + dots + " " + id + "  \n   1▕ null\n\n"},
		{
			"received",
			server.TraceEvent{Kind: server.TraceReceived, Socket: socket, Payload: []byte(`{"event":"pusher:ping","data":{}}`)},
			"  Message Received ......" + dots + " " + id + "  \n   1▕ {\n   2▕     \"event\": \"pusher:ping\",\n   3▕     \"data\": {}\n   4▕ }\n\n",
		},
		{
			"failed",
			server.TraceEvent{Kind: server.TraceFailed, Socket: socket, Err: protocol.ErrInvalidFormat},
			"\n [ERROR] Message from " + id + " resulted in a pusher error            \n\n  Invalid message format " + strings.Repeat(".", 53) + "  \n",
		},
		{"request", server.TraceEvent{Kind: server.TraceHTTP, Err: errors.New("GET /: 404")}, "\n [ERROR] GET /: 404" + strings.Repeat(" ", 61) + "\n\n"},
		{
			"no room for dots, and an escape sequence",
			server.TraceEvent{Kind: server.TraceBroadcast, Channel: strings.Repeat("c", 90) + "\x1b[2J", Payload: []byte("no JSON")},
			"  Broadcasting To  " + strings.Repeat("c", 90) + "\uFFFD[2J  \n   1▕ null\n\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			d := debugTracer{w: &got, width: usualWidth}
			d.Trace(tt.event)
			if got.String() != tt.want {
				t.Errorf("got\n%q, want\n%q", got.String(), tt.want)
			}
		})
	}
}

func TestMessageBlock(t *testing.T) {
	tests := []struct {
		name, message, want string
	}{
		{"data in a string", `{"event":"e","data":"{\"a\":1}"}`, "{\n    \"event\": \"e\",\n    \"data\": {\n        \"a\": 1\n    }\n}"},
		{"channel_data in data", `{"data":{"channel_data":"{\"user_id\":\"7\"}"}}`, "{\n    \"data\": {\n        \"channel_data\": {\n            \"user_id\": \"7\"\n        }\n    }\n}"},
		{"both in strings", `{"data":"{\"channel_data\":\"[1]\"}"}`, "{\n    \"data\": {\n        \"channel_data\": [\n            1\n        ]\n    }\n}"},
		{"data is a text", `{"data":"hello"}`, "{\n    \"data\": \"hello\"\n}"},
		{"channel_data elsewhere", `{"channel_data":"{}"}`, "{\n    \"channel_data\": \"{}\"\n}"},
		{"a list", `["{}"]`, "[\n    \"{}\"\n]"},
		{"a number", `5`, "5"},
		{"unfinished", `{"data":`, "null"},
		{"two", `{} {}`, "null"},
		{"nothing", "", "null"},
		{"long", `{"data":"` + strings.Repeat("ü", 300) + `"}`, "{\n    \"data\": \"" + strings.Repeat("ü", 185) + "..."},
		{"just fits", `"` + strings.Repeat("ü", 198) + `"`, `"` + strings.Repeat("ü", 198) + `"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := messageBlock([]byte(tt.message))
			var got []string
			for line := range strings.Lines(strings.TrimSuffix(block, "\n")) {
				_, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "▕ ")
				got = append(got, text)
			}
			if got := strings.Join(got, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Events of several loops do not get into each other.
func TestDebugTracerConcurrent(t *testing.T) {
	var got bytes.Buffer
	d := debugTracer{w: &got, width: usualWidth}
	e := server.TraceEvent{Kind: server.TraceReceived, Socket: protocol.NewSocketID(1, 2), Payload: []byte(`{"a":1}`)}
	want := strings.Repeat(d.describe(e), 400)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				d.Trace(e)
			}
		})
	}
	wg.Wait()
	if got.String() != want {
		t.Error("the output of 400 equal events is not 400 times that of one")
	}
}
