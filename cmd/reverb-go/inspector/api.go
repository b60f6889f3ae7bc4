package inspector

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/server"
)

// A request is one call of the API.
type request struct {
	*fasthttp.RequestCtx
	inspector *Inspector
	in        server.Inspection
}

// patience is how long a call waits for loops and for Redis.
const patience = 2 * time.Second

// A problem is why a call is refused, for people.
type problem struct {
	status   int
	Sentence string `json:"error"`
	Hint     string `json:"hint,omitempty"`
}

func (p *problem) Error() string { return p.Sentence }

// A call returns what is to be answered as JSON.
type call func(r *request, ctx context.Context) (any, error)

// calls are the API: method and name, as in the URL.
var calls = map[string]call{
	"GET overview":    (*request).getOverview,
	"GET nodes":       (*request).getNodes,
	"GET connections": (*request).getConnections,
	"GET channels":    (*request).getChannels,
	"GET channel":     (*request).getChannel,
	"POST taps":       (*request).postTap,
	"GET tap":         (*request).getTap,
	"POST tap/end":    (*request).postTapEnd,
	"POST publish":    (*request).postPublish,
	"POST terminate":  (*request).postTerminate,
	"POST close":      (*request).postClose,
	"POST explain":    (*request).postExplain,
}

func (i *Inspector) serveAPI(r *request, name string) {
	if p := i.refuse(r); p != nil {
		r.fail(p)
		return
	}
	method := string(r.Method())
	do, ok := calls[method+" "+name]
	if !ok {
		r.fail(unknownCall(method, name))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := do(r, ctx)
	if err != nil {
		r.fail(err)
		return
	}
	r.answer(http.StatusOK, answer)
}

func unknownCall(method, name string) *problem {
	for _, other := range []string{"GET ", "POST "} {
		if _, ok := calls[other+name]; ok {
			return &problem{http.StatusMethodNotAllowed, method + " is not for " + name, "it takes " + strings.TrimSpace(other)}
		}
	}
	return &problem{http.StatusNotFound, "there is no call " + name, "is the page of another version? reload it"}
}

func (r *request) answer(status int, v any) {
	body, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if body, err = json.Marshal(v); err != nil {
			r.inspector.options.Logger.Error("inspector: answer not encoded", "err", err)
			status = http.StatusInternalServerError
		}
	}
	r.SetStatusCode(status)
	r.SetContentType("application/json")
	r.SetBody(body)
}

// fail answers with what went wrong. What is no problem of the caller's is one of the server's.
func (r *request) fail(err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{http.StatusServiceUnavailable, err.Error(), ""}
	}
	r.answer(p.status, p)
}

// query returns a parameter of the URL.
func (r *request) query(name string) string { return string(r.QueryArgs().Peek(name)) }

// read decodes the body.
func (r *request) read(v any) error {
	if err := json.Unmarshal(r.PostBody(), v); err != nil {
		return &problem{http.StatusBadRequest, "the request cannot be read: " + err.Error(), ""}
	}
	return nil
}

// log tells the server's log what somebody has done.
func (r *request) log(what string, args ...any) {
	addr, _ := r.in.Client(r.RequestCtx)
	r.inspector.options.Logger.Info("inspector: "+what, append(args, "from", addr)...)
}

func unknownApp(id string) *problem {
	return &problem{http.StatusNotFound, `there is no app "` + id + `"`, "the list of apps says which there are"}
}
