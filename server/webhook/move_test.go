package webhook

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server/handover"
)

// move puts another dispatcher in the place of d, as a restart does. What d is told afterwards is lost.
func move(t *testing.T, d *Dispatcher, cfg Config, opts Options, app *auth.App) *Dispatcher {
	t.Helper()
	next := start(t, cfg, opts)
	next.Pause()
	d.Pause()
	if err := next.Import(d.Export(), func(string) (*auth.App, error) { return app, nil }); err != nil {
		t.Fatal(err)
	}
	next.Resume()
	stop(t, d)
	return next
}

// TestMove moves in many moments of a history. The backend must hear what it would have heard anyway, in the same order.
func TestMove(t *testing.T) {
	for at := time.Duration(0); at < 20*time.Second; at += 700 * time.Millisecond {
		t.Run(at.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := newApp(t, "1", "s")
				var moved atomic.Pointer[Dispatcher]
				b := newBackend(t)
				b.answer = func(*http.Request) (int, error) {
					if since := time.Since(b.started); since > 4*time.Second && since < 13*time.Second {
						return http.StatusInternalServerError, nil
					}
					return http.StatusOK, nil
				}
				opts := Options{Transport: b, Counters: newCounters()}
				moved.Store(start(t, toHook("1"), opts))
				time.AfterFunc(at, func() { moved.Store(move(t, moved.Load(), toHook("1"), opts, app)) })
				for i := range 10 {
					d := moved.Load()
					d.Notify(app, occupied(fmt.Sprint(i)))
					d.Notify(app, vacated("a"))
					d.Notify(app, removed("b", fmt.Sprint(i)))
					time.Sleep(1100 * time.Millisecond)
					synctest.Wait()
					moved.Load().Notify(app, occupied("a"))
				}
				moved.Load().Notify(app, vacated("a"))
				time.Sleep(time.Minute)
				var occupied, removed, vacated []string
				for _, e := range b.events(hook) {
					switch e[:8] {
					case "channel_":
						if e == "channel_vacated a" {
							vacated = append(vacated, e)
							continue
						}
						occupied = append(occupied, e)
					default:
						removed = append(removed, e)
					}
				}
				for i := range 10 {
					wantEqual(t, "occupied", nth(occupied, i), fmt.Sprint("channel_occupied ", i))
					wantEqual(t, "removed", nth(removed, i), fmt.Sprint("member_removed b ", i))
				}
				wantEqual(t, "events", len(occupied)+len(removed)+len(vacated), 21)
				wantSameRetries(t, b.got())
			})
		})
	}
}

// nth returns an element, or nothing where there is none.
func nth(list []string, i int) string {
	if i >= len(list) {
		return ""
	}
	return list[i]
}

// wantSameRetries checks that what follows a failed request is the same one again.
func wantSameRetries(t *testing.T, all []request) {
	t.Helper()
	for i := 1; i < len(all); i++ {
		if !all[i-1].isOK {
			wantEqual(t, "body of a retry", all[i].body, all[i-1].body)
			wantEqual(t, "signature of a retry", all[i].header.Get(headerSignature), all[i-1].header.Get(headerSignature))
		}
	}
}

// TestMoveKeepsPatience moves every 40 seconds, and the endpoint is given up after five minutes all the same.
func TestMoveKeepsPatience(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		app := newApp(t, "1", "s")
		b := newBackend(t)
		b.answer = down
		opts := Options{Transport: b, DeadLetters: file}
		d := start(t, toHook("1"), opts)
		d.Notify(app, occupied("a"))
		for range 10 {
			time.Sleep(40 * time.Second)
			d = move(t, d, toHook("1"), opts, app)
		}
		got := lettersIn(t, file)
		if len(got) != 1 {
			t.Fatalf("got %d letters, want 1", len(got))
		}
		wantEqual(t, "attempts", got[0].Attempts, len(b.got()))
		if last := b.got()[len(b.got())-1].after; last > 5*time.Minute+2*time.Second || last < 3*time.Minute {
			t.Errorf("the last attempt came after %v, want at most 5m", last)
		}
	})
}

// TestPauseWaits has an attempt under way, whose answer must count.
func TestPauseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newApp(t, "1", "s")
		b := newBackend(t)
		b.answer = func(*http.Request) (int, error) {
			time.Sleep(4 * time.Second)
			return http.StatusOK, nil
		}
		opts := Options{Transport: b}
		d := start(t, toHook("1"), opts)
		d.Notify(app, occupied("a"))
		time.Sleep(2 * time.Second)
		d.Notify(app, occupied("b"))
		d = move(t, d, toHook("1"), opts, app)
		wantEqual(t, "time that moving took", time.Since(b.started), 5*time.Second)
		time.Sleep(time.Minute)
		wantList(t, "events", b.events(hook), "channel_occupied a", "channel_occupied b")
		wantEqual(t, "requests", len(b.got()), 2)
		stop(t, d)
	})
}

// TestMoveFails goes on after all: the other dispatcher must neither send nor write what it was given.
func TestMoveFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		app := newApp(t, "1", "s")
		b := newBackend(t)
		opts := Options{Transport: b, DeadLetters: file}
		d := start(t, toHook("1"), opts)
		other := start(t, toHook("2"), opts)
		d.Notify(app, occupied("a"))
		d.Notify(app, vacated("b"))
		synctest.Wait()
		other.Pause()
		d.Pause()
		if err := other.Import(d.Export(), func(string) (*auth.App, error) { return app, nil }); err != nil {
			t.Fatal(err)
		}
		stop(t, other)
		d.Resume()
		time.Sleep(time.Minute)
		wantList(t, "events", b.events(hook), "channel_occupied a", "channel_vacated b")
		wantEqual(t, "letters", len(lettersIn(t, file)), 0)
	})
}

// TestMoveToNobody has the new configuration without the endpoint.
func TestMoveToNobody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		app := newApp(t, "1", "s")
		b := newBackend(t)
		b.answer = down
		opts := Options{Transport: b, DeadLetters: file}
		d := start(t, toHook("1"), opts)
		d.Notify(app, occupied("a"))
		d.Notify(app, occupied("b"))
		time.Sleep(2 * time.Second)
		move(t, d, Config{}, opts, app)
		got := lettersIn(t, file)
		if len(got) != 1 || len(got[0].Events) != 2 {
			t.Fatalf("got the letters %v, want one with two events", got)
		}
		wantEqual(t, "reason", got[0].Reason, errNotConfigured.Error())
	})
}

func TestImportRefuses(t *testing.T) {
	app := newApp(t, "1", "s")
	d := start(t, toHook("1"), Options{})
	d.Pause()
	event := handover.HookEvent{AppID: "1"}
	event.Event.Name = "made_up"
	if err := d.Import(&handover.Hooks{Fresh: []handover.HookEvent{event}}, func(string) (*auth.App, error) { return app, nil }); err == nil {
		t.Error("an event that does not exist was taken")
	}
	if err := d.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
