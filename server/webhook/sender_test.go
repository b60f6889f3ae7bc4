package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reverb-go/reverb-go/channels"
)

// P:WHK-08: a failing endpoint is tried again for five minutes, less and less often, with the same body and
// signature; then the events are in the file.
func TestRetryUntilGivenUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		var log logs
		b := newBackend(t)
		b.answer = down
		counters := newCounters()
		d := start(t, toHook("1"), Options{Transport: b, DeadLetters: file, Counters: counters, Logger: log.logger()})
		d.Notify(newApp(t, "1", "s3cret"), occupied("a"))
		time.Sleep(10 * time.Minute)

		got := b.got()
		if len(got) < 8 || len(got) > 20 {
			t.Errorf("got %d attempts, want about 10", len(got))
		}
		for i, r := range got {
			wantEqual(t, "body", r.body, got[0].body)
			wantEqual(t, "signature", r.header.Get(headerSignature), got[0].header.Get(headerSignature))
			if i > 0 {
				wantPause(t, i, r.after-got[i-1].after)
			}
		}
		if last := got[len(got)-1].after - got[0].after; last > 5*time.Minute || last < 3*time.Minute {
			t.Errorf("the last attempt came %v after the first, want at most 5m, and not much less", last)
		}
		wantEqual(t, "failed", count(counters.Failed), len(got))
		wantEqual(t, "retried", count(counters.Retried), len(got)-1)
		wantEqual(t, "dead letters", count(counters.DeadLettered), 1)
		wantEqual(t, "waiting", count(counters.Queued), 0)
		wantEqual(t, "letters in the file", len(lettersIn(t, file)), 1)
		for _, secret := range []string{"t0k3n", "pass", "s3cret"} {
			if strings.Contains(log.String()+fmt.Sprint(lettersIn(t, file)), secret) {
				t.Errorf("%q is in the log or the file", secret)
			}
		}
	})
}

// wantPause checks the time between two attempts: 1 s, 2, 4 … up to a minute, half of it random.
func wantPause(t *testing.T, attempt int, got time.Duration) {
	t.Helper()
	longest := min(time.Minute, time.Second<<(attempt-1))
	if got < longest/2 || got > longest {
		t.Errorf("pause after attempt %d\n got %v\nwant %v to %v", attempt, got, longest/2, longest)
	}
}

func TestRetryUntilDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = func(*http.Request) (int, error) {
			switch time.Since(b.started) / (10 * time.Second) {
			case 0:
				return 0, errors.New("connection refused")
			case 1:
				return http.StatusFound, nil
			}
			return http.StatusOK, nil
		}
		counters := newCounters()
		d := start(t, toHook("1"), Options{Transport: b, Counters: counters})
		app := newApp(t, "1", "s")
		d.Notify(app, occupied("a"))
		time.Sleep(5 * time.Second)
		d.Notify(app, occupied("b"))
		time.Sleep(time.Minute)
		wantList(t, "events", b.events(hook), "channel_occupied a", "channel_occupied b")
		wantEqual(t, "sent", count(counters.Sent), 2)
		wantEqual(t, "dropped", count(counters.Dropped), 0)
	})
}

// P:WHK-09: an endpoint that hangs keeps neither Notify nor another endpoint waiting.
func TestHangingEndpoint(t *testing.T) {
	const slow, quick = "http://slow/", "http://quick/"
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = func(req *http.Request) (int, error) {
			if req.URL.String() == slow {
				return hang(req)
			}
			return http.StatusOK, nil
		}
		d := start(t, toHook("1", Endpoint{URL: slow}, Endpoint{URL: quick}), Options{Transport: b})
		app := newApp(t, "1", "s")
		for i := range 1000 {
			d.Notify(app, occupied(fmt.Sprint(i)))
		}
		wantEqual(t, "time that Notify took", time.Since(b.started), 0)
		time.Sleep(2 * time.Second)
		wantEqual(t, "events at the quick endpoint", len(b.events(quick)), 1000)
		time.Sleep(2 * time.Minute)
		for _, r := range b.got() {
			if r.url == slow && r.isOK {
				t.Error("the slow endpoint got something")
			}
		}
	})
}

