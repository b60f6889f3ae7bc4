package server

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// maxHTTPHeader bounds what is reserved for the head of a request, however large requests may be.
const maxHTTPHeader = 64 << 10

// serverName is what answers say they come from.
const serverName = "reverb-go"

// keepAlive is how long an HTTP connection may be idle between requests.
const keepAlive = 75 * time.Second

func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:               s.handleHTTP,
		ErrorHandler:          s.handleHTTPError,
		Name:                  serverName,
		ReadBufferSize:        min(s.cfg.MaxRequestSize+1, maxHTTPHeader),
		MaxRequestBodySize:    s.cfg.MaxRequestSize,
		ReadTimeout:           s.cfg.HandshakeTimeout,
		WriteTimeout:          s.cfg.HandshakeTimeout,
		IdleTimeout:           keepAlive,
		NoDefaultContentType:  true,
		CloseOnShutdown:       true,
		SecureErrorLogMessage: true,
		Logger:                httpLog{s},
		MaxIdleWorkerDuration: time.Second,

		// A form would be put together again for its signature, with other bytes.
		DisablePreParseMultipartForm: true,
	}
}

// httpLog receives what fasthttp has to say, which is about single connections.
type httpLog struct{ server *Server }

func (h httpLog) Printf(format string, args ...any) {
	h.server.log.Debug("http", "message", fmt.Sprintf(format, args...))
}

// Serve accepts connections until Shutdown, and then returns nil. It may be called for several
// listeners. Connections that are no plain sockets, such as those of crypto/tls, are served by
// goroutines of their own.
func (s *Server) Serve(ln net.Listener) error {
	accepting := s.newListener(ln)
	if !s.listening(accepting) {
		return accepting.Close()
	}
	err := s.http.Serve(accepting)
	if s.draining.Load() {
		return nil
	}
	return err
}

// listening remembers a listener for Shutdown, and reports false when that has come before.
func (s *Server) listening(ln *listener) bool {
	s.listenersMu.Lock()
	defer s.listenersMu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.listeners = append(s.listeners, ln)
	return true
}

// handleHTTP answers one request, or upgrades it.
func (s *Server) handleHTTP(ctx *fasthttp.RequestCtx) {
	if c, ok := ctx.Conn().(*httpConn); ok && !c.begin(ctx) {
		ctx.SetConnectionClose()
		return
	}
	s.answer(ctx)
}

// answer answers a request that is complete, or has it upgraded or passed on.
func (s *Server) answer(ctx *fasthttp.RequestCtx) {
	started := time.Now()
	route := s.serveHTTP(ctx)
	if v, ok := ctx.Conn().(*visitor); ctx.Hijacked() || ok && !v.isAnswered() {
		return
	}
	s.counts.http.observe(route, ctx.Response.StatusCode(), time.Since(started))
	if asksForWebSocket(&ctx.Request.Header) {
		// A proxy that did not look at the status takes the connection for a tunnel.
		ctx.SetConnectionClose()
	}
}

func (s *Server) serveHTTP(ctx *fasthttp.RequestCtx) route {
	if requestSize(ctx) > s.cfg.MaxRequestSize {
		ctx.SetConnectionClose()
		s.answerError(ctx, fasthttp.StatusRequestEntityTooLarge, textTooLarge)
		return routeOther
	}
	if c, ok := ctx.Conn().(*httpConn); isAmbiguous(&ctx.Request.Header) || ok && c.isBare {
		ctx.SetConnectionClose()
		s.answerError(ctx, fasthttp.StatusBadRequest, textBadRequest)
		return routeOther
	}
	path, known := s.routePath(ctx)
	if v, ok := ctx.Conn().(*visitor); ok && !s.suitsLoop(ctx, v, path) {
		v.mustPass = true
		return routeOther
	}
	switch {
	case !known:
		s.answerError(ctx, fasthttp.StatusNotFound, textNotFound)
		return routeOther
	case path == "/" && s.cfg.WelcomePage != nil:
		ctx.SetContentType("text/html; charset=utf-8")
		ctx.SetBody(s.cfg.WelcomePage)
		return routeOther
	case path == "/up":
		if s.allow(ctx, fasthttp.MethodGet) {
			answerJSON(ctx, fasthttp.StatusOK, []byte(`{"health":"OK"}`))
		}
		return routeUp
	case path == "/healthz":
		if s.allow(ctx, fasthttp.MethodGet) {
			s.getHealth(ctx)
		}
		return routeUp
	case strings.HasPrefix(path, "/apps/"):
		return s.serveAPI(ctx, strings.Split(path[len("/apps/"):], "/"))
	case strings.HasPrefix(path, "/app/"):
		s.serveApp(ctx, path[len("/app/"):])
		return routeApp
	case s.cfg.Inspector != nil && isInspector(path) && s.cfg.Inspector(Inspection{s}, ctx, path):
		return routeInspector
	}
	s.answerError(ctx, fasthttp.StatusNotFound, textNotFound)
	return routeOther
}

// routePath returns the path without the configured prefix. The API answers without the prefix as
// well: Laravel's SDK leaves it out unless REVERB_SERVER_PATH ends with a slash.
func (s *Server) routePath(ctx *fasthttp.RequestCtx) (string, bool) {
	path := string(ctx.Path())
	if rest, ok := strings.CutPrefix(path, s.cfg.Path); ok && strings.HasPrefix(rest, "/") {
		return rest, true
	}
	return path, strings.HasPrefix(path, "/apps/")
}

