package doctor

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// cutter is a server, or a proxy, that welcomes a connection and cuts it.
func cutter(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		const welcome = `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}`
		if err := wsutil.WriteServerText(conn, []byte(welcome)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// TestSilenceCut has a connection cut before clients ping, which none survives, and after.
func TestSilenceCut(t *testing.T) {
	address, err := url.Parse(cutter(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		lasts time.Duration
		want  string
	}{
		{20 * time.Second, "error was cut after 20s"},
		{60 * time.Second, "warning was cut after 1m0s"},
	} {
		a := App{App: newApp("1", "a-key", "a-secret")}
		a.ActivityTimeout = 30 * time.Second
		a.Browser = &pusher.Server{URL: address, App: &a.App.App}
		now := time.Unix(0, 0)
		p := Patient{Apps: []App{a}, Patience: time.Hour, Now: func() time.Time {
			defer func() { now = now.Add(tt.lasts) }()
			return now
		}}
		var r report
		checkIdle(t.Context(), &r, p)
		wantFindings(t, r.list, tt.want)
	}
}
