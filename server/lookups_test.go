package server_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/reverb-go/reverb-go/server"
)

// TestLookupsLogged has many clients and requests ask for apps that cannot be looked up: all are refused, and
// the log says so once a second.
func TestLookupsLogged(t *testing.T) {
	var log lines
	r := refusal{script: `
a> (connect /app/app-key)
a< {"event":"pusher:error"$*
a< (closed 4100 $*)
b> (connect /app/other-key)
b< {"event":"pusher:error"$*
b< (closed 4100 $*)
api> (10 times) GET /apps/1/channels
api< (10 times) 503 $*
(1s passes)
api> (10 times) GET /apps/1/channels
api< (10 times) 503 $*
`, set: func(c *server.Config) {
		c.Apps, c.Logger = lostApps{}, slog.New(slog.NewTextHandler(&log, nil))
	}}
	s := scriptOf(t, r)
	on, _ := openRefusing(t, s, r)
	perform(t, s, on)
	if got := strings.Count(log.String(), "app not looked up"); got != 2 {
		t.Errorf("%d lines about lookups in two seconds, want 2:\n%s", got, log.String())
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
