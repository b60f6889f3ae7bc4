package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html"
	"math/big"
	"net"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// throwAwayApp returns an app with credentials like those that "php artisan reverb:install" makes up.
func throwAwayApp() auth.App {
	a := auth.DefaultApp()
	id, _ := rand.Int(rand.Reader, big.NewInt(900_000)) // this reader does not fail
	a.ID = fmt.Sprint(100_000 + id.Int64())
	a.Key, a.Secret = randomWord(), randomWord()
	return a
}

// randomWord returns 20 letters and digits, which are 100 bits.
func randomWord() string { return strings.ToLower(rand.Text()[:20]) }

// throwAwayHost is where a throw-away app is served: its secret is on a screen, and nobody asked for it.
const throwAwayHost = "127.0.0.1"

func (a apps) host(configured string) string {
	if a.throwAway {
		return throwAwayHost
	}
	return configured
}

//go:embed welcome/welcome.html
var welcomePage []byte

// welcomePage is the page to try the throw-away app on; nil without one.
func (a apps) welcomePage(path string) []byte {
	if !a.throwAway {
		return nil
	}
	page := bytes.ReplaceAll(welcomePage, []byte("{{REVERB_APP_KEY}}"), []byte(html.EscapeString(a.All()[0].Key)))
	return bytes.ReplaceAll(page, []byte("{{REVERB_PATH}}"), []byte(html.EscapeString(routePrefix(path))))
}

// introduction presents the throw-away app, with what to paste to use it.
func (a apps) introduction(e endpoint, host config.Setting) string {
	var b strings.Builder
	fmt.Fprintf(&b, "No app is configured, so a throw-away app runs on %s only. Try it in two tabs: %s/\n", throwAwayHost, e.url())
	if h := fmt.Sprint(host.Value); host.Source != "default" && !isLoopback(h) {
		fmt.Fprintf(&b, "The host %s (%s) will be used once there is an app.\n", printable(h), host.Source)
	}
	app := a.All()[0]
	fmt.Fprintf(&b, "\nFor .env:\n\n"+envLines, app.ID, app.Key, app.Secret, e.host, e.port, e.scheme())
	fmt.Fprintf(&b, "\nFor JavaScript:\n\n"+echoLines, app.Key, e.host, e.port, e.port, e.tls != nil)
	if prefix := routePrefix(e.path); prefix != "" {
		fmt.Fprintf(&b, "        wsPath: %q,\n", prefix)
	}
	b.WriteString("    })\n\n")
	return b.String()
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}

const envLines = `    BROADCAST_CONNECTION=reverb
    REVERB_APP_ID=%s
    REVERB_APP_KEY=%s
    REVERB_APP_SECRET=%s
    REVERB_HOST=%q
    REVERB_PORT=%d
    REVERB_SCHEME=%s
`

const echoLines = `    new Echo({
        broadcaster: 'reverb',
        key: '%s',
        wsHost: '%s',
        wsPort: %d,
        wssPort: %d,
        forceTLS: %t,
        enabledTransports: ['ws', 'wss'],
`
