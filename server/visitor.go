package server

import (
	"bytes"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A visitor is a socket that waits on a loop for its next HTTP request. It costs neither a goroutine nor a buffer, and
// no change of threads when the request comes.
//
// The loop answers what it can answer without waiting, which is what a busy node is asked most: handshakes, and events to
// be published. All else, and whatever did not come whole or could be read in two ways, passes on to fasthttp together with the
// bytes that have come, and the connection stays there.
type visitor struct {
	net.Conn // nil: of a connection only its address is asked for, without the port

	fd        int32
	peer      net.Addr
	isSurplus bool       // see httpConn
	isReady   bool       // in loop.callers
	hasEnded  bool       // the client has stopped sending: read to the end
	hasAsked  bool       // has been answered before
	mustPass  bool       // the request is for fasthttp, found out while it was answered
	due       time.Time  // by the system's clock, as deadlines are
	settings  *auth.App  // of the app that the request names; nil if there is none
	handshake *handshake // what the request has become
}

// RemoteAddr returns the address of the client.
func (v *visitor) RemoteAddr() net.Addr { return v.peer }

func (v *visitor) surplus() bool { return v.isSurplus }

// isAnswered reports whether the request has become an answer.
func (v *visitor) isAnswered() bool { return !v.mustPass && v.handshake == nil }

// suitsLoop reports whether nothing on the way to an answer waits, for the source of apps, for Redis or for loops. It
// notes the app that the request names.
func (s *Server) suitsLoop(ctx *fasthttp.RequestCtx, v *visitor, path string) (isKnown bool) {
	source := s.cfg.Apps.(PromptSource)
	if key, ok := strings.CutPrefix(path, "/app/"); ok {
		v.settings, isKnown = source.RecallByKey(strings.TrimSuffix(key, "/"))
	} else if id, ok := strings.CutPrefix(path, "/apps/"); ok && ctx.IsPost() {
		if id, ok = strings.CutSuffix(id, "/events"); ok {
			v.settings, isKnown = source.RecallByID(id)
		}
	}
	return isKnown
}

// lookUp asks for the app that a request names, which suitsLoop has done for a visitor.
func lookUp(ctx *fasthttp.RequestCtx, ask func(string) (*auth.App, error), name string) (*auth.App, error) {
	if v, ok := ctx.Conn().(*visitor); ok {
		return v.settings, nil
	}
	return ask(name)
}

// newVisitor makes a visitor of a socket, whose other end has an address unless it is one of unix.
func newVisitor(fd int, peer netip.Addr) *visitor {
	v := &visitor{fd: int32(fd)}
	if peer.IsValid() {
		v.peer = &net.TCPAddr{IP: peer.AsSlice()}
	} else {
		v.peer = &net.UnixAddr{Net: "unix"}
	}
	return v
}

// visit gives a visitor to a loop.
func (s *Server) visit(v *visitor) {
	l := s.nextLoop()
	l.load.Add(1)
	s.visitors.Add(1)
	if !l.inbox.post(note{do: func(l *loop) { l.meet(v) }}) {
		l.sawOff()
		poll.CloseSocket(int(v.fd))
	}
}

// meet begins to wait for a request.
func (l *loop) meet(v *visitor) {
	if !l.server.draining.Load() {
		err := l.poller.Add(int(v.fd))
		if err == nil {
			l.visitors[v.fd] = v
			l.await(v)
			return
		}
		l.server.counts.refused[refusedSystem].Inc()
		l.server.log.Error("connection not watched", "err", err)
	}
	l.sawOff()
	poll.CloseSocket(int(v.fd))
}

// await gives a visitor time for a request.
func (l *loop) await(v *visitor) {
	patience := l.server.cfg.HandshakeTimeout
	if v.hasAsked {
		patience = keepAlive
	}
	v.due = time.Now().Add(patience)
}

// sawOff counts a visitor who has left the loop.
func (l *loop) sawOff() {
	l.load.Add(-1)
	l.server.visitors.Add(-1)
}

// dismiss closes the socket.
func (l *loop) dismiss(v *visitor) {
	delete(l.visitors, v.fd)
	l.sawOff()
	poll.CloseSocket(int(v.fd))
}

// dismissAll closes the sockets of all who wait. What they had sent is answered.
func (l *loop) dismissAll() {
	for _, v := range l.visitors {
		l.dismiss(v)
	}
}

// dismissLate closes the sockets of those whose time for a request, or between two, is over.
func (l *loop) dismissLate() {
	now := time.Now()
	if now.Sub(l.looked) < time.Second {
		return
	}
	l.looked = now
	for _, v := range l.visitors {
		switch {
		case now.Before(v.due):
		case v.hasAsked:
			l.dismiss(v)
		default:
			l.guardVisitor(v, (*loop).tellLate)
		}
	}
}

// tellLate answers who has sent nothing.
func (l *loop) tellLate(v *visitor) {
	l.front.begin(v, nil)
	l.server.handleHTTPError(&l.front.ctx, errLate)
	l.front.ctx.SetConnectionClose()
	l.sendAnswer(v, nil)
}

// hear takes a request of each visitor who has sent something, and looks after the others once a second.
func (l *loop) hear() {
	if l.server.isHolding.Load() {
		return
	}
	callers := l.callers
	l.callers = l.callers[:0]
	for i, v := range callers {
		callers[i] = nil
		v.isReady = false
		if l.visitors[v.fd] == v {
			l.guardVisitor(v, (*loop).listen)
		}
		l.relieve()
	}
	if len(l.visitors) > 0 {
		l.dismissLate()
	}
}

// guardVisitor calls handle. A bug that shows there ends no more than the one connection, which may have become a
// WebSocket.
func (l *loop) guardVisitor(v *visitor, handle func(*loop, *visitor)) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		l.server.log.Error("request ended by a bug", "panic", fault, "stack", string(debug.Stack()))
		if l.visitors[v.fd] == v {
			l.dismiss(v)
		} else if c := l.connOf(v.fd); c != nil && v.handshake != nil {
			l.doom(c, closedPanic)
		}
	}()
	handle(l, v)
}

