package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/server/webhook"
)

// TestHangingEndpointAndSockets has clients talk while every endpoint hangs (P:WHK-09). Each client event makes a webhook; all of
// them arrive, at once, and in order. It prints how long one takes, with an endpoint that answers and with one that hangs.
func TestHangingEndpointAndSockets(t *testing.T) {
	const events = 500
	for _, tc := range []struct {
		name  string
		hangs bool
	}{{"answers", false}, {"hangs", true}} {
		t.Run(tc.name, func(t *testing.T) {
			arrived, release := make(chan struct{}, 1), make(chan struct{})
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				select {
				case arrived <- struct{}{}:
				default:
				}
				if tc.hangs {
					<-release
				}
			}))
			defer backend.Close()
			defer close(release)
			app := newApp(t)
			d, err := webhook.New(webhook.Config{app.ID: {Endpoints: []webhook.Endpoint{{URL: backend.URL, Unbatched: true}}}}, webhook.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				d.Close(ctx) // it would wait for the endpoint
			}()
			url := serve(t, app, d)
			a, b := connect(t, url), connect(t, url)
			for _, c := range []*client{a, b} {
				c.send(`{"event":"pusher:subscribe","data":{"channel":"c"}}`)
				c.hears("subscription_succeeded")
			}
			<-arrived // from here on the endpoint hangs, or does not
			var took []time.Duration
			for i := range events {
				began := time.Now()
				a.send(`{"event":"client-e","channel":"c","data":"%d."}`, i)
				b.hears(fmt.Sprintf(`"data":"%d."`, i))
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("a client event to another client: median %v, 99 %% within %v", took[events/2], took[events*99/100])
		})
	}
}
