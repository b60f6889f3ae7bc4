package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

const upText = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"

// status waits for the answer to a request and returns its status.
func (c *relayClient) status(method string) int {
	c.t.Helper()
	for {
		response, err := http.ReadResponse(c.in, &http.Request{Method: method})
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			c.t.Fatal(err)
		}
		if response.StatusCode != http.StatusContinue {
			return response.StatusCode
		}
	}
}

// oddRequests are such that their length is not as plain as it looks. They are answered, whatever with, and the connection stays.
func oddRequests(r *relay) map[string]string {
	const (
		up     = "GET /up HTTP/1.1\r\nHost: x\r\n"
		post   = "POST /apps/1/events HTTP/1.1\r\nHost: x\r\n"
		chunks = post + "Transfer-Encoding: chunked\r\n"
		parts  = "preamble\r\n--b\r\nCONTENT-DISPOSITION:form-data;name=\"a\"\r\n\r\nx\r\n--b--\r\nepilogue"
	)
	length := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }
	return map[string]string{
		"without a body":              up + "\r\n",
		"after an empty line":         "\r\n" + up + "\r\n",
		"after a bare line feed":      "\n" + up + "\r\n",
		"an event after empty lines":  "\r\n\r\n" + r.event("odd"),
		"of length 0":                 post + length(""),
		"before an empty line":        post + length("{}") + "\r\n",
		"GET with a body":             up + length("{}"),
		"HEAD":                        strings.Replace(up, "GET", "HEAD", 1) + "\r\n",
		"in HTTP/1.0":                 "GET /up HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"in chunks":                   chunks + "\r\n1\r\n{\r\n1;ab=\"12\"\r\n}\r\n0\r\n\r\n",
		"in no chunks":                chunks + "\r\n0\r\n\r\n",
		"in chunks with a trailer":    chunks + "Trailer: X-A\r\n\r\n0000A \r\n0123456789\r\n0;x\r\nX-A: b\r\n\r\n",
		"of several parts":            post + "Content-Type: multipart/form-data; boundary=b\r\n" + length(parts),
		"with an expectation of ours": post + "Expect: 100-continue\r\n" + length("{}"),
	}
}

// TestHandoverBetweenRequests hands over connections on which one request is answered, and the next has begun to arrive in the same
// packet.
func TestHandoverBetweenRequests(t *testing.T) {
	for name := range oddRequests(newRelay(t, func(*auth.App) {})) {
		for _, come := range []int{0, 1, len("POST /apps/1/events?")} {
			t.Run(fmt.Sprintf("%s, and %d bytes", name, come), func(t *testing.T) {
				r := newRelay(t, func(*auth.App) {})
				c, odd, next := r.ask(), oddRequests(r)[name], r.event("next")
				method, _, _ := strings.Cut(strings.TrimLeft(odd, "\r\n"), " ")
				c.write([]byte(odd + next[:come]))
				c.status(method)
				if moved := r.handOver(); moved.Requests != 1 {
					t.Errorf("%d connections were handed over, want 1", moved.Requests)
				}
				c.publishes(next[come:])
			})
		}
	}
}

// awaitDeaf waits until an answer finds no room for a while.
func (r *relay) awaitDeaf() {
	r.t.Helper()
	isWaiting := func() bool {
		r.server.httpMu.Lock()
		defer r.server.httpMu.Unlock()
		for c := range r.server.httpConns {
			c.mu.Lock()
			awaits := c.awaits
			c.mu.Unlock()
			if awaits == roomForWrite {
				return true
			}
		}
		return false
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(relayPatience)
	for times := 0; times < 50; <-ticker.C {
		if times++; !isWaiting() {
			times = 0
		}
		if time.Now().After(deadline) {
			r.t.Fatal("all answers can be written")
		}
	}
}

// TestHandoverDespiteClients hands over while clients keep answers from being written: one that does not read, and one
// that has begun another request, behind which fasthttp keeps the answer back.
func TestHandoverDespiteClients(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	deaf, slow, other := r.ask(), r.ask(), r.ask()
	slow.write([]byte(upText + "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"))
	other.write([]byte(upText))
	other.status(http.MethodGet)
	go func() { // ends with the connection
		for many := bytes.Repeat([]byte(upText), 1000); ; {
			if _, err := deaf.conn.Write(many); err != nil {
				return
			}
		}
	}()
	r.awaitDeaf()
	if moved := r.handOver(); moved.Requests != 1 {
		t.Errorf("%d connections were handed over, want 1", moved.Requests)
	}
	other.write([]byte(upText))
	if got := other.status(http.MethodGet); got != http.StatusOK {
		t.Errorf("who was handed over was answered with %d", got)
	}
	if first, second := slow.status(http.MethodGet), slow.status(http.MethodPost); first != http.StatusOK || second != http.StatusRequestTimeout {
		t.Errorf("who has begun another request was answered with %d and %d, want 200 and 408", first, second)
	}
	slow.ended()
}

// TestEndlessChunk sends a chunk whose first line does not end: no more of it is kept than of a request that is too large.
func TestEndlessChunk(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	c := r.ask()
	c.write([]byte("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;" + strings.Repeat("a", 1<<20)))
	if got := c.status(http.MethodPost); got != http.StatusBadRequest {
		t.Errorf("answered with %d, want 400", got)
	}
}
