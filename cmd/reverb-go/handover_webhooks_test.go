//go:build linux

package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// heldBack is for how long what may be undone is no news.
const heldBack = 3 * time.Second

// A receiver is an endpoint for webhooks that answers every third request with an error. It keeps what it has
// taken, each event as its name and channel.
type receiver struct {
	t    *testing.T
	http *httptest.Server

	mu       sync.Mutex // guards the following
	requests int
	events   []string
}

func startReceiver(t *testing.T) *receiver {
	r := &receiver{t: t}
	r.http = httptest.NewServer(r)
	t.Cleanup(r.http.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Events []struct{ Name, Channel string } `json:"events"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		r.t.Errorf("a webhook: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests++; r.requests%3 == 0 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for _, e := range body.Events {
		r.events = append(r.events, e.Name+" "+e.Channel)
	}
}

// got returns the events about channels whose names begin so.
func (r *receiver) got(prefix string) (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if _, channel, _ := strings.Cut(e, " "); strings.HasPrefix(channel, prefix) {
			all = append(all, e)
		}
	}
	return all
}

// TestHandoverWebhooks restarts a server whose webhooks wait, or fail, or are held back. None may be lost, doubled or out of order; of a
// page that was reloaded meanwhile there must be none.
func TestHandoverWebhooks(t *testing.T) {
	hooks := startReceiver(t)
	srv := startHandoverServers(t, 1, "REVERB_GO_WEBHOOK_URL="+hooks.http.URL, "REVERB_GO_DEAD_LETTERS=dead.jsonl")[0]
	a := newAudience(t, []*loadServer{srv})
	c := srv.dial(t, "page")
	var want, wantGone []string
	isLate := false // this machine is too slow for the page to be back in time
	enter := func(channel string) {
		c.subscribe(srv.subscription(channel, c.id, ""))
	}
	leave := func(channel string) {
		c.say(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))
	}
	for round := range 5 {
		for i := range 20 {
			channel := fmt.Sprintf("stays-%d-%d", round, i)
			enter(channel)
			want = append(want, "channel_occupied "+channel)
		}
		gone := fmt.Sprint("gone-", round)
		enter(gone)
		leave(gone)
		wantGone = append(wantGone, "channel_occupied "+gone, "channel_vacated "+gone)
		leave("page")
		left := time.Now()
		srv.restart(t)
		enter("page")
		isLate = isLate || time.Since(left) > heldBack
	}
	a.waitFor("the webhooks", func() bool {
		return len(hooks.got("stays")) >= len(want) && len(hooks.got("gone")) >= len(wantGone)
	})
	if got := hooks.got("stays"); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := hooks.got("page"); !isLate && !slices.Equal(got, []string{"channel_occupied page"}) {
		t.Errorf("of the page came %q, want only that it was occupied", got)
	}
	got := hooks.got("gone")
	slices.Sort(got)
	slices.Sort(wantGone)
	if !slices.Equal(got, wantGone) {
		t.Errorf("of the channels that are gone came %q, want %q", got, wantGone)
	}
}
