package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// What follows each request in the same packet: a request that would be answered with 200.
const smuggled = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"

const (
	postHead  = "POST /apps/1/events HTTP/1.1\r\nHost: x\r\n"
	chunked   = postHead + "Transfer-Encoding: chunked\r\n\r\n"
	upHead    = "GET /up HTTP/1.1\r\nHost: x\r\n"
	wsHeaders = " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	wsHead    = "GET /app/app-key" + wsHeaders + "Sec-WebSocket-Version: 13\r\n"
)

// A smuggling is a request that a proxy in front may delimit in another way than the server, or take for a handshake that has
// succeeded.
type smuggling struct{ name, request string }

// refusedSmugglings are requests after which nothing may be read, whatever they are answered with.
var refusedSmugglings = []smuggling{
	{"a length and a coding", postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"a coding and a length", postHead + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n"},
	{"a length and a coding without a body", upHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"a length and the coding identity", postHead + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n{}\n"},
	{"a length twice", postHead + "Content-Length: 3\r\nContent-Length: 0\r\n\r\n{}\n"},
	{"the same length twice", postHead + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n{}\n"},
	{"a list of lengths", postHead + "Content-Length: 3, 3\r\n\r\n{}\n"},
	{"a length with a sign", postHead + "Content-Length: +3\r\n\r\n{}\n"},
	{"a negative length", postHead + "Content-Length: -1\r\n\r\n{}\n"},
	{"a hexadecimal length", postHead + "Content-Length: 0x3\r\n\r\n{}\n"},
	{"an empty length", postHead + "Content-Length:\r\n\r\n{}\n"},
	{"a length that overflows", postHead + "Content-Length: 18446744073709551619\r\n\r\n{}\n"},
	{"white space before a colon", postHead + "Content-Length : 3\r\n\r\n{}\n"},
	{"a length on a folded line", postHead + "Content-Length:\r\n 3\r\n\r\n{}\n"},
	{"a folded line that looks like a length", postHead + "X-A: b\r\n Content-Length: 3\r\n\r\n{}\n"},
	{"a coding on a folded line", postHead + "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n"},
	{"a folded first line", "GET /up HTTP/1.1\r\n Host: x\r\n\r\n"},
	{"a coding twice", postHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
	{"two codings", postHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
	{"chunked not last", postHead + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
	{"an unknown coding", postHead + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
	{"a coding in quotes", postHead + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
	{"a coding after a control character", postHead + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"},
	{"a coding in HTTP/1.0", "POST /apps/1/events HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"a chunk with a sign", chunked + "+2\r\n{}\r\n0\r\n\r\n"},
	{"a chunk with 0x", chunked + "0x2\r\n{}\r\n0\r\n\r\n"},
	{"a chunk that overflows", chunked + "10000000000000002\r\n{}\r\n0\r\n\r\n"},
	{"a bare LF after the size of a chunk", chunked + "2\n{}\r\n0\r\n\r\n"},
	{"a bare LF in a chunk's extension", chunked + "2;a\nxx\r\n{}\r\n0\r\n\r\n"},
	{"a bare LF after a chunk", chunked + "2\r\n{}\n0\r\n\r\n"},
	{"bare LFs at the end of chunks", chunked + "2\r\n{}\r\n0\n\n"},
	{"a trailer that was not announced", chunked + "0\r\nContent-Length: 30\r\n\r\n"},
	{"a trailer that may be none", postHead + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 3\r\n\r\n"},
	{"bare LFs", "GET /up HTTP/1.1\nHost: x\n\n"},
	{"a bare LF after the first line", "GET /up HTTP/1.1\nHost: x\r\n\r\n"},
	{"a length after a first line with a bare LF", "POST /apps/1/events HTTP/1.1\nContent-Length: 3\r\nHost: x\r\n\r\n{}\n"},
	{"a handshake after a first line with a bare LF", strings.Replace(wsHead, "\r\n", "\n", 1) + "\r\n"},
	{"a bare LF in the head", upHead + "X-A: b\nContent-Length: 3\r\n\r\n{}\n"},
	{"a bare LF at the end of the head", postHead + "Content-Length: 3\r\n\n{}\n"},
	{"a bare CR in the head", postHead + "X-A: b\rContent-Length: 3\r\n\r\n{}\n"},
	{"a NUL in the head", upHead + "X-A: b\x00c\r\n\r\n"},
	{"two hosts", upHead + "Host: y\r\n\r\n"},
	{"no version", "GET /up\r\n\r\n"},
	{"a version in the path", "GET /up HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"another version", "GET /up HTTP/2.0\r\nHost: x\r\n\r\n"},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	{"a head that is too large", upHead + "X-A: " + strings.Repeat("a", 20_000) + "\r\n\r\n"},
	{"a body that is too large", postHead + "Content-Length: 20000\r\n\r\n" + strings.Repeat("a", 20_000)},

	{"a handshake with a body", wsHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(smuggled))},
	{"a handshake with a body, and more", wsHead + "Content-Length: 5\r\n\r\nhello"},
	{"a handshake with chunks", wsHead + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"a handshake with a length and a coding", wsHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"a handshake with a length twice", wsHead + "Content-Length: 0\r\nContent-Length: 29\r\n\r\n"},
	{"a handshake of another version", "GET /app/app-key" + wsHeaders + "Sec-WebSocket-Version: 1\r\n\r\n"},
	{"a handshake elsewhere", "GET /up" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
	{"a handshake by POST", "POST /app/app-key" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
}

// TestSmuggling sends each request together with the next one, which must not be answered: the connection is closed.
func TestSmuggling(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		for _, tt := range refusedSmugglings {
			t.Run(tt.name, func(t *testing.T) {
				got := statuses(t, sayAll(t, on, tt.request+smuggled))
				if len(got) != 1 || got[0] == "101" {
					t.Errorf("answered with %v, want one answer and no WebSocket", got)
				}
			})
		}
	})
}

// TestPipelining sends what is unusual, but can be read in one way only.
func TestPipelining(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		for _, tt := range []struct {
			smuggling
			want string
		}{
			{smuggling{"two requests", smuggled}, "200 200"},
			{smuggling{"empty lines before", "\r\n\r\n" + smuggled}, "200 200"},
			{smuggling{"a body where none is looked for", upHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(smuggled))}, "200"},
			{smuggling{"a request as a body", postHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled}, "401 200"},
			{smuggling{"a request in a chunk", chunked + fmt.Sprintf("%x\r\n", len(smuggled)) + smuggled + "\r\n0\r\n\r\n"}, "401 200"},
			{smuggling{"an extension of a chunk", chunked + "2;a=b\r\n{}\r\n0\r\n\r\n"}, "401 200"},
			{smuggling{"a trailer that was announced", postHead + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n0\r\nX-A: b\r\n\r\n"}, "401 200"},
			{smuggling{"an offer of HTTP/2", upHead + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"}, "200 200"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := sayAll(t, on, tt.request+smuggled)
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(statuses(t, c), " "); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	})
}

// TestUpgradeEndsHTTP sends a request right after a handshake: it is a frame now, and a bad one.
func TestUpgradeEndsHTTP(t *testing.T) {
	onBothEngines(t, func(t *testing.T, on *stage) {
		for _, tt := range []smuggling{
			{"an app", wsHead + "\r\n"},
			{"an app, and an empty body", wsHead + "Content-Length: 0\r\n\r\n"},
			{"no app", "GET /app/nobody" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
			{"a path that is none", "GET /app/app/app-key" + wsHeaders + "Sec-WebSocket-Version: 13\r\n\r\n"},
			{"after another request", smuggled + wsHead + "\r\n"},
			{"after a body", postHead + "Content-Length: 3\r\n\r\n{}\n" + wsHead + "\r\n"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := statuses(t, sayAll(t, on, tt.request+smuggled))
				if len(got) == 0 || got[len(got)-1] != "101" {
					t.Errorf("answered with %v, want a WebSocket last", got)
				}
			})
		}
	})
}

func onBothEngines(t *testing.T, test func(*testing.T, *stage)) {
	for _, name := range []string{"epoll", "portable"} {
		t.Run(name, func(t *testing.T) { test(t, openStage(t, &script{}, newEngine(t, name))) })
	}
}

// sayAll opens a connection and says all of it at once.
func sayAll(t *testing.T, on *stage, said string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", on.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, said); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// statuses returns those of all answers until the server closes the connection, or the WebSocket that it has become.
func statuses(t *testing.T, c net.Conn) (heard []string) {
	t.Helper()
	for r := bufio.NewReader(c); ; {
		response, err := http.ReadResponse(r, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return heard
		}
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, fmt.Sprint(response.StatusCode))
		if response.StatusCode == http.StatusSwitchingProtocols {
			hearFrames(t, r)
			return heard
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// hearFrames reads frames until one says that it was the last.
func hearFrames(t *testing.T, r io.Reader) {
	t.Helper()
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			t.Fatalf("after the 101: %v", err)
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(r, payload); err != nil {
			t.Fatalf("after the 101: %v", err)
		}
		switch h.OpCode {
		case ws.OpClose:
			return
		case ws.OpText:
		default:
			t.Fatalf("after the 101: %q", payload)
		}
	}
}
