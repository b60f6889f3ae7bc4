package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
	"github.com/reverb-go/reverb-go/server/webhook"
)

// TestServer has a client do everything there is a webhook for (P:WHK-01 to 06, and 11), and reads the webhooks.
func TestServer(t *testing.T) {
	app := newApp(t)
	hooks := make(chan string, 100)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hooks <- string(body)
	}))
	defer backend.Close()
	d, err := webhook.New(webhook.Config{app.ID: {Endpoints: []webhook.Endpoint{{URL: backend.URL, Unbatched: true}}}}, webhook.Options{
		Grace: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, app, d)

	c := connect(t, url)
	channelData := `{"user_id":7}`
	subscribe := func() {
		c.send(`{"event":"pusher:subscribe","data":{"channel":"presence-p","auth":%q,"channel_data":%q}}`,
			app.SignChannel(c.socketID, "presence-p", channelData), channelData)
		c.hears("subscription_succeeded")
	}
	subscribe()
	c.send(`{"event":"client-x","channel":"presence-p","data":{"a":1}}`)
	// This is a page that is reloaded.
	c.send(`{"event":"pusher:unsubscribe","data":{"channel":"presence-p"}}`)
	subscribe()
	c.send(`{"event":"pusher:subscribe","data":{"channel":"cache-c"}}`)
	c.hears("cache_miss")
	c.Close()

	var got []string
	for len(got) < 9 {
		select {
		case body := <-hooks:
			var decoded struct{ Events []json.RawMessage }
			if err := json.Unmarshal([]byte(body), &decoded); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			got = append(got, string(decoded.Events[0]))
		case <-time.After(time.Minute):
			t.Fatalf("heard nothing for a minute after\n%s", strings.Join(got, "\n"))
		}
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	want := []string{
		`{"name":"channel_occupied","channel":"presence-p"}`,
		`{"name":"member_added","channel":"presence-p","user_id":"7"}`,
		`{"name":"client_event","channel":"presence-p","event":"client-x","data":"{\"a\":1}","socket_id":"` + c.socketID + `","user_id":"7"}`,
		`{"name":"channel_occupied","channel":"cache-c"}`,
		`{"name":"subscription_count","channel":"cache-c","subscription_count":1}`,
		`{"name":"cache_miss","channel":"cache-c"}`,
		`{"name":"member_removed","channel":"presence-p","user_id":"7"}`,
		`{"name":"channel_vacated","channel":"presence-p"}`,
		`{"name":"channel_vacated","channel":"cache-c"}`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("webhooks\n got %s\nwant %s", g, w)
	}
	if len(hooks) > 0 {
		t.Errorf("there came another one: %s", <-hooks)
	}
}

func newApp(t *testing.T) *auth.App {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret, a.CountSubscriptions = "1", "app-key", "app-secret", true
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// serve runs a server until the test ends, and returns the URL for clients.
func serve(t *testing.T, app *auth.App, hooks server.Hooks) string {
	t.Helper()
	apps, err := auth.NewApps(app)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Apps: apps, Hooks: hooks}, scaling.NewLocal())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- srv.Serve(ln) }()
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return "ws://" + ln.Addr().String() + "/app/" + app.Key + "?protocol=7"
}

// client is a connection whose socket ID is known.
type client struct {
	net.Conn
	in       io.Reader
	t        *testing.T
	socketID string
}

func connect(t *testing.T, url string) *client {
	t.Helper()
	conn, early, _, err := ws.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{Conn: conn, in: conn, t: t}
	if early != nil { // bytes that came with the handshake
		c.in = io.MultiReader(early, conn)
	}
	var established struct{ Data string }
	var data struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal(c.hears("connection_established"), &established); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(established.Data), &data); err != nil {
		t.Fatal(err)
	}
	c.socketID = data.SocketID
	return c
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c, fmt.Appendf(nil, format, args...)); err != nil {
		c.t.Fatal(err)
	}
}

// hears reads until there is a message with this text.
func (c *client) hears(text string) []byte {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		message, err := wsutil.ReadServerText(struct {
			io.Reader
			io.Writer
		}{c.in, c})
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", text, err)
		}
		if bytes.Contains(message, []byte(text)) {
			return message
		}
	}
}
