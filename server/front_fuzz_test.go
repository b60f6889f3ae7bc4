package server

import (
	"bufio"
	"bytes"
	"net"
	"testing"

	"github.com/valyala/fasthttp"
)

// frontSeeds are requests that a loop answers, and some that it must not.
var frontSeeds = []string{
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events?auth_key=a HTTP/1.1\r\nHost: x.example:80\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET /up HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Type: multipart/form-data; boundary=a\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}\n",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nX-A: b\rContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: u@x\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1\r\nHost: [::1%25a]\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/%65vents HTTP/1.1\r\nHost: x:\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
	"POST /apps/../apps/1/events#a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/\x01/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"POST http://y/apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.0\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"POST /apps/1/events HTTP/1.1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	"GET /app/k HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
	"GET /app/k?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: a, WebSocket\r\nContent-Length: 0\r\n\r\n\x81\x85abcd",
	"GET /app/k HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
	"GET /app/k HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}

const maxFuzzed = 10_000

// FuzzFront: what a loop takes for a whole request, fasthttp's server reads in the same way, to the same byte.
func FuzzFront(f *testing.F) {
	for _, seed := range frontSeeds {
		f.Add([]byte(seed))
	}
	s := &Server{cfg: Config{MaxRequestSize: maxFuzzed}}
	v := &visitor{peer: &net.TCPAddr{}}
	front := newFront(s)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= readSize {
			return
		}
		front.begin(v, b)
		if !front.readRequest() {
			return
		}
		checkRequest(t, &front, b)
	})
}

// checkRequest reads b as fasthttp's serveConn does.
func checkRequest(t *testing.T, front *front, b []byte) {
	t.Helper()
	var want fasthttp.Request
	whole := bytes.NewReader(b)
	reader := bufio.NewReaderSize(whole, maxFuzzed+1)
	if err := want.ReadLimitBody(reader, maxFuzzed); err != nil {
		t.Fatalf("fasthttp says %v", err)
	}
	if err := want.URI().Parse(want.Header.Host(), want.Header.RequestURI()); err != nil {
		t.Fatalf("fasthttp says %v", err)
	}
	got := &front.ctx.Request
	if rest, wantRest := front.reader.Buffered(), reader.Buffered()+whole.Len(); rest != wantRest {
		t.Errorf("%d bytes are left, want %d", rest, wantRest)
	}
	for name, pair := range map[string][2][]byte{
		"method":  {got.Header.Method(), want.Header.Method()},
		"target":  {got.Header.RequestURI(), want.Header.RequestURI()},
		"headers": {got.Header.RawHeaders(), want.Header.RawHeaders()},
		"head":    {got.Header.Header(), want.Header.Header()},
		"host":    {got.Host(), want.Host()},
		"path":    {got.URI().Path(), want.URI().Path()},
		"URI":     {got.URI().FullURI(), want.URI().FullURI()},
		"body":    {got.Body(), want.Body()},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("the %s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if isAmbiguous(&got.Header) != isAmbiguous(&want.Header) || got.Header.ConnectionClose() != want.Header.ConnectionClose() {
		t.Error("the two differ about what is ambiguous, or the end of the connection")
	}
	if want.MayContinue() || got.IsBodyStream() {
		t.Error("the body is not all there")
	}
}