// An attempt ends after Timeout, and the next comes after the pause.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		var ends []time.Duration
		b.answer = func(req *http.Request) (int, error) {
			defer func() { ends = append(ends, time.Since(b.started)) }()
			return hang(req)
		}
		d := start(t, toHook("1", Endpoint{URL: hook, Unbatched: true}), Options{Transport: b})
		d.Notify(newApp(t, "1", "s"), occupied("a"))
		time.Sleep(11 * time.Second)
		stop(t, d)
		wantEqual(t, "end of the first attempt", ends[0], 5*time.Second)
		if got := ends[1] - ends[0]; got < 5500*time.Millisecond || got > 6*time.Second {
			t.Errorf("the second attempt ended %v later, want 5s and a pause of 500ms to 1s", got)
		}
	})
}

// P:WHK-10: each endpoint gets what its filter lets pass, in a body that is signed as it was sent.
func TestFilters(t *testing.T) {
	const all, members, presence, both = "http://all/", "http://members/", "http://presence/", "http://both/"
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		d := start(t, toHook("1",
			Endpoint{URL: all},
			Endpoint{URL: members, Events: []channels.EventName{channels.MemberAdded, channels.ClientEvent}},
			Endpoint{URL: presence, Channels: []string{"presence-*"}},
			Endpoint{URL: both, Channels: []string{"presence-x", "private-*"}, Events: []channels.EventName{channels.ChannelOccupied}},
		), Options{Transport: b})
		app := newApp(t, "1", "s3cret")
		for _, e := range []channels.Event{
			occupied("presence-x"), added("presence-x", "7"), occupied("private-y"), clientEvent("private-y", "client-z", "{}"), occupied("w"),
		} {
			d.Notify(app, e)
		}
		d.Notify(newApp(t, "2", "s"), occupied("of another app"))
		time.Sleep(10 * time.Second)

		wantList(t, all, b.events(all), "channel_occupied presence-x", "member_added presence-x 7", "channel_occupied private-y",
			"client_event private-y client-z", "channel_occupied w")
		wantList(t, members, b.events(members), "member_added presence-x 7", "client_event private-y client-z")
		wantList(t, presence, b.events(presence), "channel_occupied presence-x", "member_added presence-x 7")
		wantList(t, both, b.events(both), "channel_occupied presence-x", "channel_occupied private-y")
		for _, r := range b.got() {
			wantEqual(t, "signature of "+r.body, r.header.Get("X-Pusher-Signature"), sign([]byte(r.body), "s3cret"))
		}
	})
}

// The newest events are dropped, whether they are too many or too large, and counted.
func TestBounds(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts Options
		want int
	}{
		{"events", Options{MaxEvents: 10}, 10},
		{"bytes", Options{MaxBytes: 10 * (recordOverhead + 3)}, 10},
		{"one event fits always", Options{MaxBytes: 1}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logs
				b := newBackend(t)
				tc.opts.Transport, tc.opts.Counters, tc.opts.Logger = b, newCounters(), log.logger()
				b.answer = func(*http.Request) (int, error) {
					if time.Since(b.started) < 3*time.Second {
						return http.StatusInternalServerError, nil
					}
					return http.StatusOK, nil
				}
				d := start(t, toHook("1"), tc.opts)
				app := newApp(t, "1", "s")
				for i := range 15 {
					d.Notify(app, occupied(fmt.Sprintf("%03d", i)))
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				got := b.events(hook)
				if len(got) != tc.want || got[0] != "channel_occupied 000" || got[len(got)-1] != fmt.Sprintf("channel_occupied %03d", tc.want-1) {
					t.Errorf("got %q, want the first %d", got, tc.want)
				}
				wantEqual(t, "dropped", count(tc.opts.Counters.Dropped), 15-tc.want)
				if !strings.Contains(log.String(), fmt.Sprintf("events=%d", 15-tc.want)) {
					t.Errorf("the log does not tell of %d dropped events:\n%s", 15-tc.want, log.String())
				}
			})
		})
	}
}

