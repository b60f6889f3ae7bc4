package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBatchTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		d := start(t, toHook("1"), Options{Transport: b})
		app := newApp(t, "1", "s")
		d.Notify(app, occupied("a"))
		time.Sleep(600 * time.Millisecond)
		d.Notify(app, occupied("b"))
		time.Sleep(10 * time.Second)
		d.Notify(app, occupied("c"))
		time.Sleep(10 * time.Second)

		got := b.got()
		if len(got) != 2 {
			t.Fatalf("got %d requests, want 2", len(got))
		}
		wantEqual(t, "time of the first request", got[0].after, time.Second)
		wantList(t, "its events", eventsOf(t, got[0].body), "channel_occupied a", "channel_occupied b")
		wantEqual(t, "time of the second request", got[1].after, 11600*time.Millisecond)
		wantEqual(t, "its body", got[1].body, fmt.Sprintf(
			`{"time_ms":%d,"events":[{"name":"channel_occupied","channel":"c"}]}`, b.started.Add(got[1].after).UnixMilli()))
	})
}

// What came while a batch was on its way is collected for another second, or there would be no batches at an endpoint
// that takes its time.
func TestBatchTimeBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = func(*http.Request) (int, error) {
			time.Sleep(500 * time.Millisecond)
			return http.StatusOK, nil
		}
		d := start(t, toHook("1"), Options{Transport: b})
		app := newApp(t, "1", "s")
		d.Notify(app, occupied("a"))
		time.Sleep(1200 * time.Millisecond)
		d.Notify(app, occupied("b"))
		time.Sleep(800 * time.Millisecond)
		d.Notify(app, occupied("c"))
		time.Sleep(10 * time.Second)
		got := b.got()
		wantEqual(t, "requests", len(got), 2)
		wantEqual(t, "time of the second", got[1].after, 2500*time.Millisecond)
		wantList(t, "its events", eventsOf(t, got[1].body), "channel_occupied b", "channel_occupied c")
	})
}

func TestBatchSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		d := start(t, toHook("1"), Options{Transport: b, MaxBatch: 3})
		app := newApp(t, "1", "s")
		for i := range 7 {
			d.Notify(app, occupied(fmt.Sprint(i)))
			synctest.Wait()
		}
		wantEqual(t, "requests of full batches, before any time has passed", len(b.got()), 2)
		time.Sleep(2 * time.Second)
		wantEqual(t, "events of the rest", strings.Join(eventsOf(t, b.got()[2].body), ","), "channel_occupied 6")
	})
}

func TestBatchBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		d := start(t, toHook("1"), Options{Transport: b})
		app := newApp(t, "1", "s")
		for _, n := range []int{100, maxBody * 2, 100, maxBody / 3, maxBody / 3, maxBody / 3} {
			d.Notify(app, clientEvent("a", fmt.Sprintf("client-%d", n), strings.Repeat("x", n)))
		}
		time.Sleep(10 * time.Second)
		var got []string
		for _, r := range b.got() {
			if n := len(eventsOf(t, r.body)); n > 1 && len(r.body) > maxBody+100 {
				t.Errorf("a request with %d events has %d bytes", n, len(r.body))
			}
			got = append(got, fmt.Sprint(len(eventsOf(t, r.body))))
		}
		wantList(t, "events in each request", got, "1", "1", "3", "1")
	})
}

func TestUnbatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		d := start(t, toHook("1", Endpoint{URL: hook, Unbatched: true}), Options{Transport: b})
		app := newApp(t, "1", "s")
		for i := range 5 {
			d.Notify(app, occupied(fmt.Sprint(i)))
		}
		synctest.Wait()
		wantEqual(t, "requests, before any time has passed", len(b.got()), 5)
		wantEqual(t, "order", strings.Join(b.events(hook), ","),
			"channel_occupied 0,channel_occupied 1,channel_occupied 2,channel_occupied 3,channel_occupied 4")
	})
}
