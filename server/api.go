package server

import (
	"errors"

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
	a := s.apps[segments[0]]
	if a == nil {
		s.answerError(ctx, fasthttp.StatusNotFound, "No matching application for ID ["+segments[0]+"].")
		return e.route
	}
	if err := s.verifyRequest(ctx, a); err != nil {
		s.answerError(ctx, err.Status, err.Message)
		return e.route
	}
	e.handle(s, ctx, a, name)
	return e.route
}

func (s *Server) verifyRequest(ctx *fasthttp.RequestCtx, a *app) *auth.RequestError {
	err := a.VerifyRequest(auth.Request{
		Method: string(ctx.Method()),
		Path:   ctx.URI().PathOriginal(),
		Query:  ctx.URI().QueryString(),
		Body:   ctx.Request.Body(),
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