// What is held back counts, or a mass of leaving members would have no bound.
func TestBoundsOfHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		counters := newCounters()
		d := start(t, toHook("1"), Options{Transport: b, Counters: counters, MaxEvents: 10})
		app := newApp(t, "1", "s")
		for i := range 15 {
			d.Notify(app, vacated(fmt.Sprint(i)))
			synctest.Wait()
		}
		wantEqual(t, "held back", count(counters.Queued), 10)
		time.Sleep(time.Minute)
		wantEqual(t, "sent", len(b.events(hook)), 10)
		wantEqual(t, "dropped", count(counters.Dropped), 5)
		d.Notify(app, vacated("again"))
		time.Sleep(time.Minute)
		wantEqual(t, "sent", len(b.events(hook)), 11)
	})
}

// While the endpoint fails at random, each channel's events arrive in order; and again only those whose answer was
// lost.
func TestOrder(t *testing.T) {
	const n = 2000
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = func(*http.Request) (int, error) {
			time.Sleep(rand.N(300 * time.Millisecond))
			if rand.IntN(3) == 0 {
				return http.StatusBadGateway, nil
			}
			return http.StatusOK, nil
		}
		d := start(t, toHook("1"), Options{Transport: b})
		app := newApp(t, "1", "s")
		var done atomic.Int32
		for c := range 4 {
			go func() {
				for i := range n {
					d.Notify(app, clientEvent(fmt.Sprint(c), fmt.Sprint(i), ""))
					if i%100 == 0 {
						time.Sleep(rand.N(time.Second))
					}
				}
				done.Add(1)
			}()
		}
		time.Sleep(30 * time.Minute)
		wantEqual(t, "publishers that ended", done.Load(), 4)
		next := make(map[string]int)
		for _, e := range b.events(hook) {
			channel := strings.Fields(e)[1]
			wantEqual(t, "event", e, fmt.Sprintf("client_event %s %d", channel, next[channel]))
			next[channel]++
		}
		for c := range 4 {
			wantEqual(t, "events of channel "+fmt.Sprint(c), next[fmt.Sprint(c)], n)
		}
	})
}