// listen reads until there is no more, and answers.
func (l *loop) listen(v *visitor) {
	for {
		n, err := poll.Read(int(v.fd), l.buf)
		switch {
		case err == poll.ErrAgain:
			return
		case err != nil:
			l.dismiss(v)
			return
		}
		l.handleRequest(v, l.buf[:n])
		if !v.hasEnded || l.visitors[v.fd] != v {
			return
		}
	}
}

// handleRequest answers a request, if that is what b is, and has fasthttp do it otherwise.
func (l *loop) handleRequest(v *visitor, b []byte) {
	f := &l.front
	f.begin(v, b)
	if len(b) > l.server.cfg.MaxRequestSize || len(b) == len(l.buf) || !f.readRequest() {
		l.passOn(v, b)
		return
	}
	if f.ctx.Request.Header.ConnectionClose() {
		f.ctx.SetConnectionClose()
	}
	l.server.answer(&f.ctx)
	rest := b[len(b)-f.reader.Buffered():]
	switch {
	case v.mustPass:
		l.passOn(v, b)
	case v.handshake != nil:
		l.upgrade(v, rest)
	default:
		l.sendAnswer(v, rest)
	}
}

// upgrade makes a WebSocket of a visitor. early is what came behind the request.
func (l *loop) upgrade(v *visitor, early []byte) {
	delete(l.visitors, v.fd)
	l.server.visitors.Add(-1)
	c := &conn{fd: v.fd, slot: noSlot, isJS: v.handshake.isJS, deflates: v.handshake.deflate != "", hasEnded: v.hasEnded}
	l.seat(c)
	l.welcome(c, *v.handshake, early)
	if c.hasEnded && c.state != gone {
		c.isReady = true
		l.ready = append(l.ready, c)
	}
}

// sendAnswer sends the answer in l.front. rest is what came behind the request.
func (l *loop) sendAnswer(v *visitor, rest []byte) {
	answer := l.front.answer()
	closes := l.front.ctx.Response.ConnectionClose()
	l.vector.Reset()
	l.vector.Add(answer)
	n, err := l.vector.Write(int(v.fd))
	switch {
	case err != nil && err != poll.ErrAgain:
		l.dismiss(v)
	case n < len(answer) || len(rest) > 0:
		l.passOnAnswered(v, bytes.Clone(answer[n:]), rest, closes)
	case closes:
		l.dismiss(v)
	default:
		v.hasAsked = true
		l.await(v)
	}
}

// passOn gives a visitor to fasthttp, with what has come of a request.
func (l *loop) passOn(v *visitor, early []byte) {
	if c := l.release(v, early); c != nil {
		l.server.serveTracked(c)
	}
}

// passOnAnswered has a goroutine write the rest of an answer and then do what is left to be done.
func (l *loop) passOnAnswered(v *visitor, answer, early []byte, closes bool) {
	c := l.release(v, early)
	if c == nil {
		return
	}
	s := l.server
	c.phase = httpAnswers
	c.hasFailed = closes
	s.streamsWG.Go(func() {
		_ = c.SetWriteDeadline(time.Now().Add(s.cfg.HandshakeTimeout))
		if _, err := c.Write(answer); err != nil || closes {
			_ = c.Close()
			return
		}
		_ = s.http.ServeConn(c)
	})
}

// release makes a connection that is served by a goroutine of a visitor. It returns nil when the socket is closed.
func (l *loop) release(v *visitor, early []byte) *httpConn {
	delete(l.visitors, v.fd)
	l.sawOff()
	l.poller.Remove(int(v.fd))
	c, err := requestConn(int(v.fd), "")
	if err != nil {
		l.server.counts.refused[refusedSystem].Inc()
		l.server.log.Debug("connection not served", "err", err)
		return nil
	}
	hc := l.server.track(c, bytes.Clone(early))
	hc.isSurplus = v.isSurplus
	return hc
}

// crowd is how many subscribers an event has that a loop had better not publish. What they are sent costs so much more than the
// request that fasthttp may have it, and publishes the next one while the loop still writes: the more a loop finds when
// it comes back, the fewer writes a delivery takes.
const crowd = 256

// mustPass reports whether fasthttp is to publish an event that a loop has read: for a crowd, or if it may have to wait.
func (s *Server) mustPass(ctx *fasthttp.RequestCtx, a *app, event protocol.Publish) bool {
	v, ok := ctx.Conn().(*visitor)
	if !ok {
		return false
	}
	subscribers := 0
	for _, name := range event.Channels {
		subscribers += a.registry.Subscribers(name)
	}
	v.mustPass = subscribers >= crowd || event.HasInfo || isRepeatable(ctx, event.IdempotencyKey) || s.isCongested()
	return v.mustPass
}
