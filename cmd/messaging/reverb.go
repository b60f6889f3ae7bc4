package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/jobs"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// publisher tells browsers, and says whether it could.
type publisher interface {
	jobs.Publisher
	Ping(ctx context.Context) error
}

const publishTimeout = 5 * time.Second

// websocketApp is the app by whose key and secret we and browsers are known to the websocket server. For a server of our
// own nobody needs to choose these.
func (a *app) websocketApp(own bool) (*auth.App, error) {
	r := a.settings.Reverb
	if own && !r.HasApp() {
		r.ID, r.Key, r.Secret = "messaging", derive(a.settings.Key, "reverb key"), derive(a.settings.Key, "reverb secret")
	}
	if !r.HasApp() {
		if a.settings.Realtime && a.settings.Broadcast == "reverb" {
			return nil, &config.Problem{
				Sentence: "REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET are not all set",
				Hint:     `they are those of the websocket server's app; "messaging start --with-reverb" brings its own`,
			}
		}
		r.ID, r.Key, r.Secret = "none", derive(a.settings.Key, "no key"), derive(a.settings.Key, "no secret") // nobody is told of them
	}
	app := auth.DefaultApp()
	app.ID, app.Key, app.Secret = r.ID, r.Key, r.Secret
	return auth.NewApp(app)
}

// publisher is what BROADCAST_CONNECTION names. When nobody opens a socket there is nobody to tell.
func (a *app) publisher(app *auth.App) publisher {
	r := a.settings.Reverb
	switch {
	case a.settings.Broadcast == "log":
		return realtime.Log{Logger: a.log}
	case a.settings.Broadcast == "null" || !a.settings.Realtime:
		return realtime.Null{}
	}
	return realtime.New(realtime.Settings{
		App: app, Host: r.Server.Host, Port: r.Server.Port, Scheme: r.Server.Scheme, Path: r.Server.Path,
		MaxRequestSize: r.MaxRequestSize, Timeout: publishTimeout,
	})
}

// startReverb runs a websocket server in this process, and has the app and its page use it.
func (a *app) startReverb(app *auth.App, host string) error {
	r := &a.settings.Reverb
	if r.Listen.Host != "" {
		host = r.Listen.Host
	}
	ln, err := listen(host, r.Listen.Port, "REVERB_SERVER_PORT")
	if err != nil {
		return err
	}
	apps, err := auth.NewApps(app)
	if err != nil {
		return err
	}
	srv, err := server.New(server.Config{Apps: apps, Path: r.Listen.Path, MaxRequestSize: r.MaxRequestSize, Logger: a.log}, scaling.NewLocal())
	if err != nil {
		return err
	}
	var done sync.WaitGroup
	done.Go(func() { _ = srv.Serve(ln) })
	a.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		_ = srv.Shutdown(ctx)
		ln.Close()
		done.Wait()
	})
	port := ln.Addr().(*net.TCPAddr).Port
	r.Server = settings.Address{Host: reachable(host), Port: port, Scheme: "http", Path: r.Listen.Path}
	if !r.HasBrowser {
		r.Browser = r.Server
		r.Browser.Host = ""
	}
	a.log.Info("the websocket server runs in this process", "url", "ws://"+ln.Addr().String())
	return nil
}

// reachable is the host to connect to for who listens on all of them.
func reachable(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// listen explains a port that is taken; name is what sets it.
func listen(host string, port int, name string) (net.Listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, &config.Problem{Sentence: fmt.Sprintf("cannot listen on port %d: %v", port, err), Hint: name + " takes another port; 0 takes any that is free"}
	}
	return ln, nil
}
