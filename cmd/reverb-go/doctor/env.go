package doctor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// rebuild is what it takes until browsers know of a changed variable.
const rebuild = `; then build the assets again ("npm run build"), which have the old value in them`

// checkEnv compares what .env says to browsers with what it says to Laravel and the server.
func checkEnv(_ context.Context, r *report, p Patient) {
	e := env{p.Config.Dotenv}
	if len(e.vars) == 0 {
		return
	}
	leaks := e.checkLeaks(r, p.Config.Apps)
	if app, ok := e.app(p.Config.Apps); ok {
		e.checkKey(r, app, leaks)
		e.checkCredentials(r, app)
	}
	for _, prefix := range []string{"REVERB", "VITE_REVERB"} {
		e.checkAddress(r, prefix)
	}
	e.checkBroadcaster(r)
	if len(r.list) == 0 {
		r.ok("the REVERB_ and VITE_REVERB_ variables of .env fit together")
	}
}

// env is a .env file.
type env struct{ vars laravel.Env }

// get returns a value with its ${OTHER}s, which Vite expands whatever the order of lines.
func (e env) get(name string) string { return e.expand(name, 5) }

func (e env) expand(name string, depth int) string {
	if depth == 0 {
		return ""
	}
	return os.Expand(e.vars[name].Value, func(other string) string { return e.expand(other, depth-1) })
}

func (e env) has(name string) bool { return e.get(name) != "" }

// app returns the app that the file is about.
func (e env) app(apps []config.App) (config.App, bool) {
	for _, a := range apps {
		if a.ID == e.get("REVERB_APP_ID") || a.Key == e.get("VITE_REVERB_APP_KEY") {
			return a, true
		}
	}
	if len(apps) == 1 {
		return apps[0], true
	}
	return config.App{}, false
}

// checkLeaks returns the variables that give a secret to everybody.
func (e env) checkLeaks(r *report, apps []config.App) map[string]bool {
	leaks := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		if !strings.HasPrefix(name, "VITE_") || !e.has(name) {
			continue
		}
		for _, a := range apps {
			if e.get(name) == a.Secret {
				leaks[name] = true
				r.problem(fmt.Sprintf("%s gives the secret of app %q to everybody who looks at the page", name, a.ID),
					"take the variable out, or set it to the key if that is what it is for; make up a new secret"+rebuild)
				break
			}
		}
	}
	return leaks
}

func (e env) checkKey(r *report, app config.App, leaks map[string]bool) {
	const name = "VITE_REVERB_APP_KEY"
	key := e.get(name)
	fix := fmt.Sprintf(`write %s="${REVERB_APP_KEY}"`, name) + rebuild
	switch {
	case key == "" || key == app.Key || leaks[name]:
	case key == app.ID:
		r.problem(fmt.Sprintf("%s is the app's id, and browsers need its key", name), fix)
	default:
		r.problem(fmt.Sprintf("browsers are built with the key %q (%s), and the server's app has the key %q", key, name, app.Key), fix)
	}
}

func (e env) checkCredentials(r *report, app config.App) {
	const fix = "make up others, for instance with \"openssl rand -hex 16\""
	switch {
	case app.Key == app.Secret:
		r.problem("REVERB_APP_KEY and REVERB_APP_SECRET are the same, and everybody knows the key", fix)
	case app.Key == app.ID:
		r.warn("REVERB_APP_ID and REVERB_APP_KEY are the same: is one of them in the wrong place?", fix)
	}
}

// checkAddress looks at PREFIX_HOST, PREFIX_PORT and PREFIX_SCHEME.
func (e env) checkAddress(r *report, prefix string) {
	again := ""
	if prefix != "REVERB" {
		again = rebuild
	}
	if host := e.get(prefix + "_HOST"); host != "" {
		e.checkHost(r, prefix, host, again)
	}
	scheme := e.get(prefix + "_SCHEME")
	switch scheme {
	case "", "http", "https":
	default:
		r.problem(fmt.Sprintf("%s_SCHEME is %q, which means nothing to Echo and Laravel", prefix, scheme), "it is http or https, also for WebSockets"+again)
	}
	if port := e.get(prefix + "_PORT"); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			r.problem(fmt.Sprintf("%s_PORT is %q, which is no port", prefix, port), "443 is usual behind a proxy with TLS"+again)
		}
	}
	page, err := url.Parse(e.get("APP_URL"))
	if prefix == "REVERB" || err != nil || page.Host == "" {
		return
	}
	if page.Scheme == "https" && scheme == "http" {
		r.problem("APP_URL is https and VITE_REVERB_SCHEME is http, and browsers do not connect to ws:// from such a page", "set the scheme to https, and the port to one with TLS"+again)
	}
	if host := e.get(prefix + "_HOST"); isLoopback(host) && !isLoopback(page.Hostname()) && !strings.HasSuffix(page.Hostname(), ".test") {
		r.problem(fmt.Sprintf("VITE_REVERB_HOST is %s, so that each browser looks for the server on its own machine", host), fmt.Sprintf("set it to %s, or wherever the server is reached from outside", page.Hostname())+again)
	}
}

func (e env) checkHost(r *report, prefix, host, again string) {
	name := prefix + "_HOST"
	switch {
	case strings.Contains(host, "://") || strings.Contains(host, "/"):
		r.problem(fmt.Sprintf("%s is %q, which is more than a host", name, host), fmt.Sprintf("leave the name alone; %s_SCHEME and %s_PORT say the rest", prefix, prefix)+again)
	case net.ParseIP(strings.Trim(host, "[]")) == nil && strings.Contains(host, ":"):
		r.problem(fmt.Sprintf("%s is %q, with a port in it", name, host), fmt.Sprintf("%s_PORT is for that", prefix)+again)
	case net.ParseIP(strings.Trim(host, "[]")).IsUnspecified():
		r.problem(fmt.Sprintf("%s is %s, an address to listen on and none to connect to", name, host), "set the host that browsers know; REVERB_SERVER_HOST says where the server listens"+again)
	}
}

// checkBroadcaster sees to it that Laravel publishes here at all.
func (e env) checkBroadcaster(r *report) {
	name := "BROADCAST_CONNECTION"
	if !e.has(name) {
		name = "BROADCAST_DRIVER" // before Laravel 11
	}
	switch value := e.get(name); value {
	case "", "reverb", "pusher":
	default:
		r.problem(fmt.Sprintf("%s is %s, so that Laravel publishes no event to this server", name, value), "set it to reverb")
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}

// BrowserAddress is where .env sends browsers; "" for what it does not say.
func BrowserAddress(vars laravel.Env) (scheme, host, port string) {
	e := env{vars}
	return e.get("VITE_REVERB_SCHEME"), e.get("VITE_REVERB_HOST"), e.get("VITE_REVERB_PORT")
}
