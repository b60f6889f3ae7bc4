package server

import (
	"errors"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
)

// An endpoint is a route of the HTTP API below /apps/{id}/.
type endpoint struct {
	route  route
	method string
	handle func(s *Server, ctx *fasthttp.RequestCtx, a *app, name string)
}

// findEndpoint returns the endpoint for the segments behind /apps/{id}, and the segment that is a
// name: a channel's or a user's.
func findEndpoint(segments []string) (e endpoint, name string, ok bool) {
	switch {
	case len(segments) == 1 && segments[0] == "events":
		e = endpoint{routeEvents, fasthttp.MethodPost, (*Server).postEvents}
	case len(segments) == 1 && segments[0] == "batch_events":
		e = endpoint{routeBatch, fasthttp.MethodPost, (*Server).postBatch}
	case len(segments) == 1 && segments[0] == "connections":
		e = endpoint{routeConnections, fasthttp.MethodGet, (*Server).getConnections}
	case len(segments) == 1 && segments[0] == "channels":
		e = endpoint{routeChannels, fasthttp.MethodGet, (*Server).getChannels}
	case len(segments) == 2 && segments[0] == "channels" && segments[1] != "":
		e, name = endpoint{routeChannel, fasthttp.MethodGet, (*Server).getChannel}, segments[1]
	case len(segments) == 3 && segments[0] == "channels" && segments[1] != "" && segments[2] == "users":
		e, name = endpoint{routeUsers, fasthttp.MethodGet, (*Server).getUsers}, segments[1]
	case len(segments) == 3 && segments[0] == "users" && segments[1] != "" && segments[2] == "terminate_connections":
		e, name = endpoint{routeTerminate, fasthttp.MethodPost, (*Server).postTerminate}, segments[1]
	}
	return e, name, e.handle != nil
}

// serveAPI answers a request below /apps/. The checks come in Reverb's order: route, method, app,
// signature, body.
func (s *Server) serveAPI(ctx *fasthttp.RequestCtx, segments []string) route {
	e, name, ok := findEndpoint(segments[1:])
	if !ok || segments[0] == "" {
		s.answerError(ctx, fasthttp.StatusNotFound, textNotFound)
		return routeOther
	}
	if !s.allow(ctx, e.method) {
		return e.route
	}
	if a := s.authenticate(ctx, segments[0]); a != nil && s.withinRate(ctx, a, e) {
		e.handle(s, ctx, a, name)
	}
	return e.route
}

// authenticate returns the app a request is for, or nil after it has answered why not.
func (s *Server) authenticate(ctx *fasthttp.RequestCtx, id string) *app {
	settings, err := lookUp(ctx, s.cfg.Apps.ByID, id)
	switch {
	case err != nil:
		s.lookupFailed("app", id, err)
		ctx.Response.Header.Set("Retry-After", "1")
		s.answerError(ctx, fasthttp.StatusServiceUnavailable, "The application cannot be looked up at the moment.")
		return nil
	case settings == nil:
		s.answerError(ctx, fasthttp.StatusNotFound, "No matching application for ID ["+id+"].")
		return nil
	}
	if err := s.verifyRequest(ctx, settings); err != nil {
		s.answerError(ctx, err.Status, err.Message)
		return nil
	}
	if settings.IsDisabled {
		s.answerError(ctx, fasthttp.StatusForbidden, "Application is disabled.")
		return nil
	}
	return s.meet(settings)
}

// withinRate reports whether the app may do this now, and answers if not. Publishing counts its
// events itself.
func (s *Server) withinRate(ctx *fasthttp.RequestCtx, a *app, e endpoint) bool {
	if e.route == routeEvents || e.route == routeBatch {
		return true
	}
	return s.take(ctx, &a.reads, a.get().MaxAPIReads, 1)
}

// take counts n events or requests against a rate and answers 429 if they are too many.
func (s *Server) take(ctx *fasthttp.RequestCtx, b *lockedBucket, rate, n int) bool {
	if b.takeAll(s.cfg.Now(), rate, n) {
		return true
	}
	ctx.Response.Header.Set("Retry-After", "1")
	s.answerError(ctx, fasthttp.StatusTooManyRequests, "Rate limit exceeded.")
	return false
}

var roomPool = sync.Pool{New: func() any { return new(auth.Room) }}

func (s *Server) verifyRequest(ctx *fasthttp.RequestCtx, settings *auth.App) *auth.RequestError {
	room := roomPool.Get().(*auth.Room)
	defer roomPool.Put(room)
	err := settings.VerifyRequest(auth.Request{
		Method: string(ctx.Method()),
		Path:   ctx.URI().PathOriginal(),
		Query:  ctx.URI().QueryString(),
		Body:   ctx.Request.Body(),
		Room:   room,
	}, s.cfg.Path, s.cfg.Now())
	if err == nil {
		return nil
	}
	var refused *auth.RequestError
	if !errors.As(err, &refused) {
		refused = &auth.RequestError{Status: fasthttp.StatusUnauthorized, Message: err.Error()}
	}
	return refused
}
