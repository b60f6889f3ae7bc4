package server

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzRawSize: a request takes as many bytes of what has come as fasthttp's server reads for it.
func FuzzRawSize(f *testing.F) {
	const next = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, seed := range append(frontSeeds,
		"\r\n\r\n"+next,
		"\n\r\n"+next,
		next,
		"GET /up HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"POST /up HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 57\r\n\r\n--b\r\ncontent-disposition: form-data; name=a\r\n\r\nv\r\n--b--\r\n",
		"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nC\r\n"+strings.Repeat("x", 12)+"\r\n000\r\n\r\n",
		"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n\r\n\r\n00a \r\n0123456789\r\n0\r\nX-A: b\r\n\r\n",
		"POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
	) {
		f.Add([]byte(seed))
		f.Add([]byte(seed + next))
		f.Add([]byte(seed + "\r\n" + next))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r fasthttp.Request
		whole := bytes.NewReader(b)
		reader := bufio.NewReaderSize(whole, maxFuzzed+1)
		if r.Header.Read(reader) != nil || r.ContinueReadBody(reader, maxFuzzed, false) != nil || isAmbiguous(&r.Header) {
			return
		}
		if got, want := rawSize(&r.Header, b), len(b)-reader.Buffered()-whole.Len(); got != want {
			t.Errorf("the request takes %d bytes of %q, want %d", got, b, want)
		}
	})
}

// TestHeadSize: a head is there when it is all there, and no sooner.
func TestHeadSize(t *testing.T) {
	for _, head := range []string{
		"GET /up HTTP/1.1\r\nHost: x\r\n\r\n",
		"\r\n\n\r\nPOST /up HTTP/1.1\r\nContent-Length: 10\r\n\r\n",
		"GET /up HTTP/1.0\n\n",
	} {
		for n := range head {
			if got := headSize([]byte(head[:n])); got != 0 {
				t.Errorf("%q is taken for a head of %d bytes", head[:n], got)
			}
		}
		if got := headSize([]byte(head + "\r\n\r\n")); got != len(head) {
			t.Errorf("%q is taken for a head of %d bytes, want %d", head, got, len(head))
		}
	}
}
