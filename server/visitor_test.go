package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// What a loop answers itself, and what it passes on, has to look the same from outside. Each test asks both engines; the portable one
// passes on everything.

// A caller is somebody with one connection, who hears answer by answer.
type caller struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

func call(t *testing.T, on *stage, said string) *caller {
	t.Helper()
	c := sayAll(t, on, said)
	return &caller{c, t, bufio.NewReader(c)}
}

func (c *caller) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// hear returns the status and the body of the next answer, or why there is none.
func (c *caller) hear() string {
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return note("gone:", err.Error())
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response.Status[:3]
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return note("gone:", err.Error())
	}
	return answer{response.StatusCode, response.Header, string(body)}.String()
}

func (c *caller) wantAnswers(want ...string) {
	c.t.Helper()
	for i, w := range want {
		if got := c.hear(); !strings.HasPrefix(got, w) {
			c.t.Fatalf("answer %d is %s, want %s", i+1, got, w)
		}
	}
}

// wantEnd waits for the end of the connection.
func (c *caller) wantEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("got %q and %v, want the end of the connection", rest, err)
	}
}

// signed is a request of the API as it goes over the wire.
func signed(on *stage, method, target, body string, headers ...string) string {
	path, query, _ := strings.Cut(target, "?")
	r := request{method: method, path: path, query: query, body: body, headers: headers}
	on.sign(&r)
	return r.text("x")
}

// eventText is a request that publishes on the channel news, and is answered with okay.
func eventText(on *stage, data string, headers ...string) string {
	return signed(on, "POST", "/apps/1/events", fmt.Sprintf(`{"name":"n","channel":"news","data":%q}`, data), headers...)
}

const okay = "200 {}"

func (c *client) wantEvents(t *testing.T, data ...string) {
	t.Helper()
	for _, d := range data {
		wantNext(t, c, event(d))
	}
}

// TestRequestsInTwoParts cuts requests at every byte. Others are served in between, so that the server has time to read the first part.
func TestRequestsInTwoParts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		ear, others := subscriber(t, on, "ear"), []*caller{call(t, on, ""), call(t, on, "")}
		others = append(others, call(t, on, ""))
		between := func() {
			for _, o := range others {
				o.say(eventText(on, "between"))
				o.wantAnswers(okay)
				ear.wantEvents(t, "between")
			}
		}
		text := eventText(on, "cut")
		for i := 1; i < len(text); i++ {
			c := call(t, on, text[:i])
			between()
			c.say(text[i:])
			c.wantAnswers(okay)
			c.say(eventText(on, "whole"))
			c.wantAnswers(okay)
			ear.wantEvents(t, "cut", "whole")
			c.Close()
		}
		text = wsHead + "\r\n"
		for i := 1; i < len(text); i++ {
			c := call(t, on, text[:i])
			between()
			c.say(text[i:])
			c.wantAnswers("101")
			c.wantText("pusher:connection_established")
			c.Close()
		}
	})
}

// wantText waits for a message of a connection that has become a WebSocket.
func (c *caller) wantText(want string) {
	c.t.Helper()
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.in, payload); err != nil || !strings.Contains(string(payload), want) {
		c.t.Fatalf("heard %q and %v, want %s", payload, err, want)
	}
}

