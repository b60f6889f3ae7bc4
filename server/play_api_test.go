package server_test

import (
	"bufio"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What can stand in parentheses before a request of api:
//
//	(unsigned)                    nothing is added to the request
//	(secret wrong)                signed with another secret
//	(auth_key other)              another value for a parameter that belongs to the signature:
//	                              auth_key, auth_timestamp (or "-601s" from now), auth_version, body_md5
//	(no auth_key)                 without it
//	(auth_signature x)            this signature
//	(signed as a=1,2&b=3)         the signature is made as if this were the query
//	(signed for POST /apps/1/x)   the signature is made as if this were the request line
//	(signature first)             auth_signature comes before the other parameters
//	(header X-Name: value)
//	(10000 bytes)                 the whole request is made this long by a header
//	(100 times)                   where $n counts
//
// Answers are a status, a space and the body; (header …) and (no header …) are about the last one.

// api is the publisher's side of a conversation.
type api struct {
	stage   *stage
	answers []answer // not heard yet
	last    answer
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string {
	return strings.TrimRight(fmt.Sprintf("%d %s", a.status, a.body), " ")
}

func (p *play) apiSays(l line) {
	p.t.Helper()
	n, notes := l.times()
	for p.turn = 1; p.turn <= n; p.turn++ {
		r, err := p.request(notes, p.fill(l.text))
		if err != nil {
			p.broken(err)
		}
		got, err := p.stage.send(r)
		if err != nil {
			p.failed("an answer", err.Error())
		}
		p.api.answers = append(p.api.answers, got)
	}
}

func (p *play) apiHears(l line) {
	p.t.Helper()
	if l.text == "" && len(l.notes) == 1 {
		p.checkHeader(p.api.last.header, l.notes[0])
		return
	}
	n, _ := l.times()
	for p.turn = 1; p.turn <= n; p.turn++ {
		if len(p.api.answers) == 0 {
			p.broken(errors.New("api has asked nothing that is not answered yet"))
		}
		p.api.last, p.api.answers = p.api.answers[0], p.api.answers[1:]
		if want, got := p.want(l.text), p.api.last.String(); !matches(want, got) {
			p.failed(want, "api: "+got)
		}
	}
}

// A request is one of the HTTP API, and how it is to be signed.
type request struct {
	method, path, query, body string
	headers                   []string
	size                      int // of the whole request; 0 = as long as it gets

	unsigned       bool
	secret         string            // "" = the app's
	params         map[string]string // instead of the right ones; "" = left out
	asQuery        string            // signed instead of query
	asRequest      string            // "METHOD /path", signed instead of the real ones
	signatureFirst bool
}

func (p *play) request(notes []string, text string) (request, error) {
	method, rest, _ := strings.Cut(text, " ")
	target, body, _ := strings.Cut(rest, " ")
	path, query, _ := strings.Cut(target, "?")
	r := request{method: method, path: p.stage.local(path), query: query, body: body, params: map[string]string{}}
	for _, note := range notes {
		if err := p.noteRequest(&r, p.fill(note)); err != nil {
			return r, err
		}
	}
	if !r.unsigned {
		p.stage.sign(&r)
	}
	return r, nil
}

func (p *play) noteRequest(r *request, note string) (err error) {
	word, rest, _ := strings.Cut(note, " ")
	switch word {
	case "unsigned":
		r.unsigned = true
	case "secret":
		r.secret = rest
	case "no":
		r.params[rest] = ""
	case "auth_key", "auth_version", "auth_signature", "body_md5":
		r.params[word] = rest
	case "auth_timestamp":
		r.params[word], err = p.timestamp(rest)
	case "signed":
		if as, ok := strings.CutPrefix(rest, "as "); ok {
			r.asQuery = as
		} else {
			r.asRequest = strings.TrimPrefix(rest, "for ")
		}
	case "signature":
		r.signatureFirst = true
	case "header":
		r.headers = append(r.headers, rest)
	default:
		if rest != "bytes" {
			return fmt.Errorf("(%s) says nothing about a request", note)
		}
		r.size, err = strconv.Atoi(word)
	}
	return err
}

// timestamp is a Unix time, or a duration from now.
func (p *play) timestamp(s string) (string, error) {
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return s, nil
	}
	d, err := time.ParseDuration(s)
	return strconv.FormatInt(p.stage.now().Add(d).Unix(), 10), err
}

// sign adds the authentication parameters to the query, as Pusher's documentation describes it.
func (s *stage) sign(r *request) {
	app := s.appOfPath(r.path)
	params := map[string]string{
		"auth_key": app.key, "auth_timestamp": strconv.FormatInt(s.now().Unix(), 10), "auth_version": "1.0",
	}
	if r.body != "" {
		sum := md5.Sum([]byte(r.body))
		params["body_md5"] = hex.EncodeToString(sum[:])
	}
	signature := ""
	for name, value := range r.params {
		params[name] = value
		if name == "auth_signature" {
			signature = value
		}
	}
	asRequest := cmp.Or(r.asRequest, r.method+" "+r.path)
	text := strings.Replace(asRequest, " ", "\n", 1) + "\n" + signedQuery(cmp.Or(r.asQuery, decoded(r.query)), params)
	signature = cmp.Or(signature, hmacHex(cmp.Or(r.secret, app.secret), text))
	r.query = sentQuery(r, params, signature)
}

// signedQuery joins the parameters by their names in lower case, with values as they are meant.
func signedQuery(query string, params map[string]string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			pairs = append(pairs, strings.ToLower(name)+"="+value)
		}
	}
	for name, value := range params {
		if name != "auth_signature" && value != "" {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.SortStableFunc(pairs, func(a, b string) int {
		return cmp.Compare(a[:strings.Index(a, "=")], b[:strings.Index(b, "=")])
	})
	return strings.Join(pairs, "&")
}

func sentQuery(r *request, params map[string]string, signature string) string {
	var pairs []string
	if r.query != "" {
		pairs = append(pairs, r.query)
	}
	for _, name := range []string{"auth_key", "auth_timestamp", "auth_version", "body_md5"} {
		if params[name] != "" {
			pairs = append(pairs, name+"="+params[name])
		}
	}
	if _, ok := r.params["auth_signature"]; ok && r.params["auth_signature"] == "" {
		return strings.Join(pairs, "&")
	}
	last := len(pairs)
	if r.signatureFirst {
		last = 0
	}
	return strings.Join(slices.Insert(pairs, last, "auth_signature="+signature), "&")
}

func decoded(query string) string {
	if plain, err := url.PathUnescape(query); err == nil {
		return plain
	}
	return query
}

func (r *request) target() string {
	if r.query == "" {
		return r.path
	}
	return r.path + "?" + r.query
}

func (r *request) text(host string) string {
	head := r.method + " " + r.target() + " HTTP/1.1\r\nHost: " + host + "\r\n"
	if r.body != "" {
		head += "Content-Length: " + strconv.Itoa(len(r.body)) + "\r\n"
	}
	for _, h := range r.headers {
		head += h + "\r\n"
	}
	if pad := r.size - len(head) - len(r.body) - len("X-Pad: \r\n\r\n"); r.size > 0 && pad > 0 {
		head += "X-Pad: " + strings.Repeat("x", pad) + "\r\n"
	}
	return head + "\r\n" + r.body
}

// send asks over a connection of its own.
func (s *stage) send(r request) (answer, error) {
	if s.settle != nil {
		s.settle()
	}
	conn, err := net.DialTimeout("tcp", s.nextNode(), patience)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, r.text(s.addr)); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// local puts the app that is played with, and the server's prefix, into a path written for the default ones.
func (s *stage) local(path string) string {
	if s.clock != nil {
		return path
	}
	path = strings.Replace(path, "/app/app-key", "/app/"+s.apps[0].key, 1)
	return s.prefix + strings.Replace(path, "/apps/1/", "/apps/"+s.apps[0].id+"/", 1)
}
