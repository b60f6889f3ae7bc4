package server

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// A proxy in front has to see the same requests as we do. What it takes for the body of one, or for bytes
// of a WebSocket, and we for another request, it has not checked. So whatever can be read in two ways is refused, and
// nothing that follows it on the connection is read.

// isAmbiguous reports whether recipients may differ about the headers of a request. RFC 9112 leaves it to them
// whether a bare LF ends a line (2.2) and a line that begins with white space is unfolded (5.2), and of a length together with
// a transfer coding it says that it "might indicate an attempt to perform request smuggling" (6.3).
func isAmbiguous(h *fasthttp.RequestHeader) bool {
	hasLength, hasCoding := false, false
	for line := range bytes.Lines(h.RawHeaders()) {
		if !bytes.HasSuffix(line, []byte("\r\n")) || line[0] == ' ' || line[0] == '\t' {
			return true
		}
		hasLength = hasLength || isNamed(line, fasthttp.HeaderContentLength)
		hasCoding = hasCoding || isNamed(line, fasthttp.HeaderTransferEncoding)
	}
	return hasLength && hasCoding
}

// endsBare reports whether the first line of a request, of which fasthttp keeps nothing but the words, ends with a bare LF.
func endsBare(b []byte) bool {
	line, _, isWhole := bytes.Cut(afterEmptyLines(b), []byte("\n"))
	return isWhole && !bytes.HasSuffix(line, []byte("\r"))
}

// isNamed reports whether a line is a header of that name.
func isNamed(line []byte, name string) bool {
	return len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name))
}

// hasLine reports whether a header came with a request, even one that fasthttp has taken out since.
func hasLine(h *fasthttp.RequestHeader, name string) bool {
	for line := range bytes.Lines(h.RawHeaders()) {
		if isNamed(line, name) {
			return true
		}
	}
	return false
}

// hasBody reports whether a request announced a body.
func hasBody(h *fasthttp.RequestHeader) bool {
	return h.ContentLength() > 0 || hasLine(h, fasthttp.HeaderTransferEncoding)
}

// asksForWebSocket reports whether a request is meant as a handshake, whatever is wrong with it.
func asksForWebSocket(h *fasthttp.RequestHeader) bool {
	return hasToken(h.PeekAll("Upgrade"), "websocket")
}