// TestPipelinedEvents sends several requests at once: they are answered and published in order.
func TestPipelinedEvents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		e := func(data string) string { return eventText(on, data) }
		half, batch := len(e("x"))/2, signed(on, "POST", "/apps/1/batch_events", `{"batch":[{"name":"n","channel":"news","data":"b"}]}`)
		wrong := strings.Replace(e("wrong"), "auth_signature=", "auth_signature=0", 1)
		for _, tt := range []struct {
			name, said, then string
			answers          string // statuses
			events           string
		}{
			{"two events", e("a") + e("b"), "", "200 200", "a b"},
			{"three events", e("a") + e("b") + e("c"), "", "200 200 200", "a b c"},
			{"an event and another request", e("a") + smuggled, "", "200 200", "a"},
			{"another request and an event", smuggled + e("a"), "", "200 200", "a"},
			{"an event and half of one", e("a") + e("b")[:half], e("b")[half:], "200 200", "a b"},
			{"an event and one without its last byte", e("a") + strings.TrimSuffix(e("b"), "}"), "}", "200 200", "a b"},
			{"an event and the first byte of one", e("a") + "P", strings.TrimPrefix(e("b"), "P"), "200 200", "a b"},
			{"an event and an empty line", e("a") + "\r\n", e("b"), "200 200", "a b"},
			{"an event, a batch and an event", e("a") + batch + e("c"), "", "200 200 200", "a b c"},
			{"a refused one and an event", wrong + e("a"), "", "401 200", "a"},
			{"an event, a refused one and an event", e("a") + wrong + e("b"), "", "200 401 200", "a b"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				ear := subscriber(t, on, "ear")
				c := call(t, on, tt.said)
				if tt.then != "" {
					ear.settle()
					c.say(tt.then)
				}
				c.wantAnswers(strings.Fields(tt.answers)...)
				c.say(e("last") + e("very last"))
				c.wantAnswers(okay, okay)
				ear.wantEvents(t, append(strings.Fields(tt.events), "last", "very last")...)
			})
		}
	})
}

// TestHandshakeBehindEvent sends an event, a handshake and a first message at once.
func TestHandshakeBehindEvent(t *testing.T) {
	const ping = `{"event":"pusher:ping"}`
	frame := string(clientFrame(ws.OpText, true, []byte(ping)))
	onBothEngines(t, func(t *testing.T, on *stage) {
		for name, before := range map[string]string{"alone": "", "behind an event": eventText(on, "a"), "behind another request": smuggled} {
			t.Run(name, func(t *testing.T) {
				ear := subscriber(t, on, "ear")
				c := call(t, on, before+wsHead+"\r\n"+frame+frame[:len(frame)/2])
				if before != "" {
					c.wantAnswers("200")
				}
				c.wantAnswers("101")
				for _, want := range []string{"connection_established", "pong"} {
					c.wantText(want)
				}
				c.say(frame[len(frame)/2:])
				c.wantText("pong")
				if strings.HasPrefix(before, "POST") {
					ear.wantEvents(t, "a")
				}
			})
		}
	})
}

// TestKeepAlive publishes much on one connection.
func TestKeepAlive(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		ear, c := subscriber(t, on, "ear"), call(t, on, "")
		for i := range 200 {
			c.say(eventText(on, fmt.Sprint(i)))
			c.wantAnswers(okay)
			ear.wantEvents(t, fmt.Sprint(i))
		}
		c.say(wsHead + "\r\n")
		c.wantAnswers("101")
		c.wantText("pusher:connection_established")
	})
}

// TestEndOfKeepAlive looks at when a connection is closed.
func TestEndOfKeepAlive(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		whole := eventText(on, "a")
		old := func(header string) string {
			return strings.Replace(eventText(on, "a", header), " HTTP/1.1\r\n", " HTTP/1.0\r\n", 1)
		}
		for _, tt := range []struct {
			name, said string
			answers    int
			isHalf     bool // the client ends its half of the connection
		}{
			{"Connection: close", eventText(on, "a", "Connection: close"), 1, false},
			{"Connection: close and another event", eventText(on, "a", "Connection: close") + whole, 1, false},
			{"Connection: close behind another event", whole + eventText(on, "a", "Connection: close"), 2, false},
			{"HTTP/1.0", old("X-A: b"), 1, false},
			{"HTTP/1.0 that is kept", old("Connection: keep-alive"), 1, true},
			{"half closed", whole, 1, true},
			{"half closed after two", whole + whole, 2, true},
			{"half closed after one and a half", whole + whole[:len(whole)/2], 1, true},
			{"half closed without a request", "", 0, true},
			{"a handshake that failed", "GET /app/app-key" + wsHeaders + "\r\n", 1, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := call(t, on, tt.said)
				if tt.isHalf {
					if err := c.CloseWrite(); err != nil {
						t.Fatal(err)
					}
				}
				for range tt.answers {
					if got := c.hear(); got != okay && !strings.HasPrefix(got, "426") {
						t.Fatalf("heard %s", got)
					}
				}
				if strings.Contains(tt.name, "one and a half") { // which may be told so
					_, _ = io.Copy(io.Discard, c)
					return
				}
				c.wantEnd()
			})
		}
	})
}

