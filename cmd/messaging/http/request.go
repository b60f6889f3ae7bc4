package http

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// request is one request of the API and its answer. It lives as long as its handler runs.
type request struct {
	http   *fasthttp.RequestCtx
	ctx    context.Context // ends with the request, unlike http
	server *Server
	route  *route
	args   map[string]string // what stands in the places of the path
	now    time.Time

	user    *domain.User // nil if nobody is signed in
	session domain.Session
	csrf    string // the token that unsafe requests must show; "" with a bearer token
}

// perUser protects the app from a client that went wild. A page that polls stays far below.
var perUser = ephemeral.Limit{Name: "user", Max: 600, Per: time.Minute}

// handle lets a request through to its handler, or not.
func (r *request) handle() error {
	if err := r.authenticate(); err != nil {
		return err
	}
	switch {
	case r.route.access == admins && (r.user == nil || !r.user.IsAdmin):
		return domain.ErrForbidden
	case r.route.access == users && r.user == nil:
		return errUnauthenticated
	}
	if !r.isSafe() && !r.showsToken() {
		return errTokenMismatch
	}
	if r.user != nil {
		if err := r.limit(perUser, r.userKey()); err != nil {
			return err
		}
	}
	return r.route.handle(r)
}

func (r *request) isSafe() bool {
	switch string(r.http.Method()) {
	case fasthttp.MethodGet, fasthttp.MethodHead:
		return true
	}
	return r.route == notFound || r.route == notAllowed
}

func (r *request) userKey() string { return strconv.FormatInt(r.user.ID, 10) }

// limit counts the request, and refuses it if it is one too many.
func (r *request) limit(l ephemeral.Limit, who string) error {
	if wait, ok := r.server.Live.Allow(r.ctx, l, who); !ok {
		return tooMany(wait)
	}
	return nil
}

// clientIP is the address to count sign-ins by. A proxy on this machine is believed about whom it speaks for.
func (r *request) clientIP() string {
	remote := r.http.RemoteIP()
	if remote.IsLoopback() {
		all := string(r.http.Request.Header.Peek("X-Forwarded-For"))
		last := strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
		if a, err := netip.ParseAddr(last); err == nil {
			return a.String()
		}
	}
	return remote.String()
}

// id is a number in the path.
func (r *request) id(name string) int64 {
	n, _ := strconv.ParseInt(r.args[name], 10, 64) // match has checked it
	return n
}

func (r *request) conversation() int64 { return r.id("conversation_id") }

// socketID names the connection of the sender, which need not be told.
func (r *request) socketID() string {
	s := string(r.http.Request.Header.Peek("X-Socket-ID"))
	if !realtime.IsSocketID(s) {
		return ""
	}
	return s
}

// number reads a number of the query string, between low and high.
func (r *request) number(name string, missing, low, high int64) (int64, error) {
	text := string(r.http.QueryArgs().Peek(name))
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return 0, invalid(name, "The %s field must be an integer.")
	case n < low:
		return 0, invalid(name, "The %s field must be at least "+strconv.FormatInt(low, 10)+".")
	case n > high:
		return 0, invalid(name, "The %s field must not be greater than "+strconv.FormatInt(high, 10)+".")
	}
	return n, nil
}

const (
	pageSize = 20
	maxPage  = 500 // nobody turns more pages, and each costs more
)

// page reads the page of a list and returns it with the number of rows before it.
func (r *request) page() (page, offset int, err error) {
	n, err := r.number("page", 1, 1, maxPage)
	return int(n), int(n-1) * pageSize, err
}

// answer writes JSON.
func (r *request) answer(status int, v any) error {
	writeJSON(r.http, status, v)
	return nil
}

// nothing answers what needs no words.
func (r *request) nothing() error {
	r.http.SetStatusCode(fasthttp.StatusNoContent)
	r.http.Response.Header.Set("Cache-Control", "no-store")
	return nil
}

// writeJSON does not escape what only HTML would need escaped: the answer says that it is none.
func writeJSON(ctx *fasthttp.RequestCtx, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err)) // our types can be encoded
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBody(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
