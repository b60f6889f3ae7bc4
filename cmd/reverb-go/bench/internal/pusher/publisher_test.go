package pusher

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

func newApp(t *testing.T) *App {
	t.Helper()
	tg, err := target.Parse("", "ws://the-key:the-secret@127.0.0.1:80/prefix/the-id")
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewApp(tg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestRequestsAreSigned has package auth check the proof as a server does, for several requests in a row: the
// signer is used again.
func TestRequestsAreSigned(t *testing.T) {
	a := newApp(t)
	s := a.newMAC()
	for _, body := range []string{`{"name":"a"}`, ``, `{"name":"b","data":"ü"}`} {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.append(nil, a, "/events", []byte(body)))))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(req.Body)
		if err != nil || string(got) != body {
			t.Errorf("got body %q and %v, want %q", got, err, body)
		}
		if want := "/prefix/apps/the-id/events"; req.URL.Path != want {
			t.Errorf("got path %q, want %q", req.URL.Path, want)
		}
		r := auth.Request{Method: "POST", Path: []byte(req.URL.Path), Query: []byte(req.URL.RawQuery), Body: got}
		if err := a.auth.VerifyRequest(r, "/prefix", time.Now()); err != nil {
			t.Errorf("%q: the signature is refused: %v", body, err)
		}
	}
}

func TestSubscribeMessage(t *testing.T) {
	a := newApp(t)
	for _, tt := range []struct {
		channel, data string
		private       bool
		want          string
	}{
		{"news", "", false, `{"event":"pusher:subscribe","data":{"auth":"","channel":"news"}}`},
		{"private-a", "", true, `{"event":"pusher:subscribe","data":{"auth":"` + a.auth.SignChannel("1.2", "private-a", "") + `","channel":"private-a"}}`},
		{"presence-a", `{"user_id":1}`, true, `{"event":"pusher:subscribe","data":{"auth":"` + a.auth.SignChannel("1.2", "presence-a", `{"user_id":1}`) +
			`","channel_data":"{\"user_id\":1}","channel":"presence-a"}}`},
	} {
		if got := string(a.subscribe("1.2", tt.channel, tt.data, tt.private)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.channel, got, tt.want)
		}
	}
}
