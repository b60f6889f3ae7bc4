package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
)

// Event is something for browsers to hear.
type Event struct {
	Channel  string
	Name     string
	Payload  any    // written as JSON; see Shrinker
	SocketID string // the connection that is not to hear it; "" for none
}

// Shrinker is a payload that can do with less, since websocket servers limit the size of what they take.
type Shrinker interface {
	// Shrunk returns a smaller payload, or false if this is the smallest.
	Shrunk() (any, bool)
}

// Settings say where the websocket server is.
type Settings struct {
	App            *auth.App
	Host           string
	Port           int
	Scheme         string        // http or https
	Path           string        // in front of /apps
	MaxRequestSize int           // of a whole HTTP request, as the server has it
	Timeout        time.Duration // of one request
}

// Pusher publishes through the Pusher HTTP API. It may be used from any goroutine.
type Pusher struct {
	app     *auth.App
	base    string // scheme, host and prefix
	maxBody int
	timeout time.Duration
	http    *fasthttp.Client
	now     func() time.Time
}

// headersSize is left for the request line, with its signature, and the headers.
const headersSize = 1000

// New returns a Pusher. It connects when it is first used.
func New(s Settings) *Pusher {
	base := url.URL{Scheme: s.Scheme, Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	if prefix := strings.Trim(s.Path, "/"); prefix != "" {
		base.Path = "/" + prefix
	}
	return &Pusher{
		app: s.App, base: base.String(), maxBody: s.MaxRequestSize - headersSize, timeout: s.Timeout, now: time.Now,
		http: &fasthttp.Client{
			Name: "messaging", ReadTimeout: s.Timeout, WriteTimeout: s.Timeout, MaxConnsPerHost: 64,
			MaxConnWaitTimeout: s.Timeout, MaxIdleConnDuration: 30 * time.Second, DisablePathNormalizing: true,
			// A server that was restarted has closed the connection we kept. If it had published before it went, the
			// event comes twice, which clients must bear anyway.
			MaxIdemponentCallAttempts: 2,
			RetryIfErr: func(_ *fasthttp.Request, _ int, err error) (bool, bool) {
				return false, errors.Is(err, fasthttp.ErrConnectionClosed) || errors.Is(err, io.EOF)
			},
		},
	}
}

// Publish returns when the server has taken the event.
func (p *Pusher) Publish(ctx context.Context, e Event) error {
	body, err := p.body(e)
	if err != nil {
		return err
	}
	if err := p.request(ctx, fasthttp.MethodPost, "/events", nil, body); err != nil {
		return fmt.Errorf("publish %s on %s: %w", e.Name, e.Channel, err)
	}
	return nil
}

// Ping reports whether the server answers and knows the app.
func (p *Pusher) Ping(ctx context.Context) error {
	return p.request(ctx, fasthttp.MethodGet, "/channels", url.Values{"filter_by_prefix": {"presence-messaging"}}, nil)
}

type publishBody struct {
	Name     string `json:"name"`
	Channel  string `json:"channel"`
	Data     string `json:"data"`
	SocketID string `json:"socket_id,omitempty"`
}

// body is the request for an event, of a size that the server takes.
func (p *Pusher) body(e Event) ([]byte, error) {
	payload := e.Payload
	for {
		data, err := encode(payload)
		if err != nil {
			return nil, err
		}
		body, err := encode(publishBody{Name: e.Name, Channel: e.Channel, Data: string(data), SocketID: e.SocketID})
		if err != nil || len(body) <= p.maxBody {
			return body, err
		}
		s, ok := payload.(Shrinker)
		if ok {
			payload, ok = s.Shrunk()
		}
		if !ok {
			return nil, fmt.Errorf("publish %s on %s: %d bytes are more than the server takes; hint: raise REVERB_MAX_REQUEST_SIZE here and there", e.Name, e.Channel, len(body))
		}
	}
}

// encode writes JSON without the escapes that HTML would need: it goes through no HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (p *Pusher) request(ctx context.Context, method, path string, query url.Values, body []byte) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	path = "/apps/" + url.PathEscape(p.app.ID) + path
	request.Header.SetMethod(method)
	request.SetRequestURI(p.base + path + "?" + p.app.SignRequest(method, path, query, body, p.now()))
	if body != nil {
		request.Header.SetContentType("application/json")
		request.SetBodyRaw(body)
	}
	deadline := time.Now().Add(p.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.http.DoDeadline(request, response, deadline); err != nil {
		return err
	}
	if status := response.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("the websocket server answered %d: %s", status, excerpt(response.Body()))
	}
	return nil
}

// excerpt is enough of an answer to recognise it.
func excerpt(b []byte) string {
	const most = 200
	if len(b) > most {
		b = b[:most]
	}
	return strings.ToValidUTF8(string(b), "")
}

// Log writes events to a log, as Laravel's driver of that name does. Texts are left out.
type Log struct{ Logger *slog.Logger }

// Publish implements what Pusher does.
func (l Log) Publish(_ context.Context, e Event) error {
	l.Logger.Info("broadcast", "channel", e.Channel, "event", e.Name)
	return nil
}

// Ping has nothing to ask.
func (Log) Ping(context.Context) error { return nil }

// Null drops events.
type Null struct{}

// Publish drops the event.
func (Null) Publish(context.Context, Event) error { return nil }

// Ping has nothing to ask.
func (Null) Ping(context.Context) error { return nil }
