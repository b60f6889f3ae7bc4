package ephemeral

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// newTest returns a connection to a Redis of the test's own and what moves its clock.
func newTest(t *testing.T) (*Redis, *miniredis.Miniredis, func(time.Duration)) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pass := func(d time.Duration) {
		now = now.Add(d)
		server.FastForward(d)
	}
	return New(client, func() time.Time { return now }), server, pass
}

func TestTypingExpires(t *testing.T) {
	r, _, pass := newTest(t)
	typing := func() int {
		t.Helper()
		got, err := r.Typing(t.Context(), 1, []int64{7, 8})
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	start := func() {
		t.Helper()
		if _, err := r.StartTyping(t.Context(), 1, 7); err != nil {
			t.Fatal(err)
		}
	}
	start()
	pass(5 * time.Second)
	if got := typing(); got != 1 {
		t.Errorf("after 5 s %d type, want 1", got)
	}
	start()
	pass(5 * time.Second)
	if got := typing(); got != 1 {
		t.Errorf("5 s after a refresh %d type, want 1", got)
	}
	pass(time.Second)
	if got := typing(); got != 0 {
		t.Errorf("6 s after it %d type, want 0", got)
	}
	start()
	if was, err := r.StopTyping(t.Context(), 1, 7); err != nil || !was {
		t.Errorf("stop: got %v, %v, want true", was, err)
	}
	if was, err := r.StopTyping(t.Context(), 1, 7); err != nil || was {
		t.Errorf("stop again: got %v, %v, want false", was, err)
	}
	if got := typing(); got != 0 {
		t.Errorf("after stopping %d type, want 0", got)
	}
}

func TestTypingIsOfOneConversation(t *testing.T) {
	r, _, _ := newTest(t)
	until, err := r.StartTyping(t.Context(), 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Typing(t.Context(), 1, []int64{7})
	if err != nil || !got[7].Equal(until) {
		t.Errorf("got %v, %v, want until %v", got, err, until)
	}
	if got, _ := r.Typing(t.Context(), 2, []int64{7}); len(got) != 0 {
		t.Errorf("in another conversation: got %v, want none", got)
	}
}

func TestHeartbeatExpires(t *testing.T) {
	r, _, pass := newTest(t)
	if _, err := r.Heartbeat(t.Context(), 7, 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pass time.Duration
		want bool
	}{{89 * time.Second, true}, {time.Second, false}} {
		pass(tt.pass)
		got, err := r.Online(t.Context(), []int64{7, 8})
		if err != nil || got[7] != tt.want || got[8] {
			t.Errorf("after %v more: got %v, %v, want 7: %v", tt.pass, got, err, tt.want)
		}
	}
}

func TestAllow(t *testing.T) {
	limit := Limit{Name: "test", Max: 2, Per: time.Minute}
	for _, tt := range []struct {
		name string
		stop bool
	}{{"redis", false}, {"while redis is away", true}} {
		t.Run(tt.name, func(t *testing.T) {
			r, server, pass := newTest(t)
			if tt.stop {
				server.Close()
			}
			allow := func(who string) bool {
				_, ok := r.Allow(t.Context(), limit, who)
				return ok
			}
			if first, second, third := allow("a"), allow("a"), allow("a"); !first || !second || third {
				t.Error("not exactly two were allowed")
			}
			if !allow("b") {
				t.Error("another was refused for it")
			}
			pass(20 * time.Second)
			if wait, ok := r.Allow(t.Context(), limit, "a"); ok || wait != 40*time.Second {
				t.Errorf("got wait %v, %v, want 40s", wait, ok)
			}
			pass(40 * time.Second)
			if !allow("a") {
				t.Error("the next window was refused")
			}
		})
	}
}

func TestLocalLimitsAreBounded(t *testing.T) {
	var l localLimits
	now := time.Now()
	for i := range 3 * maxWindows {
		l.allow(now, string(rune(i)), Limit{Max: 1, Per: time.Minute})
	}
	if len(l.windows) > maxWindows {
		t.Errorf("%d windows are kept, want at most %d", len(l.windows), maxWindows)
	}
}

func TestEmbedded(t *testing.T) {
	e, err := Embed()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	client, err := Dial(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for client.Exists(t.Context(), "k").Val() == 1 {
		if t.Context().Err() != nil {
			t.Fatal("the key never expired")
		}
	}
}
