// Package undertest runs a server in the process of a test, to be load-tested there.
package undertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// Start runs a server until the test ends and returns its URL with the credentials of its app. wrap may
// put something between it and its clients, which then speak scheme; nil is nothing.
func Start(t testing.TB, scheme string, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "app-id", "app-key", "app-secret"
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	apps, err := auth.NewApps(app)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Apps: apps, MaxRequestSize: 100_000}, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("%s://app-key:app-secret@%s/app-id?pid=%d", scheme, ln.Addr(), os.Getpid())
	if wrap != nil {
		ln = wrap(ln)
	}
	serve(t, srv, ln)
	return url
}

func serve(t testing.TB, srv *server.Server, ln net.Listener) {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}
