package pusher

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"strconv"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
)

// A Publisher sends requests to the HTTP API over one connection, one at a time. It connects when there is
// something to send and again when the server has closed.
type Publisher struct {
	// Answered is told the outcome of a request. err is nil for status 200.
	Answered func(err error, now int64)

	app     *App
	loop    *netloop.Loop
	local   netip.Addr
	conn    *netloop.Conn
	signer  *signer
	request []byte
	busy    bool
	fresh   bool // nothing has been answered on this connection
	retried bool
}

// NewPublisher returns a Publisher on a loop.
func (a *App) NewPublisher(l *netloop.Loop, local netip.Addr, answered func(err error, now int64)) *Publisher {
	return &Publisher{Answered: answered, app: a, loop: l, local: local, signer: a.newMAC()}
}

// Busy reports whether an answer is being waited for.
func (p *Publisher) Busy() bool { return p.busy }

// Post sends a body to an endpoint, such as "/events".
func (p *Publisher) Post(endpoint string, body []byte) {
	p.request = p.signer.append(p.request[:0], p.app, endpoint, body)
	p.busy, p.retried = true, false
	p.write()
}

func (p *Publisher) write() {
	if p.conn == nil {
		p.fresh = true
		p.conn = p.app.dial(p.loop, p.local, 0, p)
	}
	p.conn.Send(p.request)
}

// Close drops the connection.
func (p *Publisher) Close() {
	if p.conn != nil {
		p.conn.Close()
	}
}

// Opened implements netloop.Handler.
func (p *Publisher) Opened(*netloop.Conn, int64) {}

// Closed implements netloop.Handler. A server may close an idle connection at the moment it is used again; the
// request is then repeated once, as browsers do.
func (p *Publisher) Closed(_ *netloop.Conn, err error) {
	p.conn = nil
	switch {
	case !p.busy:
	case p.fresh || p.retried:
		p.answer(fmt.Errorf("the connection ended before the answer: %w", err), clock.Now())
	default:
		p.retried = true
		p.write()
	}
}

// Received implements netloop.Handler.
func (p *Publisher) Received(c *netloop.Conn, b []byte, now int64) int {
	if !p.busy {
		p.conn = nil
		c.Close()
		return 0
	}
	r, n, err := parseResponse(b)
	switch {
	case err != nil:
		p.conn = nil
		c.Close()
		p.answer(err, now)
		return 0
	case n == 0:
		return 0
	}
	p.fresh = false
	if r.closes {
		p.conn = nil
		c.Close()
	}
	p.answer(r.problem(), now)
	return n
}

func (p *Publisher) answer(err error, now int64) {
	p.busy = false
	p.Answered(err, now)
}

// signer signs requests of the HTTP API.
type signer struct {
	mac     hash.Hash
	message []byte
	sum     []byte
}

// append appends a whole signed request.
func (s *signer) append(dst []byte, a *App, endpoint string, body []byte) []byte {
	digest := md5.Sum(body)
	query := s.message[:0]
	query = append(append(query, "auth_key="...), a.target.Key...)
	query = strconv.AppendInt(append(query, "&auth_timestamp="...), time.Now().Unix(), 10)
	query = append(query, "&auth_version=1.0&body_md5="...)
	query = hex.AppendEncode(query, digest[:])
	s.message = query

	dst = append(dst, "POST "...)
	dst = append(dst, a.target.Prefix...)
	path := len(dst)
	dst = append(append(append(dst, "/apps/"...), a.target.AppID...), endpoint...)
	// The proof covers the path without the prefix, as the PHP library makes it.
	s.mac.Reset()
	s.mac.Write([]byte("POST\n"))
	s.mac.Write(dst[path:])
	s.mac.Write([]byte("\n"))
	s.mac.Write(query)
	s.sum = s.mac.Sum(s.sum[:0])

	dst = append(append(dst, '?'), query...)
	dst = hex.AppendEncode(append(dst, "&auth_signature="...), s.sum)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), a.target.Host...)
	dst = append(dst, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	return append(append(dst, "\r\n\r\n"...), body...)
}

var errNoHTTP = errors.New("the answer is not HTTP")
