package doctor

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// redisError is an answer of a Redis.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

func TestRedisFixes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{redisError("NOAUTH Authentication required."), "set REDIS_PASSWORD"},
		{redisError("WRONGPASS invalid username-password pair or user is disabled."), "are not those it knows"},
		{redisError("NOPERM this user has no permissions to run the 'time' command"), "the ACL of its user"},
		{errors.New("tls: first record does not look like a TLS handshake"), "rediss:// speaks TLS"},
		{errors.New("x509: certificate signed by unknown authority"), "rediss:// speaks TLS"},
		{io.EOF, "is it a Redis"},
		{context.DeadlineExceeded, "is it a Redis"},
		{errors.New("connection refused"), "is it running"},
	} {
		if got := redisFix(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestAPIFixes(t *testing.T) {
	a := App{App: newApp("1", "a-key", "a-secret"), Backend: &pusher.Server{URL: &url.URL{Path: "/ws"}}}
	for _, tt := range []struct {
		status int
		body   string
		want   string
	}{
		{http.StatusUnauthorized, "", "another secret"},
		{http.StatusNotFound, "", "pass on /ws/apps/ as well as /ws/app/"},
		{http.StatusForbidden, "", "disabled there"},
		{http.StatusOK, "<html>", "something else answers"},
		{http.StatusBadGateway, "", "does not reach this server"},
	} {
		err := &pusher.StatusError{Status: tt.status, Body: []byte(tt.body), Header: http.Header{}}
		if got := apiFix(a, err); !strings.Contains(got, tt.want) {
			t.Errorf("%d: got %q, want %q", tt.status, got, tt.want)
		}
	}
}