// serveApp answers /app/{key}: a handshake, or a request that should have been one.
func (s *Server) serveApp(ctx *fasthttp.RequestCtx, rest string) {
	header := &ctx.Request.Header
	key := strings.TrimSuffix(rest, "/")
	isLost := key == "" || strings.Contains(key, "/")
	wantsUpgrade := len(header.Peek("Upgrade")) > 0
	switch {
	case isLost && !wantsUpgrade || rest != key && !wantsUpgrade:
		s.answerError(ctx, fasthttp.StatusNotFound, textNotFound)
		return
	case !s.allow(ctx, fasthttp.MethodGet):
		return
	}
	accept, fault := checkHandshake(header)
	if fault != nil {
		s.answerFault(ctx, fault)
		return
	}
	h := handshake{origin: string(header.Peek("Origin")), addr: s.clientAddr(ctx), accept: accept}
	h.isJS = string(ctx.QueryArgs().Peek("client")) == "js"
	switch {
	case isLost:
		h.refuse(refusedPath)
	case ctx.Conn().(interface{ surplus() bool }).surplus():
		h.refuse(refusedFiles)
	default:
		s.findApp(ctx, &h, key)
	}
	if h.app != nil && h.app.get().Compression == auth.CompressionAuto {
		h.deflate = acceptDeflate(header.PeekAll("Sec-WebSocket-Extensions"))
	}
	s.upgrade(ctx, h)
}

// findApp looks up whom a handshake is for, unless the node has to protect itself.
func (s *Server) findApp(ctx *fasthttp.RequestCtx, h *handshake, key string) {
	switch {
	case s.cfg.IsOverloaded != nil && s.cfg.IsOverloaded():
		h.refuse(refusedMemory)
		return
	case !s.handshakes.take(s.cfg.Now(), s.cfg.MaxHandshakes):
		h.refuse(refusedRate)
		return
	}
	settings, err := lookUp(ctx, s.cfg.Apps.ByKey, key)
	switch {
	case err != nil:
		s.lookupFailed("key", key, err)
		h.refuse(refusedSource)
	case settings != nil:
		h.app = s.meet(settings)
	}
}

func (s *Server) answerFault(ctx *fasthttp.RequestCtx, f *handshakeFault) {
	switch f.status {
	case fasthttp.StatusMethodNotAllowed:
		ctx.Response.Header.Set("Allow", fasthttp.MethodGet)
	case fasthttp.StatusUpgradeRequired:
		ctx.Response.Header.Set("Connection", "Upgrade")
		ctx.Response.Header.Set("Upgrade", "websocket")
		ctx.Response.Header.Set("Sec-WebSocket-Version", "13")
	}
	s.answerError(ctx, f.status, f.text)
}

// allow reports whether the method is the one a route is for, and answers if it is not. HEAD is as
// good as GET.
func (s *Server) allow(ctx *fasthttp.RequestCtx, method string) bool {
	got := string(ctx.Method())
	if got == method || got == fasthttp.MethodHead && method == fasthttp.MethodGet {
		return true
	}
	ctx.Response.Header.Set("Allow", method)
	s.answerError(ctx, fasthttp.StatusMethodNotAllowed, textMethod)
	return false
}

// Reverb's texts.
const (
	textBadRequest = "Bad request."
	textNotFound   = "Not found."
	textMethod     = "Method not allowed."
	textTooLarge   = "Payload too large."
)

// handleHTTPError answers a request that could not be read.
func (s *Server) handleHTTPError(ctx *fasthttp.RequestCtx, err error) {
	if c, ok := ctx.Conn().(*httpConn); ok {
		if c.isHeld() {
			return
		}
		c.hasFailed = true
		c.recall(&ctx.Request)
	}
	status, text := fasthttp.StatusBadRequest, textBadRequest
	var small *fasthttp.ErrSmallBuffer
	var netErr net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge), errors.As(err, &small):
		status, text = fasthttp.StatusRequestEntityTooLarge, textTooLarge
	case errors.As(err, &netErr) && netErr.Timeout():
		status, text = fasthttp.StatusRequestTimeout, "The request did not arrive in time."
	}
	s.answerError(ctx, status, text)
	s.counts.http.observe(routeOther, status, 0)
}

// answerError answers with a short text, which Laravel shows to people. Below /apps it is wrapped in
// JSON, because the .NET library reads nothing else.
func (s *Server) answerError(ctx *fasthttp.RequestCtx, status int, text string) {
	s.trace(TraceEvent{Kind: TraceHTTP, Err: fmt.Errorf("%s %s: %d %s", ctx.Method(), ctx.Path(), status, text)})
	if bytes.HasPrefix(bytes.TrimPrefix(ctx.Path(), []byte(s.cfg.Path)), []byte("/apps/")) {
		body := protocol.AppendString([]byte(`{"error":`), text)
		answerJSON(ctx, status, fmt.Appendf(body, `,"code":%d}`, status))
		return
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text)
}

func answerJSON(ctx *fasthttp.RequestCtx, status int, body []byte) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.Response.Header.Set("Cache-Control", "no-cache, private")
	ctx.SetBody(body)
}
