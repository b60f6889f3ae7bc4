package webhook

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reverb-go/reverb-go/channels"
)

// TestGrace plays what happens to channels and says what the backend hears, and when. Endpoints that batch would
// blur the time.
func TestGrace(t *testing.T) {
	type step struct {
		at    time.Duration
		event channels.Event
	}
	const ms = time.Millisecond
	for _, tc := range []struct {
		name   string
		grace  time.Duration
		events []channels.EventName
		steps  []step
		want   []string
	}{
		{
			name:  "P:WHK-01 the first subscription is told at once",
			steps: []step{{0, occupied("a")}},
			want:  []string{"0s channel_occupied a"},
		},
		{
			name:  "P:WHK-02 the last subscription is told after the grace",
			steps: []step{{0, occupied("a")}, {1 * time.Second, vacated("a")}},
			want:  []string{"0s channel_occupied a", "4s channel_vacated a"},
		},
		{
			name:  "P:WHK-11 a reload of a page is no news",
			steps: []step{{0, removed("p", "7")}, {0, vacated("p")}, {2999 * ms, occupied("p")}, {2999 * ms, added("p", "7")}},
		},
		{
			name:  "P:WHK-11 it is one when it takes longer than the grace",
			steps: []step{{0, vacated("a")}, {3001 * ms, occupied("a")}},
			want:  []string{"3s channel_vacated a", "3.001s channel_occupied a"},
		},
		{
			name: "P:WHK-11 reloading again and again is none",
			steps: []step{
				{0, vacated("a")}, {1 * time.Second, occupied("a")},
				{2 * time.Second, vacated("a")}, {4 * time.Second, occupied("a")},
				{6 * time.Second, vacated("a")}, {8 * time.Second, occupied("a")},
			},
		},
		{
			name:  "P:WHK-11 the time of the last leaving counts",
			steps: []step{{0, vacated("a")}, {1 * time.Second, occupied("a")}, {2 * time.Second, vacated("a")}},
			want:  []string{"5s channel_vacated a"},
		},
		{
			name:  "P:WHK-03 another user's coming takes nothing back",
			steps: []step{{0, removed("p", "7")}, {1 * time.Second, added("p", "8")}},
			want:  []string{"1s member_added p 8", "3s member_removed p 7"},
		},
		{
			name:  "P:WHK-03 nor does the same user's coming into another channel",
			steps: []step{{0, removed("p", "7")}, {0, vacated("p")}, {1 * time.Second, added("q", "7")}, {1 * time.Second, occupied("q")}},
			want:  []string{"1s member_added q 7", "1s channel_occupied q", "3s member_removed p 7", "3s channel_vacated p"},
		},
		{
			name:  "P:WHK-11 when another user takes over the channel, only the members have changed",
			steps: []step{{0, removed("p", "7")}, {0, vacated("p")}, {1 * time.Second, occupied("p")}, {1 * time.Second, added("p", "8")}},
			want:  []string{"1s member_added p 8", "3s member_removed p 7"},
		},
		{
			name:  "what is held back keeps its order",
			steps: []step{{0, vacated("a")}, {1 * time.Second, vacated("b")}, {1 * time.Second, removed("p", "7")}, {1 * time.Second, vacated("c")}},
			want:  []string{"3s channel_vacated a", "4s channel_vacated b", "4s member_removed p 7", "4s channel_vacated c"},
		},
		{
			name:   "P:WHK-11 who hears only of coming hears of no reload either",
			events: []channels.EventName{channels.ChannelOccupied, channels.MemberAdded},
			steps:  []step{{0, vacated("a")}, {0, removed("p", "7")}, {1 * time.Second, occupied("a")}, {1 * time.Second, added("p", "7")}},
		},
		{
			name:   "P:WHK-02 nor of leaving",
			events: []channels.EventName{channels.ChannelOccupied},
			steps:  []step{{0, vacated("a")}},
		},
		{
			name:  "an end without a beginning between, which was dropped",
			steps: []step{{0, vacated("a")}, {1 * time.Second, vacated("a")}, {3500 * ms, occupied("a")}},
			want:  []string{"3s channel_vacated a"},
		},
		{
			name:  "no grace",
			grace: -1,
			steps: []step{{0, vacated("a")}, {500 * ms, occupied("a")}},
			want:  []string{"0s channel_vacated a", "500ms channel_occupied a"},
		},
		{
			name:  "another grace",
			grace: time.Second,
			steps: []step{{0, vacated("a")}, {1500 * ms, occupied("a")}},
			want:  []string{"1s channel_vacated a", "1.5s channel_occupied a"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(t)
				d := start(t, toHook("1", Endpoint{URL: hook, Events: tc.events, Unbatched: true}), Options{Transport: b, Grace: tc.grace})
				app := newApp(t, "1", "s")
				for _, s := range tc.steps {
					time.Sleep(s.at - time.Since(b.started))
					d.Notify(app, s.event)
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				var got []string
				for _, r := range b.got() {
					got = append(got, fmt.Sprintf("%v %s", r.after, eventsOf(t, r.body)[0]))
				}
				wantList(t, tc.name, got, tc.want...)
				wantEqual(t, "events that wait", count(d.opts.Counters.Queued), 0)
			})
		})
	}
}

func TestGraceIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counters := newCounters()
		b := newBackend(t)
		d := start(t, toHook("1"), Options{Transport: b, Counters: counters})
		app := newApp(t, "1", "s")
		d.Notify(app, vacated("a"))
		d.Notify(app, vacated("b"))
		synctest.Wait()
		wantEqual(t, "held back", count(counters.Queued), 2)
		d.Notify(app, occupied("a"))
		time.Sleep(10 * time.Second)
		wantEqual(t, "cancelled", count(counters.Cancelled), 2)
		wantEqual(t, "sent", count(counters.Sent), 1)
		wantEqual(t, "waiting", count(counters.Queued), 0)
	})
}

// Two apps may have channels of the same name.
func TestGraceKeepsAppsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		cfg := Config{"1": {Endpoints: []Endpoint{{URL: "http://one/"}}}, "2": {Endpoints: []Endpoint{{URL: "http://two/"}}}}
		d := start(t, cfg, Options{Transport: b})
		d.Notify(newApp(t, "1", "s"), vacated("a"))
		d.Notify(newApp(t, "2", "s"), occupied("a"))
		time.Sleep(10 * time.Second)
		wantList(t, "app 1", b.events("http://one/"), "channel_vacated a")
		wantList(t, "app 2", b.events("http://two/"), "channel_occupied a")
	})
}
