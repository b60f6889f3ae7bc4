package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

func TestHealth(t *testing.T) {
	var fault atomic.Pointer[error]
	apps, err := auth.NewApps()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{
		Apps: apps, Checks: []server.Check{{Name: "apps", Err: func() error { return *fault.Load() }}},
	}, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	url := "http://" + ln.Addr().String() + "/healthz"
	for _, tt := range []struct {
		fault error
		want  string
	}{
		{nil, `{"status":"ok","parts":{"apps":"ok"}}`},
		{errors.New("the database is away"), `{"status":"degraded","parts":{"apps":"the database is away"}}`},
	} {
		fault.Store(&tt.fault)
		resp, err := http.Get(url)
		if status, body := answerOf(resp, err); status != http.StatusOK || body != tt.want {
			t.Errorf("got %d %s, want 200 %s", status, body, tt.want)
		}
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestHealthWithoutRedis asks a node of a cluster whose Redis is not there.
func TestHealthWithoutRedis(t *testing.T) {
	s := startRedis(t)
	r := newRig(t, 1, false, plainClient(s.addr))
	ask := func() string {
		resp, err := http.Get("http://" + r.nodes[0].addr + "/healthz")
		_, body := answerOf(resp, err)
		return body
	}
	r.await("ok", func() bool { return ask() == `{"status":"ok","parts":{"redis":"ok"}}` })
	s.kill()
	r.await("degraded", func() bool { return ask() != `{"status":"ok","parts":{"redis":"ok"}}` })
	s.start(t)
	r.await("ok again", func() bool { return ask() == `{"status":"ok","parts":{"redis":"ok"}}` })
}
