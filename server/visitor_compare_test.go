package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// compared are requests of all kinds, of which some are signed.
func compared(on *stage) []smuggling {
	event := `{"name":"n","channel":"news","data":"x"}`
	post := func(body string, headers ...string) string {
		return signed(on, "POST", "/apps/1/events", body, headers...)
	}
	change := func(old, new string) string { return strings.Replace(post(event), old, new, 1) }
	host := func(h string) string { return change("Host: x", "Host: "+h) }
	shakeHost := func(h string) string { return strings.Replace(wsHead, "Host: x", "Host: "+h, 1) + "\r\n" }
	all := []smuggling{
		{"event", post(event)},
		{"event, closing", post(event, "Connection: close")},
		{"event, closing in capitals", post(event, "CONNECTION: Close")},
		{"event, keeping", post(event, "Connection: keep-alive")},
		{"event, upgrading to another protocol", post(event, "Connection: Upgrade", "Upgrade: h2c")},
		{"event that upgrades", post(event, "Connection: Upgrade", "Upgrade: websocket")},
		{"event with many headers", post(event, "Accept: */*", "User-Agent: pusher-http-php/7", "X-Pusher-Library: a b", "Cookie: a=b; c=d", "Content-Type: application/json")},
		{"event with a form's type", post(event, "Content-Type: application/x-www-form-urlencoded")},
		{"event with several parts", post(event, "Content-Type: multipart/form-data; boundary=x")},
		{"event with an encoding", post(event, "Content-Encoding: gzip")},
		{"event with info", post(`{"name":"n","channel":"news","data":"x","info":"subscription_count"}`)},
		{"event with a key", post(event, "Idempotency-Key: k")},
		{"event with a key in the body", post(`{"name":"n","channel":"news","data":"x","idempotency_key":"j"}`)},
		{"event that waits", post(event, "Expect: 100-continue")},
		{"event in HTTP/1.0", change("HTTP/1.1", "HTTP/1.0")},
		{"event in HTTP/1.0, kept", strings.Replace(post(event, "Connection: keep-alive"), "HTTP/1.1", "HTTP/1.0", 1)},
		{"event in http/1.1", change("HTTP/1.1", "http/1.1")},
		{"event by PUT", change("POST", "PUT")},
		{"event by post", change("POST", "post")},
		{"event by GET", change("POST", "GET")},
		{"event by HEAD", "HEAD /apps/1/events HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"event without a slash", change("/apps", "apps")},
		{"event with two slashes", change("/apps", "//apps")},
		{"event with dots", change("/apps/1", "/apps/2/../1")},
		{"event with an escaped name", change("/events", "/%65vents")},
		{"event with an escape that is none", change("/apps/1", "/apps/%zz")},
		{"event with a whole URL", change("/apps", "http://x/apps")},
		{"event with a fragment", change("/events", "/events#/events")},
		{"event with a fragment behind it", change(" HTTP/1.1", "#/events HTTP/1.1")},
		{"event with a backslash", change("/apps/1", "/apps\\1")},
		{"event with a control character", change("/apps/1", "/apps/\x011")},
		{"event with a byte that is no ASCII", change("/apps/1", "/apps/\xff")},
		{"event of another app", change("/apps/1", "/apps/2")},
		{"event of no app", change("/apps/1", "/apps/")},
		{"event elsewhere", change("/apps/1", "/elsewhere")},
		{"event of a channel", change("/apps/1", "/apps/1/channels/x")},
		{"event with a wrong signature", change("auth_signature=", "auth_signature=0")},
		{"event without a query", postHead + "Content-Length: 2\r\n\r\n{}"},
		{"event without a body", post("")},
		{"event of length 0", postHead + "Content-Length: 0\r\n\r\n"},
		{"event with bad JSON", post("{")},
		{"event that is invalid", post(`{"name":"n","channels":[1],"data":2}`)},
		{"event with much of a head", post(event, "X-A: "+strings.Repeat("a", 9_000))},
		{"event with too much of a head", post(event, "X-A: "+strings.Repeat("a", 10_000))},
		{"event with far too much of a head", post(event, "X-A: "+strings.Repeat("a", 40_000))},
		{"event that is a little too large", post(event + strings.Repeat(" ", 9_800))},
		{"event that is too large", post(event + strings.Repeat(" ", 10_000))},
		{"event that is far too large", post(event + strings.Repeat(" ", 100_000))},
		{"event after empty lines", "\r\n\r\n" + post(event)},
		{"event with an empty header", post(event, "X-A:")},
		{"event with a header without a colon", post(event, "X-A")},
		{"event with a header without a name", post(event, ": x")},
		{"batch", signed(on, "POST", "/apps/1/batch_events", `{"batch":[`+event+`]}`)},
		{"batch of none", signed(on, "POST", "/apps/1/batch_events", `{"batch":[]}`)},
		{"channels", signed(on, "GET", "/apps/1/channels", "")},
		{"channels that upgrade", signed(on, "GET", "/apps/1/channels", "", "Upgrade: websocket")},
		{"up", smuggled}, {"up that upgrades", "GET /up" + wsHeaders + "\r\n"}, {"nothing", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"handshake", wsHead + "\r\n"},
		{"handshake that compresses", wsHead + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"},
		{"handshake of nobody", "GET /app/nobody" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
		{"handshake nowhere", "GET /app/app/x" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
		{"handshake without an app", "GET /app/" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
		{"handshake without a version", "GET /app/app-key" + wsHeaders + "\r\n"},
		{"handshake without a key", "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"},
		{"handshake without Connection", "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"},
		{"handshake that closes", wsHead + "Connection: close\r\n\r\n"},
		{"handshake in HTTP/1.0", strings.Replace(wsHead, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n"},
		{"handshake without an upgrade", "GET /app/app-key HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"handshake with a whole URL", strings.Replace(wsHead, "/app/", "http://y/app/", 1) + "\r\n"},
		{"handshake with a long key", strings.Replace(wsHead, "/app-key", "/"+strings.Repeat("k", 9_900), 1) + "\r\n"},
		{"handshake that is too long", strings.Replace(wsHead, "/app-key", "/"+strings.Repeat("k", 20_000), 1) + "\r\n"},
	}
	for _, h := range []string{"X.y-z:80", "x:", "x:99999999", "x:-1", "x:80:80", ":80", "", "[::1]", "[::1]:80", "[::1", "::1", "1.2.3.4", "999.1.1.1", "1.2.3", "x y", "x/y", "x_y", "x%41", "x%zz", "u@x", "ü.example", "x\x7f", "x\ty", "x..y", "-x", "a,b"} {
		all = append(all, smuggling{fmt.Sprintf("event for the host %q", h), host(h)}, smuggling{fmt.Sprintf("handshake for the host %q", h), shakeHost(h)})
	}
	return append(all, refusedSmugglings...)
}

func isRefused(said string) bool {
	return slices.ContainsFunc(refusedSmugglings, func(s smuggling) bool { return s.request == said })
}

func isHandshake(said string) bool { return strings.Contains(said, "websocket") }

// lastRequest is one after which the server closes the connection.
const lastRequest = upHead + "Connection: close\r\n\r\n"

// Each request is sent in three ways. Those whose end is not clear may have no answer to wait for, and a WebSocket of which half
// is closed may end before it is greeted.
var sendings = map[string]func(c *caller, said string){
	"nothing else": func(c *caller, said string) {
		_, _ = io.WriteString(c, said)
		_ = c.CloseWrite()
	},
	"another behind it": func(c *caller, said string) {
		_, _ = io.WriteString(c, said+smuggled)
		if !isHandshake(said) {
			_ = c.CloseWrite()
		}
	},
	"another after it": func(c *caller, said string) {
		_, _ = io.WriteString(c, said)
		method, _, _ := strings.Cut(said, " ")
		response, err := &http.Response{StatusCode: http.StatusContinue}, error(nil)
		for err == nil && !isRefused(said) && response.StatusCode == http.StatusContinue {
			response, err = http.ReadResponse(c.in, &http.Request{Method: method})
		}
		if err == nil && response.Body != nil && response.StatusCode != http.StatusSwitchingProtocols {
			_, _ = io.Copy(io.Discard, response.Body)
		}
		_, _ = io.WriteString(c, lastRequest)
	},
}

var (
	dateLine    = regexp.MustCompile(`(?m)^Date: .*\r\n`)
	established = regexp.MustCompile(`..\{"event":"pusher:connection_established".*?\d+\.\d+`)
)

// answered is all that a server sends until it closes the connection, but for what is another each time.
func answered(t *testing.T, on *stage, said string, send func(*caller, string)) string {
	t.Helper()
	var raw bytes.Buffer
	c := call(t, on, "")
	defer c.Close()
	c.in = bufio.NewReader(io.TeeReader(c.TCPConn, &raw))
	send(c, said)
	_, _ = io.Copy(io.Discard, c.in) // a reset is as good an end
	return string(established.ReplaceAll(dateLine.ReplaceAll(raw.Bytes(), []byte("Date: (now)\r\n")), []byte("(established)")))
}

// TestEnginesAgree: what is answered is the same to the byte, whoever answers it.
func TestEnginesAgree(t *testing.T) {
	still := &script{files: map[string][]byte{"server.json": []byte(`{"now":1700000000}`)}}
	epoll, portable := openStage(t, still, newEngine(t, "epoll")), openStage(t, still, newEngine(t, "portable"))
	for _, tt := range compared(epoll) {
		for name, send := range sendings { // in any order, but both engines in the same
			if name == "nothing else" && isHandshake(tt.request) {
				continue
			}
			t.Run(tt.name+" and "+name, func(t *testing.T) {
				want, got := answered(t, portable, tt.request, send), answered(t, epoll, tt.request, send)
				if got != want {
					t.Errorf("%.300q\n got %.600q\nwant %.600q", tt.request, got, want)
				}
			})
		}
	}
}
