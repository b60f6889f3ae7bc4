package auth

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"slices"
)

// A spelling is a way to write the parameters of a request into the string to sign. Libraries
// disagree: most sign what their caller gave and send it escaped or not, PHP joins lists, Ruby does
// not. A request does not say which library made it, so these are tried until one fits.
type spelling int

const (
	decoded     spelling = iota // names lower-cased, values percent-decoded, "+" staying "+"
	formDecoded                 // the same with "+" as a space: Java, PHP
	asSent                      // the same with values as on the wire: Go, Node, Python, .NET do not escape
	reverb                      // what Laravel Reverb signs: values as formDecoded, names as [phpName] says

	spellings
)

var (
	ampersand   = []byte("&")
	equals      = []byte("=")
	bodyMD5Name = []byte("body_md5")
)

// query is the parameters of a request, to be spelled in several ways.
type query struct {
	raw  []byte // as on the request line
	body bodyMD5

	params []param // of the latest spelling
	text   []byte  // decoded parts and joined lines; only ever appended to, so that slices of it stay valid

	// Where params and text start, so that a usual request costs one allocation, or none in a Room.
	paramsRoom [8]param
	textRoom   [256]byte
}

// start makes q the query of a request.
func (q *query) start(raw, body []byte) *query {
	q.raw, q.body = raw, newBodyMD5(body)
	q.params, q.text = q.paramsRoom[:0], q.textRoom[:0]
	return q
}

// param is one parameter in some spelling.
type param struct {
	name, value []byte
	list        bool // an element of a PHP array, to be joined with its neighbours
}

// signed is a request as one spelling reads it. What is checked once the signature is known to be
// good is taken from here and not from a second reading of the query: it is then what was signed.
type signed struct {
	line                                    []byte // the parameters in the string to sign
	signature, key, timestamp, version, md5 []byte // nil when missing
}

// spell reads the query in spelling s.
func (q *query) spell(s spelling) signed {
	var out signed
	q.params = q.params[:0]
	for rest, pair := q.raw, []byte(nil); len(rest) > 0; {
		pair, rest, _ = bytes.Cut(rest, ampersand)
		if len(pair) == 0 {
			continue
		}
		if p := q.param(pair, s); out.take(p) {
			q.params = append(q.params, p)
		}
	}
	if md5 := q.body.toSign(out.md5, s); md5 != nil {
		q.params = append(q.params, param{name: bodyMD5Name, value: md5})
	}
	slices.SortStableFunc(q.params, func(a, b param) int { return bytes.Compare(a.name, b.name) })
	out.line = q.join()
	return out
}

// take notes p if it is one of the parameters that prove something, and reports whether it is signed
// as it stands.
func (out *signed) take(p param) bool {
	switch string(p.name) {
	case "auth_signature":
		if !p.list { // Reverb refuses a list here
			out.signature = p.value
		}
		return false
	case "body_md5":
		out.md5 = p.value
		return false
	case "appId", "appKey", "channelName":
		return false // names of Reverb's route parameters; only its spelling keeps the upper case
	case "auth_key":
		out.key = p.value
	case "auth_timestamp":
		out.timestamp = p.value
	case "auth_version":
		out.version = p.value
	}
	return true
}

// join appends the parameters to q.text as "name=value&name=value" and returns that.
func (q *query) join() []byte {
	start := len(q.text)
	for i, p := range q.params {
		switch {
		case i == 0:
		case p.list && q.params[i-1].list && bytes.Equal(p.name, q.params[i-1].name):
			q.text = append(append(q.text, ','), p.value...)
			continue
		default:
			q.text = append(q.text, '&')
		}
		q.text = append(append(append(q.text, p.name...), '='), p.value...)
	}
	return q.text[start:]
}

func (q *query) param(pair []byte, s spelling) param {
	name, value, _ := bytes.Cut(pair, equals)
	p := param{name: name, value: value}
	if !plainName(name) {
		p.name = q.unescape(name, true)
		if s == reverb {
			p.name, p.list = phpName(p.name)
		} else {
			lower(p.name)
		}
	}
	if s != asSent && bytes.ContainsAny(value, "%+") {
		p.value = q.unescape(value, s != decoded)
	}
	return p
}

// unescape returns s decoded, in q.text.
func (q *query) unescape(s []byte, plusIsSpace bool) []byte {
	start := len(q.text)
	q.text = appendUnescaped(q.text, s, plusIsSpace)
	return q.text[start:]
}

// appendUnescaped appends s percent-decoded. What is no escape stays as it is, as in every library.
func appendUnescaped(dst, s []byte, plusIsSpace bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+' && plusIsSpace:
			c = ' '
		case c == '%' && i+2 < len(s):
			var b [1]byte
			if _, err := hex.Decode(b[:], s[i+1:i+3]); err == nil {
				c, i = b[0], i+2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// plainName reports whether every spelling leaves name as it is.
func plainName(name []byte) bool {
	for _, c := range name {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// lower lower-cases ASCII letters in place.
func lower(name []byte) {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c + ('a' - 'A')
		}
	}
}

// phpName changes name in place to the one PHP's parse_str gives the variable: "x.y" is "x_y", and "a[]"
// or "a[0]" an element of the list "a".
func phpName(name []byte) (base []byte, list bool) {
	if i := bytes.IndexByte(name, '['); i > 0 {
		name, list = name[:i], true
	}
	for i, c := range name {
		if c == '.' || c == ' ' {
			name[i] = '_'
		}
	}
	return name, list
}

// bodyMD5 is the MD5 of a body in lower-case hex.
type bodyMD5 struct {
	hex   [2 * md5.Size]byte
	empty bool // the body is
}

func newBodyMD5(body []byte) (m bodyMD5) {
	sum := md5.Sum(body)
	hex.Encode(m.hex[:], sum[:])
	m.empty = len(body) == 0
	return m
}

// toSign returns the value of body_md5 in the string to sign, nil for none. It is always the true
// one, whatever was sent, so that no other body can pass; like Reverb we compute what was left out.
//
// Reverb never signs the MD5 of an empty body. Python does, with every GET, and Pusher accepts it.
func (m *bodyMD5) toSign(sent []byte, s spelling) []byte {
	switch {
	case m.empty && (sent == nil || s == reverb):
		return nil
	case s != reverb && bytes.EqualFold(sent, m.hex[:]):
		return sent // as its sender wrote the hex
	}
	return m.hex[:]
}