// TestPassedOn asks for what a loop does not answer itself, and for what it refuses. The connection goes on in each case.
func TestPassedOn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		post := func(body string, headers ...string) string {
			return signed(on, "POST", "/apps/1/events", body, headers...)
		}
		body := func(data, more string) string {
			return `{"name":"n","channel":"news","data":"` + data + `"` + more + `}`
		}
		expecting := post(body("e", ""), "Expect: 100-continue")
		head, rest, _ := strings.Cut(expecting, "\r\n\r\n")
		for _, tt := range []struct {
			name    string
			said    []string // one after the other
			answers []string
			events  []string
		}{
			{"info", []string{post(body("a", `,"info":"subscription_count"`))}, []string{`200 {"channels":{"news":{"subscription_count":1}}}`}, []string{"a"}},
			{"a key in the header", slices.Repeat([]string{post(body("a", ""), "Idempotency-Key: k1")}, 2), []string{okay, okay}, []string{"a"}},
			{"a key in the body", slices.Repeat([]string{post(body("a", `,"idempotency_key":"k2"`))}, 2), []string{okay, okay}, []string{"a"}},
			{"a key for two bodies", []string{post(body("a", ""), "Idempotency-Key: k3"), post(body("b", ""), "Idempotency-Key: k3")}, []string{okay, "422"}, []string{"a"}},
			{"a batch", []string{signed(on, "POST", "/apps/1/batch_events", `{"batch":[`+body("a", "")+`]}`)}, []string{okay}, []string{"a"}},
			{"channels", []string{signed(on, "GET", "/apps/1/channels", "")}, []string{`200 {"channels":{"news":{}}}`}, nil},
			{"a wrong signature", []string{strings.Replace(post(body("a", "")), "auth_signature=", "auth_signature=0", 1)}, []string{"401"}, nil},
			{"no such app", []string{strings.Replace(post(body("a", "")), "/apps/1/", "/apps/2/", 1)}, []string{"404"}, nil},
			{"bad JSON", []string{post(`{"name":`)}, []string{"400"}, nil},
			{"an invalid event", []string{post(`{"name":"n"}`)}, []string{"422"}, nil},
			{"100-continue", []string{head + "\r\n\r\n", rest}, []string{"100", okay}, []string{"e"}},
			{"100-continue with all at once", []string{expecting}, []string{"100"}, []string{"e"}},
			{"another content type", []string{post(body("a", ""), "Content-Type: application/x-www-form-urlencoded")}, []string{okay}, []string{"a"}},
			{"chunks", []string{inChunks(post(body("a", "")))}, []string{okay}, []string{"a"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				ear, c := subscriber(t, on, "ear"), call(t, on, "")
				for i, said := range tt.said {
					c.say(said)
					c.wantAnswers(tt.answers[i])
				}
				if len(tt.said) == 1 && tt.answers[0] == "100" {
					c.wantAnswers(okay)
				}
				c.say(eventText(on, "last"))
				c.wantAnswers(okay)
				ear.wantEvents(t, append(slices.Clone(tt.events), "last")...)
			})
		}
	})
}

// inChunks sends the body of a request in one chunk.
func inChunks(text string) string {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	length := fmt.Sprintf("Content-Length: %d", len(body))
	head = strings.Replace(head, length, "Transfer-Encoding: chunked", 1)
	return fmt.Sprintf("%s\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(body), body)
}

// TestReplayedAnswer repeats a request on connections of its own: the repetition is marked.
func TestReplayedAnswer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		for i, want := range []string{"", "true"} {
			c := call(t, on, eventText(on, "a", "Idempotency-Key: k"))
			response, err := http.ReadResponse(c.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Idempotency-Replayed"); got != want {
				t.Errorf("answer %d is marked with %q, want %q", i+1, got, want)
			}
			response.Body.Close()
		}
	})
}

