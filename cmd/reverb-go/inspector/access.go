package inspector

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/server"
)

// isKnownTo reports whether a client may know that there is an inspector. Without a token that is who asks from this
// machine. A page of somebody else that the browser here shows could have its own name point here; then the request
// is for that name.
func (i *Inspector) isKnownTo(in server.Inspection, ctx *fasthttp.RequestCtx) bool {
	if i.options.Token != "" {
		return true
	}
	addr, ok := in.Client(ctx)
	return ok && addr.IsLoopback() && isLocalName(string(ctx.Host()))
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// viewerHeader names who looks: a random word that the page makes up. Browsers let no other site send it.
const viewerHeader = "X-Reverb-Inspector"

// refuse returns why a call may not be made, or nil.
func (i *Inspector) refuse(r *request) *problem {
	h := &r.Request.Header
	if i.options.Token != "" && !i.hasToken(h) {
		// A page asks without one until somebody has typed it.
		if len(h.Peek("Authorization")) > 0 && i.refusals.isNews(i.options.Now()) {
			r.log("refused: the token is wrong")
		}
		return &problem{http.StatusUnauthorized, "the token is missing or wrong", "it is what REVERB_GO_ADMIN_TOKEN is on the server"}
	}
	viewer := string(h.Peek(viewerHeader))
	switch {
	case viewer == "" || len(viewer) > maxViewerName:
		return &problem{http.StatusForbidden, "the header " + viewerHeader + " is missing", "any short word will do, the same in each request"}
	case !isSameOrigin(h):
		return &problem{http.StatusForbidden, "another site has sent this", "open the inspector itself; a proxy has to pass the Host header on"}
	case r.IsPost() && !strings.HasPrefix(string(h.ContentType()), "application/json"):
		return &problem{http.StatusUnsupportedMediaType, "the body is not JSON", "Content-Type has to be application/json"}
	}
	return i.viewers.admit(viewer, i.options.Now())
}

// hasToken compares in constant time, whatever the lengths.
func (i *Inspector) hasToken(h *fasthttp.RequestHeader) bool {
	given, ok := strings.CutPrefix(string(h.Peek("Authorization")), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], i.token[:]) == 1 && ok
}

// isSameOrigin believes what browsers say about where a request comes from. The scheme is not compared, which a proxy
// may have changed.
func isSameOrigin(h *fasthttp.RequestHeader) bool {
	if site := string(h.Peek("Sec-Fetch-Site")); site != "" && site != "same-origin" {
		return false
	}
	origin := string(h.Peek("Origin"))
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, string(h.Host()))
}

const (
	maxViewers    = 8
	maxViewerName = 40
	viewerTime    = 10 * time.Second // after which who does not ask has gone
	viewerRate    = 20               // requests in a second
	viewerBurst   = 40
)

// viewers are who look at the moment.
type viewers struct {
	mu   sync.Mutex // guards seen
	seen map[string]*viewer
}

type viewer struct {
	last time.Time
	left float64 // requests
}

// admit returns nil, or why a viewer has to wait.
func (v *viewers) admit(name string, now time.Time) *problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	for other, who := range v.seen {
		if now.Sub(who.last) > viewerTime {
			delete(v.seen, other)
		}
	}
	if v.seen == nil {
		v.seen = make(map[string]*viewer)
	}
	who := v.seen[name]
	if who == nil {
		if len(v.seen) >= maxViewers {
			return &problem{http.StatusTooManyRequests, "too many people look at this node already", "close an inspector elsewhere; its place is free after ten seconds"}
		}
		who = &viewer{last: now, left: viewerBurst}
		v.seen[name] = who
	}
	who.left = min(viewerBurst, who.left+now.Sub(who.last).Seconds()*viewerRate)
	who.last = now
	if who.left < 1 {
		return &problem{http.StatusTooManyRequests, "too many requests", "wait a second"}
	}
	who.left--
	return nil
}

func (v *viewers) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.seen)
}

// refusals keep wrong tokens from filling the log.
type refusals struct {
	mu   sync.Mutex // guards last
	last time.Time
}

// isNews reports whether a second has passed since the last one.
func (f *refusals) isNews(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.last) < time.Second {
		return false
	}
	f.last = now
	return true
}
