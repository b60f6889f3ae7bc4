package http

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// Config is what a Server works with. All is required but for what says otherwise.
type Config struct {
	Store      domain.Store
	Live       Live
	Publisher  Publisher
	Gatekeeper Gatekeeper
	Queue      Dispatcher
	Dashboard  Dashboard        // nil if there are no queues
	Page       fs.FS            // nil if it was not built
	Checks     map[string]Check // what /up asks, by name; "database" must answer

	Key      []byte        // signs sessions
	Secure   bool          // cookies are for https only
	Lifetime time.Duration // of a session that is not used
	Public   api.Config    // what the page is told; without a CSRF token

	Registry *prometheus.Registry
	Log      *slog.Logger
	Now      func() time.Time
}

// Check asks a part of the app whether it is there.
type Check func(context.Context) error

// Live knows what is true for seconds.
type Live interface {
	Allow(ctx context.Context, l ephemeral.Limit, who string) (time.Duration, bool)
	Forgive(ctx context.Context, l ephemeral.Limit, who string) error
	StartTyping(ctx context.Context, conversation, user int64) (time.Time, error)
	StopTyping(ctx context.Context, conversation, user int64) (bool, error)
	Typing(ctx context.Context, conversation int64, users []int64) (map[int64]time.Time, error)
	Heartbeat(ctx context.Context, user, conversation int64) (time.Time, error)
	Leave(ctx context.Context, user int64) error
	Online(ctx context.Context, users []int64) (map[int64]bool, error)
}

// Publisher tells browsers at once.
type Publisher interface {
	Publish(ctx context.Context, e realtime.Event) error
}

// Gatekeeper signs subscriptions.
type Gatekeeper interface {
	Channel(ctx context.Context, u domain.User, socketID, channel string) (api.ChannelAuth, error)
	User(u domain.User, socketID string) (api.UserAuth, error)
}

// Dispatcher takes jobs that are in the store.
type Dispatcher interface{ Dispatch([]domain.Job) }

// Dashboard knows how the queues are doing.
type Dashboard interface {
	Stats(ctx context.Context) (api.Horizon, error)
	Recent(ctx context.Context, queue string, limit, offset int) ([]api.HorizonJob, bool, error)
	Failed(ctx context.Context, queue string, limit, offset int) ([]api.HorizonJob, bool, error)
	Retry(ctx context.Context, id string) error
	Forget(ctx context.Context, id string) error
}

// Server serves the app. It may be used from any goroutine.
type Server struct {
	Config
	routes  []*route
	numbers *numbers
	metrics fasthttp.RequestHandler
	http    *fasthttp.Server
}

// maxRequestBody has room for the longest message, each of its characters written as two escapes.
const maxRequestBody = 128 << 10

// New returns a Server.
func New(cfg Config) *Server {
	s := &Server{Config: cfg, numbers: newNumbers(cfg.Registry), metrics: metricsHandler(cfg.Registry)}
	s.routes = s.table()
	s.http = &fasthttp.Server{
		Handler: s.serve, Name: "messaging", NoDefaultServerHeader: true,
		MaxRequestBodySize: maxRequestBody, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second,
		ErrorHandler: refuseRequest, Logger: quiet{cfg.Log}, CloseOnShutdown: true,
	}
	return s
}

// Serve answers requests until Shutdown.
func (s *Server) Serve(ln net.Listener) error { return s.http.Serve(ln) }

// Shutdown takes no more requests and waits for those that are being answered.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.ShutdownWithContext(ctx) }

// quiet has fasthttp tell of broken connections only to those who look for them.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(format string, args ...any) { q.log.Debug(fmt.Sprintf(format, args...)) }

// refuseRequest answers what could not be read as a request.
func refuseRequest(ctx *fasthttp.RequestCtx, err error) {
	status, message := fasthttp.StatusBadRequest, "The request cannot be read."
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		status, message = fasthttp.StatusRequestEntityTooLarge, "The request is too large."
	case errors.As(err, &timeout) && timeout.Timeout():
		status, message = fasthttp.StatusRequestTimeout, "The request did not come to an end."
	}
	writeJSON(ctx, status, api.Error{Message: message})
}

// requestTimeout is for everything that an answer waits for.
const requestTimeout = 15 * time.Second

// serve answers a request.
func (s *Server) serve(ctx *fasthttp.RequestCtx) {
	start := s.Now()
	route, args := s.match(ctx)
	defer func() {
		if fault := recover(); fault != nil {
			s.Log.Error("a handler broke down", "route", route.path, "fault", fault, "stack", string(debug.Stack()))
			ctx.Response.Reset()
			writeJSON(ctx, fasthttp.StatusInternalServerError, api.Error{Message: serverError})
		}
		s.numbers.count(route, ctx.Response.StatusCode(), s.Now().Sub(start))
	}()
	setHeaders(ctx)
	if route.plain != nil {
		route.plain(ctx)
		return
	}
	background, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	r := &request{http: ctx, ctx: background, server: s, route: route, args: args, now: start}
	if err := r.handle(); err != nil {
		r.fail(err)
	}
}

func setHeaders(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
}
