package server

import (
	"bytes"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// wantedInfo is a set of attributes a caller asks for.
type wantedInfo struct{ occupied, userCount, subscriptionCount, cache bool }

// parseInfo reads a list such as "user_count,cache". Like Reverb it does not trim, and unknown
// words ask for nothing.
func parseInfo(list []byte) (w wantedInfo) {
	for word := range bytes.SplitSeq(list, []byte{','}) {
		switch string(word) {
		case "occupied":
			w.occupied = true
		case "user_count":
			w.userCount = true
		case "subscription_count":
			w.subscriptionCount = true
		case "cache":
			w.cache = true
		}
	}
	return w
}

// appendInfo appends what is wanted of a channel and applies to it. Presence channels have users,
// all others subscriptions.
func appendInfo(dst []byte, info channels.Info, want wantedInfo, now time.Time) []byte {
	isPresence := info.Kind.Has(channels.Presence)
	isOccupied := info.Subscriptions > 0
	dst = append(dst, '{')
	if want.occupied {
		dst = strconv.AppendBool(append(dst, `"occupied":`...), isOccupied)
	}
	if want.userCount && isPresence && isOccupied {
		dst = strconv.AppendInt(appendKey(dst, `"user_count":`), int64(info.Users), 10)
	}
	if want.subscriptionCount && !isPresence && isOccupied {
		dst = strconv.AppendInt(appendKey(dst, `"subscription_count":`), int64(info.Subscriptions), 10)
	}
	if want.cache && info.Kind.Has(channels.Cache) {
		dst = appendCached(appendKey(dst, `"cache":`), info, now)
	}
	return append(dst, '}')
}

func appendKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, key...)
}

// appendCached appends the kept event as it was sent, as Reverb does, with the seconds it has left,
// as Pusher does; null when there is none.
func appendCached(dst []byte, info channels.Info, now time.Time) []byte {
	if info.Cached == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, info.Cached[:len(info.Cached)-1]...)
	dst = strconv.AppendInt(append(dst, `,"ttl":`...), int64(info.Expires.Sub(now)/time.Second), 10)
	return append(dst, '}')
}

// getConnections counts every established connection of the app, subscribed or not.
func (s *Server) getConnections(ctx *fasthttp.RequestCtx, a *app, _ string) {
	body := strconv.AppendInt([]byte(`{"connections":`), a.connections.Load()+s.census(a), 10)
	answerJSON(ctx, fasthttp.StatusOK, append(body, '}'))
}

func (s *Server) getChannels(ctx *fasthttp.RequestCtx, a *app, _ string) {
	query := ctx.QueryArgs()
	want := parseInfo(query.Peek("info"))
	body := []byte(`{"channels":{`)
	for i, info := range s.list(a, string(query.Peek("filter_by_prefix"))) {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(protocol.AppendString(body, info.Name), ':')
		body = appendInfo(body, info, want, s.cfg.Now())
	}
	answerJSON(ctx, fasthttp.StatusOK, append(body, "}}"...))
}

func (s *Server) getChannel(ctx *fasthttp.RequestCtx, a *app, name string) {
	want := parseInfo(ctx.QueryArgs().Peek("info"))
	want.occupied = true
	info := s.lookup(a, name)
	answerJSON(ctx, fasthttp.StatusOK, appendInfo(nil, info[0], want, s.cfg.Now()))
}

// getUsers lists the members of a presence channel. Ids are strings, whatever type they came with:
// the Go library reads nothing else.
func (s *Server) getUsers(ctx *fasthttp.RequestCtx, a *app, name string) {
	ids, known := s.users(a, name)
	switch {
	case !known:
		answerJSON(ctx, fasthttp.StatusNotFound, []byte(`{}`))
		return
	case !channels.KindOf(name).Has(channels.Presence):
		answerJSON(ctx, fasthttp.StatusBadRequest, []byte(`{}`))
		return
	}
	body := []byte(`{"users":[`)
	for i, id := range ids {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(protocol.AppendString(append(body, `{"id":`...), id), '}')
	}
	answerJSON(ctx, fasthttp.StatusOK, append(body, "]}"...))
}

// postTerminate closes the connections that are signed in as this user, or are it in a presence channel.
func (s *Server) postTerminate(ctx *fasthttp.RequestCtx, a *app, userID string) {
	s.terminateAnywhere(a, userID)
	answerJSON(ctx, fasthttp.StatusOK, []byte(`{}`))
}

func (s *Server) terminateAnywhere(a *app, userID string) {
	if s.cluster == nil {
		node{s}.Terminate(a.id, userID)
	} else {
		s.terminateInCluster(a, userID)
	}
}

func (l *loop) terminate(a *app, userID string) {
	for c := range l.all() {
		if c.app == a && c.state == open && c.isUser(userID) {
			l.closeWith(c, closedByApp, protocol.ErrTerminated)
		}
	}
}

func (c *conn) isUser(id string) bool {
	if c.user != nil && c.user.ID == id {
		return true
	}
	for i := range c.subs.All() {
		if c.subs.All()[i].UserID() == id {
			return true
		}
	}
	return false
}
