package auth

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxParams is PHP's limit, and so Laravel Reverb's.
const maxParams = 1000

var newline = []byte("\n")

// Request is what the signature of an HTTP API request covers.
type Request struct {
	Method string
	Path   []byte // as on the request line, without the query
	Query  []byte // as on the request line, without "?"
	Body   []byte // as received

	Room *Room // to work in; nil for memory of its own
}

// Room is memory for one request at a time, for whoever verifies many. Its zero value is ready. Between two requests it keeps
// what the last one lent.
type Room struct{ used query }

func (r *Room) query() *query {
	if r == nil {
		return new(query)
	}
	return &r.used
}

// RequestError says why a request is refused, in words meant for whoever sent it.
type RequestError struct {
	Status  int // of the HTTP answer
	Message string
}

func (e *RequestError) Error() string { return e.Message }

var (
	errSignature  = &RequestError{401, "Authentication signature invalid."}
	errUnknownKey = &RequestError{401, "Unknown auth_key"}
	errVersion    = &RequestError{401, "Version not supported"}
)

// VerifyRequest returns nil if r is signed with the app's secret, or a [*RequestError]. prefix is the
// part of the path in front of "/apps/", in any of the forms "ws", "/ws" and "/ws/"; a request may
// be signed with it, as it arrives, or without, as Reverb and the PHP library do. It keeps nothing of r
// but what is in its Room.
//
// The signature comes first. Key, version and clock are judged only in what it covers, so that an
// unsigned caller cannot ask about our clock, while a signer whose clock is wrong is told so. The key
// alone is also named when the signature is bad: it is public, and taking another app's
// credentials spoils both.
//
// The string to sign is tried in each of 4 spellings with at most 4 paths: never more than 16 HMACs,
// and one for the usual request.
func (a *App) VerifyRequest(r Request, prefix string, now time.Time) error {
	if bytes.Count(r.Query, ampersand) >= maxParams {
		return errSignature
	}
	var (
		room  [4][]byte
		paths = appendPaths(room[:0], r.Path, prefix)
		q     = r.Room.query().start(r.Query, r.Body)
		tried [spellings][]byte
		key   []byte
	)
	for s := range spellings {
		c := q.spell(s)
		if slices.ContainsFunc(tried[:s], func(line []byte) bool { return bytes.Equal(line, c.line) }) {
			continue
		}
		tried[s] = c.line
		for _, path := range paths {
			if a.verify(c.signature, []byte(r.Method), newline, path, newline, c.line) {
				return a.checkSigned(c, now)
			}
		}
		if s == decoded {
			key = c.key
		}
	}
	if key != nil && string(key) != a.Key {
		return errUnknownKey
	}
	return errSignature
}

// appendPaths appends the forms of path a library may have signed, the most usual first.
func appendPaths(dst [][]byte, path []byte, prefix string) [][]byte {
	if bare, ok := withoutPrefix(path, prefix); ok {
		dst = append(dst, bare)
	}
	dst = append(dst, path)
	if !bytes.ContainsRune(path, '%') {
		return dst
	}
	// A channel or user id in the path is escaped by some libraries after signing, by others before.
	// A line break would let the path run into the next line of the string to sign.
	for _, p := range dst {
		if p = appendUnescaped(nil, p, false); !bytes.Contains(p, newline) {
			dst = append(dst, p)
		}
	}
	return dst
}

func withoutPrefix(path []byte, prefix string) ([]byte, bool) {
	prefix = strings.Trim(prefix, "/")
	n := 1 + len(prefix)
	if n == 1 || len(path) <= n || path[0] != '/' || string(path[1:n]) != prefix || path[n] != '/' {
		return nil, false
	}
	return path[n:], true
}

// checkSigned judges what a good signature covers.
func (a *App) checkSigned(c signed, now time.Time) error {
	switch {
	case c.key == nil || c.version == nil:
		return errSignature
	case string(c.key) != a.Key:
		return errUnknownKey
	case string(c.version) != "1.0":
		return errVersion
	case a.TimestampTolerance == 0:
		return nil
	}
	seconds, err := strconv.ParseInt(string(c.timestamp), 10, 64)
	if err != nil {
		return errSignature
	}
	if given := time.Unix(seconds, 0); now.Sub(given).Abs() > a.TimestampTolerance {
		return a.errExpired(given, now)
	}
	return nil
}

// errExpired is worded as Pusher does: people search for it, and it shows which clock is wrong.
func (a *App) errExpired(given, now time.Time) error {
	return &RequestError{401, fmt.Sprintf("Timestamp expired: Given timestamp (%s) not within %ds of server time (%s)",
		given.UTC().Format(time.RFC3339), a.TimestampTolerance/time.Second, now.UTC().Format(time.RFC3339))}
}

// SignRequest returns the query of a request with the given parameters that is signed as of now.
// path is as it will stand on the request line.
func (a *App) SignRequest(method, path string, parameters url.Values, body []byte, now time.Time) string {
	q := new(query).start(nil, body)
	values := url.Values{}
	maps.Copy(values, parameters)
	values.Del("auth_signature")
	values.Set("auth_key", a.Key)
	values.Set("auth_timestamp", strconv.FormatInt(now.Unix(), 10))
	values.Set("auth_version", "1.0")
	if len(body) > 0 {
		values.Set("body_md5", string(q.body.hex[:]))
	}
	// Encode writes a space as "+", which not every server reads as one.
	raw := strings.ReplaceAll(values.Encode(), "+", "%20")
	q.raw = []byte(raw)
	sum := a.mac.hex([]byte(method), newline, []byte(path), newline, q.spell(decoded).line)
	return raw + "&auth_signature=" + string(sum[:])
}