// TestPeerThatDoesNotRead has somebody ask for much and read nothing of it. Others are served meanwhile.
func TestPeerThatDoesNotRead(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		ear, c := subscriber(t, on, "ear"), call(t, on, "")
		if err := c.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		// Refusals, since their answers are as long as the requests, until nobody takes any more.
		flood := strings.Repeat(postHead+"Content-Length: 2\r\n\r\n{}", 1000)
		full := make(chan int64)
		go func() {
			var n int64
			for c.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
				written, err := io.WriteString(c.TCPConn, flood)
				n += int64(written)
				if err != nil {
					break
				}
			}
			full <- n
		}()
		others := []*caller{call(t, on, ""), call(t, on, ""), call(t, on, "")}
		var taken int64
		for i := 0; taken == 0; i++ {
			o := others[i%len(others)]
			o.say(eventText(on, fmt.Sprint(i)))
			o.wantAnswers(okay)
			ear.wantEvents(t, fmt.Sprint(i))
			select {
			case taken = <-full:
			default:
			}
		}
		if most := int64(64 << 20); taken > most {
			t.Errorf("the server took %d bytes of somebody who reads nothing, want at most %d", taken, most)
		}
	})
}

// TestInspectorMayWait: an inspector waits for loops, so none of them may be the one that asks it.
func TestInspectorMayWait(t *testing.T) {
	apps, known := readApps(t, &script{})
	on := &stage{apps: known, now: time.Now}
	raise(t, on, []server.Broker{scaling.NewLocal()}, server.Config{Apps: apps, Loops: 2, Inspector: askLoops})
	for _, target := range []string{
		"GET /inspector/x", "GET /app/../inspector/x", "GET /apps/%2e%2e/inspector/x", "POST /inspector/events", "POST /inspector/x#/events",
		"POST /apps/1/../../inspector/events",
	} {
		t.Run(target, func(t *testing.T) {
			head := target + wsHeaders
			if strings.HasPrefix(target, "POST") {
				head = target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
			}
			c := call(t, on, head+"\r\n{}"[:2+strings.Count(head, "Content-Length")*2])
			c.wantAnswers("200 all loops answer")
		})
	}
}

// askLoops answers with whether all loops do.
func askLoops(in server.Inspection, ctx *fasthttp.RequestCtx, _ string) bool {
	limited, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ctx.SetBodyString("all loops answer")
	for _, l := range in.Loops(limited) {
		if !l.Answers {
			ctx.SetBodyString("a loop does not answer")
		}
	}
	return true
}

// TestAddressesOfVisitors: who may connect once may do so from each address, which is what a trusted proxy says.
func TestAddressesOfVisitors(t *testing.T) {
	s := &script{files: map[string][]byte{"apps.json": []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret","max_connections_per_ip":1}]`)}}
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			apps, known := readApps(t, s)
			ln, err := net.Listen(network, map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")}[network])
			if err != nil {
				t.Fatal(err)
			}
			on := &stage{apps: known, now: time.Now}
			raiseOn(t, on, ln, scaling.NewLocal(), server.Config{Apps: apps, Loops: 2, TrustUnix: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			for _, tt := range []struct{ forwarded, want string }{
				{"192.0.2.1", "connection_established"},
				{"192.0.2.1", `"code":4100`},
				{"192.0.2.2", "connection_established"},
				{"192.0.2.1, 192.0.2.3", "connection_established"},
				{"192.0.2.2", `"code":4100`},
			} {
				conn, err := net.Dial(network, ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprintf(conn, "%sX-Forwarded-For: %s\r\n\r\n", wsHead, tt.forwarded)
				c := &client{name: "a", conn: conn, r: bufio.NewReader(conn)}
				if got := c.next(); !strings.Contains(got, tt.want) {
					t.Errorf("a client from %s heard %s, want %s", tt.forwarded, got, tt.want)
				}
			}
		})
	}
}

// TestSilentCaller says nothing, and is told so.
func TestSilentCaller(t *testing.T) {
	s := &script{files: map[string][]byte{"server.json": []byte(`{"handshake_timeout":"50ms"}`)}}
	for _, name := range []string{"epoll", "portable"} {
		t.Run(name, func(t *testing.T) {
			c := call(t, openStage(t, s, newEngine(t, name)), "")
			c.wantAnswers("408 The request did not arrive in time.")
			c.wantEnd()
		})
	}
}
