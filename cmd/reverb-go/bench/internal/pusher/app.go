package pusher

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/netip"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

// An App is an app of the server under test. It may be used from any goroutine.
type App struct {
	target  target.Target
	auth    *auth.App
	upgrade []byte // the request that makes a WebSocket of a connection
	accept  string // what the server must say to it
	tls     *tls.Config
}

// NewApp prepares connections to a target that has been resolved.
func NewApp(t target.Target) (*App, error) {
	credentials := auth.DefaultApp()
	credentials.ID, credentials.Key, credentials.Secret = t.AppID, t.Key, t.Secret
	signer, err := auth.NewApp(credentials)
	if err != nil {
		return nil, err
	}
	a := &App{target: t, auth: signer}
	// One key for all connections: it protects from proxies that answer out of a cache, of which there are none.
	const key = "cmV2ZXJiLWdvIGJlbmNoIQ=="
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	a.accept = base64.StdEncoding.EncodeToString(sum[:])
	a.upgrade = fmt.Appendf(nil, "GET %s/app/%s?protocol=7&client=reverb-go-bench&version=1.0&flash=false HTTP/1.1\r\nHost: %s\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", t.Prefix, t.Key, t.Host, key)
	if t.Secure {
		a.tls = &tls.Config{ServerName: t.HostName(), InsecureSkipVerify: t.Insecure, MinVersion: tls.VersionTLS12}
	}
	return a, nil
}

// NewLoop returns a loop that can reach the app.
func (a *App) NewLoop() (*netloop.Loop, error) {
	if a.target.Secure {
		return netloop.NewPortable(), nil
	}
	return netloop.New()
}

func (a *App) dial(l *netloop.Loop, local netip.Addr, buffer int, h netloop.Handler) *netloop.Conn {
	return l.Dial(netloop.Dial{Remote: a.target.Addr, Local: local, TLS: a.tls, Buffer: buffer}, h)
}

// newMAC returns a hash for signatures of the HTTP API, for one goroutine. Package auth signs too; this is for
// many signatures with little garbage.
func (a *App) newMAC() *signer {
	return &signer{mac: hmac.New(sha256.New, []byte(a.target.Secret))}
}
