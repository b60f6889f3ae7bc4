package http

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/valyala/fasthttp"
)

// pagePolicy lets the page load what is ours, open a websocket anywhere the configuration says, and nothing else.
const pagePolicy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// servePage serves the files of the page, all of which are in memory.
func (s *Server) servePage(ctx *fasthttp.RequestCtx) {
	name := strings.TrimPrefix(path.Clean(string(ctx.Path())), "/")
	if name == "" || name == "login" {
		name = "index.html"
	}
	ctx.Response.Header.Set("Content-Security-Policy", pagePolicy)
	if s.Page == nil {
		if name == "index.html" {
			ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
			ctx.SetContentType("text/html; charset=utf-8")
			ctx.SetBodyString(notBuilt)
			return
		}
		refusePath(ctx)
		return
	}
	content, err := fs.ReadFile(s.Page, name)
	if err != nil || strings.HasPrefix(path.Base(name), ".") {
		refusePath(ctx)
		return
	}
	ctx.SetContentType(contentType(name))
	caching := "no-cache"
	if strings.HasPrefix(name, "assets/") { // whose names change with their content
		caching = "public, max-age=31536000, immutable"
	}
	ctx.Response.Header.Set("Cache-Control", caching)
	ctx.SetBody(content)
}

// notBuilt is shown by a program that was built without the page.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Messages</title><h1>The page was not built into this program</h1>
<p>Run <code>make messaging</code>, which needs Node.js and npm, or <code>make web</code> and then build the program again.
<p>The API works without it, and so does <a href="/horizon">/horizon</a>.`

func refusePath(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(fasthttp.StatusNotFound)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString("Not found.")
}

// contentType does not depend on what the machine believes about file names.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
	}
	return "application/octet-stream"
}

// serveAvatar draws the picture of who has none: /avatars/AL.svg has the letters A and L. It knows no users.
func serveAvatar(ctx *fasthttp.RequestCtx) {
	name := path.Base(string(ctx.Path()))
	letters, ok := strings.CutSuffix(name, ".svg")
	if !ok || len(letters) < 1 || len(letters) > 2 || strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		refusePath(ctx)
		return
	}
	h := fnv.New32a()
	h.Write([]byte(letters))
	ctx.SetContentType("image/svg+xml")
	ctx.Response.Header.Set("Cache-Control", "public, max-age=86400")
	ctx.Response.Header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	// Dark enough for white letters in every hue.
	fmt.Fprintf(ctx, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="hsl(%d 45%% 36%%)"/>`+
		`<text x="20" y="20.5" text-anchor="middle" dominant-baseline="central" font-family="system-ui,sans-serif" font-size="16" fill="#fff">%s</text></svg>`,
		h.Sum32()%360, letters)
}
