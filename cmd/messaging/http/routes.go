package http

import (
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// access is who may use a route.
type access int

const (
	anybody access = iota
	users          // who is signed in
	admins         // who passes the gate viewHorizon
)

// route is one line of the API.
type route struct {
	method, path string
	access       access
	handle       func(*request) error
	plain        fasthttp.RequestHandler // instead of handle, without session
	segments     []string
}

// table lists what is served. The paths and methods are those of api.Routes, and what only browsers ask for.
func (s *Server) table() []*route {
	const conversation = "/api/messages/{conversation_id}"
	list := []*route{
		{method: "POST", path: "/login", handle: (*request).login},
		{method: "POST", path: "/logout", access: users, handle: (*request).logout},
		{method: "GET", path: "/api/user", access: users, handle: (*request).whoAmI},
		{method: "GET", path: "/api/messages/config", handle: (*request).config},
		{method: "GET", path: "/api/messages/users", access: users, handle: (*request).searchUsers},
		{method: "GET", path: "/api/messages/conversations", access: users, handle: (*request).listConversations},
		{method: "POST", path: "/api/messages/conversations", access: users, handle: (*request).createConversation},
		{method: "GET", path: "/api/messages/notifications", access: users, handle: (*request).listNotifications},
		{method: "POST", path: "/api/messages/notifications/{id}/read", access: users, handle: (*request).readNotification},
		{method: "POST", path: "/api/messages/presence/heartbeat", access: users, handle: (*request).heartbeat},
		{method: "GET", path: conversation, access: users, handle: (*request).view},
		{method: "POST", path: conversation, access: users, handle: (*request).send},
		{method: "GET", path: conversation + "/delta", access: users, handle: (*request).delta},
		{method: "POST", path: conversation + "/read", access: users, handle: (*request).markRead},
		{method: "POST", path: conversation + "/typing", access: users, handle: (*request).startTyping},
		{method: "DELETE", path: conversation + "/typing", access: users, handle: (*request).stopTyping},
		{method: "GET", path: conversation + "/typing", access: users, handle: (*request).whoTypes},
		{method: "POST", path: conversation + "/mute", access: users, handle: (*request).mute},
		{method: "DELETE", path: conversation + "/mute", access: users, handle: (*request).unmute},
		{method: "PATCH", path: conversation + "/{message_id}", access: users, handle: (*request).edit},
		{method: "DELETE", path: conversation + "/{message_id}", access: users, handle: (*request).delete},
		{method: "POST", path: "/broadcasting/auth", access: users, handle: (*request).authorizeChannel},
		{method: "POST", path: "/broadcasting/user-auth", access: users, handle: (*request).authorizeUser},
		{method: "GET", path: "/up", handle: (*request).health},
		{method: "GET", path: "/metrics", plain: s.metrics},
		{method: "GET", path: "/avatars/{name}", plain: serveAvatar},
	}
	list = append(list, horizonTable()...)
	for _, r := range list {
		r.segments = strings.Split(r.path, "/")[1:]
	}
	return list
}

// The routes of requests that no other route is for.
var (
	notFound   = &route{path: "(none)", handle: func(*request) error { return errNoRoute }}
	notAllowed = &route{path: "(none)", handle: (*request).refuseMethod}
)

// match finds the route of a request and what stands in the places of its path.
func (s *Server) match(ctx *fasthttp.RequestCtx) (*route, map[string]string) {
	method, path := string(ctx.Method()), string(ctx.Path())
	if method == fasthttp.MethodHead {
		method = fasthttp.MethodGet
	}
	segments := strings.Split(path, "/")[1:]
	var methods []string
	for _, r := range s.routes {
		args, ok := r.match(segments)
		if !ok {
			continue
		}
		if r.method == method {
			return r, args
		}
		methods = append(methods, r.method)
	}
	switch {
	case len(methods) > 0:
		return notAllowed, map[string]string{"methods": strings.Join(slices.Compact(methods), ", ")}
	case method == fasthttp.MethodGet && !strings.HasPrefix(path, "/api/"):
		return &route{method: method, path: "(page)", plain: s.servePage}, nil
	}
	return notFound, nil
}

// match compares a path with the route's. A place whose name ends in "_id" is for a number.
func (r *route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(r.segments) {
		return nil, false
	}
	var args map[string]string
	for i, want := range r.segments {
		name, isPlace := strings.CutPrefix(want, "{")
		if !isPlace {
			if segments[i] != want {
				return nil, false
			}
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if strings.HasSuffix(name, "_id") && !isID(segments[i]) {
			return nil, false
		}
		if args == nil {
			args = make(map[string]string)
		}
		args[name] = segments[i]
	}
	return args, true
}

// isID reports whether s is an id in the one way in which we write it.
func isID(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n > 0 && strconv.FormatInt(n, 10) == s
}
