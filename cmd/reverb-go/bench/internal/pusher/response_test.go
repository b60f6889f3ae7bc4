package pusher

import (
	"strings"
	"testing"
)

func TestParseResponse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		status     int
		body       string
		closes     bool
	}{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", false},
		{"without a body", "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n", 200, "", false},
		{"in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, "abcde", false},
		{"says goodbye", "HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope", 401, "nope", true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true},
		{"HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 200, "", false},
	} {
		for short := range len(tt.text) {
			if tt.name == "without a body" {
				break
			}
			if _, n, err := parseResponse([]byte(tt.text[:short])); n != 0 || err != nil {
				t.Errorf("%s: %d of %d bytes gave a response of %d and %v, want none yet", tt.name, short, len(tt.text), n, err)
			}
		}
		r, n, err := parseResponse([]byte(tt.text + "HTTP/1.1 500"))
		if err != nil || n != len(tt.text) || r.status != tt.status || string(r.body) != tt.body || r.closes != tt.closes {
			t.Errorf("%s: got %d %q, closes %v, length %d, %v", tt.name, r.status, r.body, r.closes, n, err)
		}
		if ok := r.problem() == nil; ok != (tt.status == 200) {
			t.Errorf("%s: got problem %v for status %d", tt.name, r.problem(), tt.status)
		}
	}
}

func TestParseResponseRefuses(t *testing.T) {
	for _, text := range []string{
		"SMTP ready\r\n\r\n",
		"HTTP/1.1 abc OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
	} {
		if r, n, err := parseResponse([]byte(text)); err == nil {
			t.Errorf("%q: got %+v of %d bytes, want an error", text, r, n)
		}
	}
}

func TestFindSocketID(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":30}"}`, "12.34"},
		{`{"data":"{\"socket_id\":\"1.2\"}","event":"pusher:connection_established"}`, "1.2"},
		{`{"event":"pusher:connection_established","data":{"socket_id": "7.8"}}`, "7.8"},
		{`{"event":"pusher:error","data":{"code":4001}}`, ""},
		{`{"event":"pusher:connection_established"}`, ""},
		{`{"event":"pusher:connection_established","data":"{\"socket_id\":"`, ""},
	} {
		if got := findSocketID([]byte(tt.text)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestParseUpgrade(t *testing.T) {
	a := newApp(t)
	good := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + a.accept + "\r\n\r\n"
	for _, tt := range []struct {
		text string
		n    int
		ok   bool
	}{
		{good + "rest", len(good), true},
		{good[:len(good)-1], 0, true},
		{strings.Replace(good, a.accept, "AAAA", 1), 0, false},
		{"HTTP/1.1 404 Not Found\r\n\r\n", 0, false},
	} {
		n, err := a.parseUpgrade([]byte(tt.text))
		if n != tt.n || (err == nil) != tt.ok {
			t.Errorf("%q: got %d and %v, want %d", tt.text, n, err, tt.n)
		}
	}
}
