package pusher

import (
	"bytes"
	"fmt"
	"strconv"
)

// response is an answer of the HTTP API.
type response struct {
	status int
	body   []byte // borrowed
	closes bool   // the server will close the connection
}

// problem returns nil if all is well, or what the server said.
func (r response) problem() error {
	if r.status == 200 {
		return nil
	}
	const enough = 120
	return fmt.Errorf("HTTP %d %s", r.status, r.body[:min(len(r.body), enough)])
}

// parseResponse reads the first response of b. n is its length, or 0 if it is not complete.
func parseResponse(b []byte) (r response, n int, err error) {
	i := bytes.Index(b, headEnd)
	if i < 0 {
		return r, 0, nil
	}
	head, rest := b[:i+2], b[i+len(headEnd):]
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("HTTP/1.")) {
		return r, 0, errNoHTTP
	}
	if r.status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return r, 0, errNoHTTP
	}
	connection := header(head, "connection")
	r.closes = bytes.EqualFold(connection, []byte("close")) ||
		head[7] == '0' && !bytes.EqualFold(connection, []byte("keep-alive"))
	if bytes.EqualFold(header(head, "transfer-encoding"), []byte("chunked")) {
		r.body, n, err = parseChunks(rest)
	} else {
		r.body, n, err = parseSized(rest, header(head, "content-length"))
	}
	if n < 0 || err != nil {
		return r, 0, err
	}
	return r, i + len(headEnd) + n, nil
}

// parseSized reads a body of known size. n is -1 if it is not complete.
func parseSized(b, length []byte) (body []byte, n int, err error) {
	if length == nil {
		// Without a length the body would end with the connection, which no API does.
		return nil, 0, nil
	}
	n, err = strconv.Atoi(string(length))
	if err != nil || n < 0 {
		return nil, 0, errNoHTTP
	}
	if len(b) < n {
		return nil, -1, nil
	}
	return b[:n], n, nil
}

// parseChunks reads a chunked body. n is -1 if it is not complete.
func parseChunks(b []byte) (body []byte, n int, err error) {
	for {
		line, after, ok := bytes.Cut(b[n:], []byte("\r\n"))
		if !ok {
			return nil, -1, nil
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 24)
		if err != nil {
			return nil, 0, errNoHTTP
		}
		if len(after) < int(size)+2 {
			return nil, -1, nil
		}
		body = append(body, after[:size]...)
		n += len(line) + 2 + int(size) + 2
		if size == 0 {
			return body, n, nil
		}
	}
}
