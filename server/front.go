package server

import (
	"bufio"
	"bytes"
	"os"

	"github.com/valyala/fasthttp"
)

// A front reads and writes the requests that a loop answers. It is fasthttp's own parser that reads them.
type front struct {
	server *Server
	ctx    fasthttp.RequestCtx
	bytes  bytes.Reader
	reader *bufio.Reader
	out    []byte
}

func newFront(s *Server) front {
	return front{server: s, reader: bufio.NewReaderSize(nil, readSize)}
}

// errLate is for a client that has sent nothing.
var errLate = os.ErrDeadlineExceeded

// begin makes f ready for a request of v, which begins with b.
func (f *front) begin(v *visitor, b []byte) {
	f.bytes.Reset(b)
	f.reader.Reset(&f.bytes)
	f.ctx.Request.Reset()
	f.ctx.Response.Reset()
	f.ctx.Init2(v, httpLog{f.server}, false)
	f.ctx.Response.Header.SetNoDefaultContentType(true)
	f.ctx.Response.Header.SetServer(serverName)
}

var (
	getPrefix  = []byte("GET /")
	postPrefix = []byte("POST /")
)

// readRequest reports whether what has come is a whole request that a loop may answer. It is strict, because
// whatever is not to its liking goes to fasthttp and loses nothing.
func (f *front) readRequest() bool {
	begin, _ := f.reader.Peek(len(postPrefix))
	isPost := bytes.Equal(begin, postPrefix)
	if !isPost && !bytes.HasPrefix(begin, getPrefix) {
		return false
	}
	if whole, _ := f.reader.Peek(f.reader.Buffered()); endsBare(whole) {
		return false
	}
	h := &f.ctx.Request.Header
	if h.Read(f.reader) != nil || !h.IsHTTP11() || f.ctx.Request.MayContinue() || !isUsualHost(h.Host()) || bytes.Contains(h.RequestURI(), []byte("://")) {
		return false
	}
	if !isPost {
		return asksForWebSocket(h) && !hasBody(h)
	}
	size := h.ContentLength()
	if size <= 0 || size > f.reader.Buffered() || len(h.MultipartFormBoundary()) > 0 {
		return false
	}
	return f.ctx.Request.ReadBody(f.reader, size, size) == nil
}

// isUsualHost reports whether fasthttp cannot object to a host.
func isUsualHost(host []byte) bool {
	name, port, _ := bytes.Cut(host, []byte(":"))
	for _, c := range name {
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && c != '.' && c != '-' {
			return false
		}
	}
	for _, c := range port {
		if !isDigit(c) {
			return false
		}
	}
	return len(name) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// answer returns the answer as it goes over the wire, valid until the next.
func (f *front) answer() []byte {
	response := &f.ctx.Response
	response.Header.SetContentLength(len(response.Body()))
	f.out = append(response.Header.AppendBytes(f.out[:0]), response.Body()...)
	return f.out
}
