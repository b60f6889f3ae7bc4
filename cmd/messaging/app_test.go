package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
)

// openHere opens the app in a folder of its own, with settings from the environment.
func openHere(t *testing.T, env ...string) (*app, *bytes.Buffer) {
	t.Helper()
	t.Chdir(t.TempDir())
	s, err := settings.Load(env, "")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	a, err := open(t.Context(), s, newLog(&log, slog.LevelInfo))
	t.Cleanup(a.close)
	if err != nil {
		t.Fatal(err)
	}
	return a, &log
}

// Where nothing is installed there is a database with people in it, made once, and a Redis of which one is warned.
func TestEmbedded(t *testing.T) {
	a, log := openHere(t)
	for range 2 {
		if err := a.prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	users, err := a.store.SearchUsers(t.Context(), 0, "", 100)
	if err != nil || len(users) != len(demo.Accounts) {
		t.Errorf("got %d users %v, want %v", len(users), err, demo.Accounts)
	}
	if n := strings.Count(log.String(), "jobs and typing state do not survive a restart"); n != 1 {
		t.Errorf("said %d times that Redis is embedded:\n%s", n, log)
	}
}

func TestPublisher(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"", "*realtime.Pusher"},
		{"BROADCAST_CONNECTION=reverb", "*realtime.Pusher"},
		{"BROADCAST_CONNECTION=log", "realtime.Log"},
		{"BROADCAST_CONNECTION=null", "realtime.Null"},
		{"MESSAGING_REALTIME=false", "realtime.Null"},
	} {
		t.Run(tt.env, func(t *testing.T) {
			a, _ := openHere(t, tt.env)
			app, err := a.websocketApp(true)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%T", a.publisher(app)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got, want := a.public(app).Realtime, tt.want == "*realtime.Pusher"; got != want {
				t.Errorf("the page is told realtime=%v, want %v", got, want)
			}
		})
	}
}
