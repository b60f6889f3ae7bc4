package inspector

import (
	"context"
	"crypto/sha256"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// Options say what an Inspector shows, and to whom.
type Options struct {
	Token   string                                            // who has it may look; "" is who is on this machine
	Version string                                            // of the program
	Apps    func() []*auth.App                                // those that are configured
	Nodes   func(context.Context) ([]scaling.NodeInfo, error) // of the cluster; nil for a node that is alone
	Numbers prometheus.Gatherer                               // all that the server counts
	Logger  *slog.Logger                                      // told who does what
	Now     func() time.Time                                  // the clock; nil is time.Now
}

// An Inspector answers below /inspector. Its Handle may be called from any goroutine.
type Inspector struct {
	options  Options
	token    [sha256.Size]byte // of it
	viewers  viewers
	refusals refusals
	overview shared
	nodes    shared
	taps     taps
	search   sync.Mutex // held by the one who searches
	explain  sync.Mutex // held by the one who has signatures tried
}

// New returns an Inspector that nobody looks at yet.
func New(o Options) *Inspector {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Inspector{
		options: o, token: sha256.Sum256([]byte(o.Token)),
		overview: shared{ttl: overviewTTL}, nodes: shared{ttl: nodesTTL},
	}
}

// prefix is where everything is.
const prefix = "/inspector"

// Handle implements server.Inspector.
func (i *Inspector) Handle(in server.Inspection, ctx *fasthttp.RequestCtx, path string) bool {
	if !i.isKnownTo(in, ctx) {
		return false
	}
	protect(&ctx.Response.Header)
	if name, ok := strings.CutPrefix(path, prefix+"/api/"); ok {
		i.serveAPI(&request{RequestCtx: ctx, inspector: i, in: in}, name)
		return true
	}
	if path == prefix+"/" {
		// The page names its files as if it stood there.
		ctx.Response.Header.Set("Location", "../inspector")
		ctx.SetStatusCode(http.StatusPermanentRedirect)
		return true
	}
	return serveFile(ctx, strings.TrimPrefix(strings.TrimPrefix(path, prefix), "/"))
}

//go:embed page
var pageFiles embed.FS

// contentTypes do not depend on what the system knows.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// serveFile answers with a file of the page.
func serveFile(ctx *fasthttp.RequestCtx, name string) bool {
	if name == "" {
		name = "index.html"
	}
	body, err := fs.ReadFile(pageFiles, "page/"+name)
	if err != nil || !ctx.IsGet() && !ctx.IsHead() {
		return false
	}
	ctx.SetContentType(contentTypes[path.Ext(name)])
	ctx.SetBody(body)
	return true
}

// protect says that nobody else's script, page or cache has anything to do with this.
func protect(h *fasthttp.ResponseHeader) {
	for name, value := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		h.Set(name, value)
	}
}