func TestReload(t *testing.T) {
	const other = "http://other/"
	withToken := Endpoint{URL: hook, Headers: map[string]string{"Authorization": "Bearer new"}}

	t.Run("what waits for an endpoint stays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.answer = func(req *http.Request) (int, error) {
				if req.URL.String() == hook && req.Header.Get("Authorization") != "Bearer new" {
					return http.StatusUnauthorized, nil
				}
				return http.StatusOK, nil
			}
			d := start(t, toHook("1"), Options{Transport: b})
			app := newApp(t, "1", "s")
			d.Notify(app, occupied("a"))
			time.Sleep(1500 * time.Millisecond) // it has failed once
			d.Notify(app, occupied("b"))
			if err := d.Reload(toHook("1", withToken, Endpoint{URL: other})); err != nil {
				t.Fatal(err)
			}
			d.Notify(app, occupied("c"))
			time.Sleep(time.Minute)
			wantEqual(t, "first attempt succeeded", b.got()[0].isOK, false)
			wantList(t, hook, b.events(hook), "channel_occupied a", "channel_occupied b", "channel_occupied c")
			// Whether the router had seen b before the endpoint was added is open.
			if got := b.events(other); got[len(got)-1] != "channel_occupied c" {
				t.Errorf("%s: got %q, want c in the end", other, got)
			}
		})
	})
	t.Run("an endpoint that is gone gets what waits for it, and no more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			d := start(t, toHook("1"), Options{Transport: b})
			app := newApp(t, "1", "s")
			d.Notify(app, occupied("a"))
			synctest.Wait()
			if err := d.Reload(toHook("1", Endpoint{URL: other})); err != nil {
				t.Fatal(err)
			}
			d.Notify(app, occupied("b"))
			time.Sleep(time.Minute)
			wantList(t, hook, b.events(hook), "channel_occupied a")
			wantList(t, other, b.events(other), "channel_occupied b")
			wantEqual(t, "senders", countSenders(d), 1)
		})
	})
	t.Run("one that comes back goes on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.answer = func(*http.Request) (int, error) {
				time.Sleep(4 * time.Second)
				return http.StatusOK, nil
			}
			d := start(t, toHook("1"), Options{Transport: b})
			app := newApp(t, "1", "s")
			for _, cfg := range []Config{{}, toHook("1"), {}, toHook("1")} {
				d.Notify(app, occupied("a"))
				synctest.Wait()
				if err := d.Reload(cfg); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
			wantEqual(t, "events", len(b.events(hook)), 2) // the others came while there was no endpoint
			wantEqual(t, "senders", countSenders(d), 1)
		})
	})
	t.Run("a faulty configuration changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			d := start(t, toHook("1"), Options{Transport: b})
			for _, cfg := range []Config{
				toHook("1", Endpoint{URL: "backend.example"}),
				{"1": {Jobs: []Jobs{{Class: "A"}}}}, // there is no Redis
			} {
				if err := d.Reload(cfg); err == nil || !strings.Contains(err.Error(), "hint: ") {
					t.Errorf("Reload: got %v, want an error with a hint", err)
				}
			}
			d.Notify(newApp(t, "1", "s"), occupied("a"))
			time.Sleep(time.Minute)
			wantList(t, hook, b.events(hook), "channel_occupied a")
		})
	})
	t.Run("a rotated secret signs what comes after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			d := start(t, toHook("1"), Options{Transport: b})
			for _, secret := range []string{"old", "new"} {
				d.Notify(newApp(t, "1", secret), occupied("a"))
				time.Sleep(time.Minute)
				r := b.got()[len(b.got())-1]
				wantEqual(t, "signature", r.header.Get(headerSignature), sign([]byte(r.body), secret))
			}
		})
	})
}

// While reloads go on and on, no event is lost or sent twice.
func TestReloadLosesNothing(t *testing.T) {
	const n = 3000
	b := newBackend(t)
	counters := newCounters()
	d := start(t, toHook("1"), Options{Transport: b, Counters: counters, Interval: time.Millisecond})
	app := newApp(t, "1", "s")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := range n {
			d.Notify(app, occupied(fmt.Sprint(i)))
		}
	}()
	// The endpoint is always configured, with a companion that comes and goes.
	for i := 0; ; i++ {
		cfg := toHook("1")
		if i%2 == 0 {
			cfg = toHook("1", Endpoint{URL: hook}, Endpoint{URL: "http://other/"})
		}
		if err := d.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
		default:
			continue
		}
		break
	}
	stop(t, d)
	got := b.events(hook)
	wantEqual(t, "events", len(got), n)
	for i, e := range got {
		wantEqual(t, "event", e, fmt.Sprintf("channel_occupied %d", i))
	}
	wantEqual(t, "waiting", count(counters.Queued), 0)
	wantEqual(t, "sent", count(counters.Sent), n+len(b.events("http://other/")))
}

