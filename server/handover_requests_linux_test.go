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

// status waits for an answer and returns its status.
func (c *relayClient) status() int {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode
}

// TestHandoverAfterRequests hands over connections on which requests of every form have been answered, and another one has
// begun to come in the same packet or not.
func TestHandoverAfterRequests(t *testing.T) {
	const form = "--b\r\ncontent-disposition: form-data; name=a\r\n\r\nv\r\n--b--\r\n"
	posted := "POST /up HTTP/1.1\r\nHost: x\r\n"
	for name, text := range map[string]string{
		"no body":           upText,
		"empty lines":       "\r\n\r\n" + upText,
		"a body":            posted + "Content-Length: 3\r\n\r\nabc",
		"a line after that": posted + "Content-Length: 3\r\n\r\nabc\r\n",
		"a form":            posted + fmt.Sprintf("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s", len(form), form),
		"chunks":            posted + "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
	} {
		for _, begun := range []int{0, 1, 10, len(upText) - 1} {
			t.Run(fmt.Sprintf("%s and %d bytes", name, begun), func(t *testing.T) {
				t.Parallel()
				r := newRelay(t, func(*auth.App) {})
				c := r.ask()
				c.write([]byte(text + upText[:begun]))
				c.status()
				r.awaitRequests(1)
				if moved := r.handOver(); moved.Requests != 1 {
					t.Errorf("%d connections were handed over, want 1", moved.Requests)
				}
				c.write([]byte(upText[begun:]))
				if got := c.status(); got != http.StatusOK {
					t.Errorf("the next request was answered with %d", got)
				}
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
	other.status()
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
	if got := other.status(); got != http.StatusOK {
		t.Errorf("who was handed over was answered with %d", got)
	}
	if first, second := slow.status(), slow.status(); first != http.StatusOK || second != http.StatusRequestTimeout {
		t.Errorf("who has begun another request was answered with %d and %d, want 200 and 408", first, second)
	}
	slow.ended()
}

// TestEndlessChunk sends a chunk whose first line does not end: no more of it is kept than of a request that is too large.
func TestEndlessChunk(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	c := r.ask()
	c.write([]byte("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;" + strings.Repeat("a", 1<<20)))
	if got := c.status(); got != http.StatusBadRequest {
		t.Errorf("answered with %d, want 400", got)
	}
}
