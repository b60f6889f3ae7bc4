package server

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// requestSize returns the length of a request, without what the parts of its body come in.
func requestSize(ctx *fasthttp.RequestCtx) int {
	h := &ctx.Request.Header
	line := len(h.Method()) + len(h.RequestURI()) + len(h.Protocol()) + len("  \r\n")
	return line + len(h.RawHeaders()) + len(ctx.Request.Body())
}

// rawSize returns how many bytes of b are those of the request that b begins with, the head of which is h.
func rawSize(h *fasthttp.RequestHeader, b []byte) int {
	size := headSize(b)
	if hasLine(h, fasthttp.HeaderTransferEncoding) {
		size += chunksSize(b[size:])
	} else {
		size += max(h.ContentLength(), 0)
	}
	return min(size, len(b))
}

// afterEmptyLines returns what follows the empty lines that may stand before a request (RFC 9112, section 2.2).
func afterEmptyLines(b []byte) []byte { return bytes.TrimLeft(b, "\r\n") }

// headSize returns the length of the head that b begins with, or 0 if it is not all there.
func headSize(b []byte) int {
	rest := afterEmptyLines(b)
	for {
		line, after, isLine := bytes.Cut(rest, []byte("\n"))
		if !isLine {
			return 0
		}
		if rest = after; len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			return len(b) - len(rest)
		}
	}
}

// chunksSize returns the length of the chunks and the trailer that b begins with. fasthttp has read them and has no
// objections.
func chunksSize(b []byte) int {
	rest := b
	for size := -1; size != 0; {
		if size = chunkSize(cutLine(&rest)); size > 0 {
			rest = rest[min(size+len("\r\n"), len(rest)):]
		}
	}
	for len(cutLine(&rest)) > 0 { // an empty line ends the trailer
	}
	return len(b) - len(rest)
}

// cutLine takes the first line off b, and returns it without its end.
func cutLine(b *[]byte) (line []byte) {
	line, *b, _ = bytes.Cut(*b, []byte("\r\n"))
	return line
}

// chunkSize returns the number that the first line of a chunk begins with.
func chunkSize(line []byte) (size int) {
	for _, c := range line {
		digit := strings.IndexByte("0123456789abcdef", lower(c))
		if digit < 0 {
			break
		}
		size = size<<4 | digit
	}
	return size
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}