func TestClose(t *testing.T) {
	t.Run("sends what waits or is held back at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			counters := newCounters()
			d := start(t, toHook("1"), Options{Transport: b, Counters: counters})
			app := newApp(t, "1", "s")
			d.Notify(app, occupied("a"))
			d.Notify(app, vacated("b"))
			d.Notify(app, vacated("c"))
			stop(t, d)
			wantList(t, hook, b.events(hook), "channel_occupied a", "channel_vacated b", "channel_vacated c")
			wantEqual(t, "time it took", time.Since(b.started), 0)
			d.Notify(app, occupied("late"))
			wantEqual(t, "dropped", count(counters.Dropped), 1)
			if err := d.Reload(Config{}); err == nil {
				t.Error("Reload after Close succeeded")
			}
		})
	})
	t.Run("keeps what cannot be sent", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "dead.jsonl")
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.answer = down
			counters := newCounters()
			d := start(t, toHook("1"), Options{Transport: b, DeadLetters: file, MaxBatch: 2, Counters: counters})
			app := newApp(t, "1", "s")
			for i := range 5 {
				d.Notify(app, occupied(fmt.Sprint(i)))
			}
			stop(t, d)
			wantEqual(t, "attempts", len(b.got()), 1)
			wantEqual(t, "time it took", time.Since(b.started), 0)
			wantEqual(t, "letters", len(lettersIn(t, file)), 3)
			wantEqual(t, "dead letters", count(counters.DeadLettered), 5)
			wantEqual(t, "waiting", count(counters.Queued), 0)
		})
	})
	t.Run("does not wait longer than its context", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "dead.jsonl")
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.answer = hang
			d := start(t, toHook("1"), Options{Transport: b, DeadLetters: file})
			d.Notify(newApp(t, "1", "s"), occupied("a"))
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := d.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close: got %v, want the deadline exceeded", err)
			}
			wantEqual(t, "time it took", time.Since(b.started), 2*time.Second)
			wantEqual(t, "letters", len(lettersIn(t, file)), 1)
		})
	})
	t.Run("without a file what cannot be sent is lost, and counted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.answer = down
			counters := newCounters()
			d := start(t, toHook("1"), Options{Transport: b, Counters: counters})
			d.Notify(newApp(t, "1", "s"), occupied("a"))
			stop(t, d)
			wantEqual(t, "dropped", count(counters.Dropped), 1)
		})
	})
}

// A destination that was taken out of the configuration while it was down is not tried for ever.
func TestRetiredAndDown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = down
		d := start(t, toHook("1"), Options{Transport: b, DeadLetters: file, MaxBatch: 1})
		app := newApp(t, "1", "s")
		for i := range 3 {
			d.Notify(app, occupied(fmt.Sprint(i)))
		}
		synctest.Wait()
		if err := d.Reload(Config{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		wantEqual(t, "letters", len(lettersIn(t, file)), 3)
		wantEqual(t, "senders", countSenders(d), 0)
	})
}

// stubborn is an endpoint that is tried for ever, as Redis is.
type stubborn struct{ *endpoint }

func (stubborn) patience() time.Duration { return 0 }

func TestPatienceWithoutEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		b.answer = down
		d := start(t, Config{}, Options{Transport: b, DeadLetters: file})
		d.mu.Lock()
		s := d.senderFor(senderKey{"1", "x"}, stubborn{newEndpoint(Endpoint{URL: hook}, d.opts)})
		d.mu.Unlock()
		s.push(&record{app: newApp(t, "1", "s"), at: time.Now(), event: occupied("a")})
		time.Sleep(time.Hour)
		wantEqual(t, "letters after an hour", len(lettersIn(t, file)), 0)
		if got := b.got(); got[len(got)-1].after < 58*time.Minute {
			t.Errorf("the last attempt was after %v", got[len(got)-1].after)
		}
		s.retire()
		time.Sleep(2 * time.Minute)
		wantEqual(t, "letters when it was retired", len(lettersIn(t, file)), 1)
		wantEqual(t, "senders", countSenders(d), 0)
	})
}

func TestBackoff(t *testing.T) {
	var all []time.Duration
	for attempts := 1; attempts < 100; attempts++ {
		wantPause(t, min(attempts, 7), backoff(attempts))
		all = append(all, backoff(7))
	}
	slices.Sort(all)
	if len(slices.Compact(all)) < 50 {
		t.Error("pauses are not random")
	}
}
