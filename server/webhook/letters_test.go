package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
)

func lettersIn(t testing.TB, file string) []letter {
	t.Helper()
	var all []letter
	err := eachLine(file, func(line []byte) {
		var l letter
		if err := json.Unmarshal(line, &l); err != nil {
			t.Errorf("%v in %q", err, line)
		}
		all = append(all, l)
	})
	if err != nil {
		t.Error(err)
	}
	return all
}

// buryAll has a dispatcher give up the events at once, in letters of two.
func buryAll(t *testing.T, file string, cfg Config, app *auth.App, events ...channels.Event) {
	t.Helper()
	b := newBackend(t)
	b.answer = down
	d := start(t, cfg, Options{Transport: b, DeadLetters: file, MaxBatch: 2, Grace: -1})
	for _, e := range events {
		d.Notify(app, e)
	}
	stop(t, d)
}

func TestLetter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	synctest.Test(t, func(t *testing.T) {
		buryAll(t, file, toHook("1"), newApp(t, "1", "s"), occupied("a<b/é"), clientEvent("p", "client-x", `{"a":"\n"}`))
	})
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The time is that of synctest's clock.
	wantEqual(t, "the line", string(got), `{"time":"2000-01-01T00:00:00Z","app_id":"1","destination":"endpoint-`+lettersIn(t, file)[0].Destination[9:]+
		`","to":"https://backend.example/hooks","reason":"HTTP status 500","attempts":1,"events":[`+
		`{"time_ms":946684800000,"name":"channel_occupied","channel":"a<b/é"},`+
		`{"time_ms":946684800000,"name":"client_event","channel":"p","event":"client-x","data":"{\"a\":\"\\n\"}","socket_id":"12.34"}]}`+"\n")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "mode", info.Mode(), 0o600)
}

// The file is renamed once when it is full; what that overwrites is counted as lost.
func TestRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	opts := Options{DeadLetters: file, MaxDeadLetters: 3000, Counters: newCounters()}.withDefaults()
	ls := newLetters(&opts)
	app := newApp(t, "1", "s")
	const n = 40
	for i := range n {
		ls.write(letter{App: "1", Attempts: i}, []*record{{app: app, at: time.Now(), event: occupied("a")}, {app: app, at: time.Now(), event: occupied("b")}})
	}
	var kept []letter
	for _, path := range []string{rotated(file), file} {
		info, err := os.Stat(path)
		if err != nil || info.Size() > opts.MaxDeadLetters {
			t.Errorf("%s has %v bytes (%v), want at most %d", path, info.Size(), err, opts.MaxDeadLetters)
		}
		kept = append(kept, lettersIn(t, path)...)
	}
	for i, l := range kept {
		wantEqual(t, "letter", l.Attempts, n-len(kept)+i)
	}
	wantEqual(t, "dead letters", count(opts.Counters.DeadLettered), 2*n)
	wantEqual(t, "dropped", count(opts.Counters.Dropped), 2*(n-len(kept)))
}

// While another process takes the file away again and again, as Retry does, it finds every line at least once.
func TestAppendToFileTakenAway(t *testing.T) {
	const n = 2000
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	opts := Options{DeadLetters: file}.withDefaults()
	ls := newLetters(&opts)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := range n {
			if err := ls.append(fmt.Appendln(nil, i)); err != nil {
				t.Error(err)
			}
		}
	}()
	seen := make(map[string]bool)
	for isLast := false; !isLast; {
		select {
		case <-ended:
			isLast = true
		default:
		}
		if err := os.Rename(file, file+".taken"); ignoreMissing(err) != nil {
			t.Fatal(err)
		}
		if err := eachLine(file+".taken", func(line []byte) { seen[string(line)] = true }); err != nil {
			t.Fatal(err)
		}
		os.Remove(file + ".taken")
	}
	wantEqual(t, "lines seen", len(seen), n)
}

func TestUnwritableFile(t *testing.T) {
	_, err := New(Config{}, Options{DeadLetters: filepath.Join(t.TempDir(), "missing", "dead.jsonl")})
	if err == nil || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("New: got %v, want an error with a hint", err)
	}
}

// again is what a test of Retry has: letters in a file, and a backend that is up again.
type again struct {
	file    string
	backend *backend
	opts    RetryOptions
	report  []string // "name-of-destination events error"
}

func newAgain(t *testing.T, cfg Config) *again {
	a := &again{file: filepath.Join(t.TempDir(), "dead.jsonl"), backend: newBackend(t)}
	a.opts = RetryOptions{
		Options: Options{Transport: a.backend},
		Config:  cfg,
		App:     func(id string) (*auth.App, error) { return newApp(t, id, "new secret"), nil },
		Progress: func(to string, events int, err error) {
			a.report = append(a.report, fmt.Sprintf("%s %d %v", to, events, err))
		},
	}
	return a
}

func (a *again) retry(t *testing.T, wantSent, wantKept int) {
	t.Helper()
	got, err := Retry(t.Context(), a.file, a.opts)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "retried", got, Retried{wantSent, wantKept})
	for _, leftover := range []string{a.file + ".retrying", rotated(a.file) + ".retrying"} {
		if _, err := os.Stat(leftover); err == nil {
			t.Errorf("%s is still there", leftover)
		}
	}
}

func TestRetry(t *testing.T) {
	a := newAgain(t, toHook("1"))
	buryAll(t, a.file, toHook("1"), newApp(t, "1", "old secret"), occupied("a"), added("p", "7"), clientEvent("p", "client-x", "d"))
	a.retry(t, 3, 0)
	wantList(t, "events", a.backend.events(hook), "channel_occupied a", "member_added p 7", "client_event p client-x")
	for _, r := range a.backend.got() {
		wantEqual(t, "signature", r.header.Get(headerSignature), sign([]byte(r.body), "new secret"))
		var body struct {
			TimeMS int64 `json:"time_ms"`
		}
		if err := json.Unmarshal([]byte(r.body), &body); err != nil || time.Since(time.UnixMilli(body.TimeMS)) > time.Minute {
			t.Errorf("time_ms is %d (%v), want the time of this attempt", body.TimeMS, err)
		}
	}
	wantList(t, "report", a.report, "https://backend.example/hooks 2 <nil>", "https://backend.example/hooks 1 <nil>")
	a.retry(t, 0, 0)
	wantEqual(t, "requests", len(a.backend.got()), 2)
}

// After a failure the other letters to the same destination are kept without an attempt; those to others are sent.
func TestRetryFails(t *testing.T) {
	const other = "http://other/"
	cfg := toHook("1", Endpoint{URL: hook}, Endpoint{URL: other})
	a := newAgain(t, cfg)
	buryAll(t, a.file, cfg, newApp(t, "1", "s"), occupied("a"), occupied("b"), occupied("c"), occupied("d"))
	a.backend.answer = func(req *http.Request) (int, error) {
		if req.URL.String() == other {
			return http.StatusOK, nil
		}
		return http.StatusInternalServerError, nil
	}
	a.retry(t, 4, 4)
	wantEqual(t, "requests", len(a.backend.got()), 3)
	wantEqual(t, "letters", len(lettersIn(t, a.file)), 2)

	a.backend.answer = nil
	a.retry(t, 4, 0)
	wantList(t, "events", a.backend.events(hook), "channel_occupied a", "channel_occupied b", "channel_occupied c", "channel_occupied d")
}

func TestRetryAfterRotation(t *testing.T) {
	a := newAgain(t, toHook("1"))
	app := newApp(t, "1", "s")
	buryAll(t, a.file, toHook("1"), app, occupied("a"))
	if err := os.Rename(a.file, rotated(a.file)); err != nil {
		t.Fatal(err)
	}
	buryAll(t, a.file, toHook("1"), app, occupied("b"))
	a.retry(t, 2, 0)
	wantList(t, "events", a.backend.events(hook), "channel_occupied a", "channel_occupied b")
}

// A run that was killed has left a file, which the next one takes up.
func TestRetryAfterCrash(t *testing.T) {
	a := newAgain(t, toHook("1"))
	app := newApp(t, "1", "s")
	buryAll(t, a.file, toHook("1"), app, occupied("a"))
	if err := os.Rename(a.file, a.file+".retrying"); err != nil {
		t.Fatal(err)
	}
	buryAll(t, a.file, toHook("1"), app, occupied("b"))
	a.retry(t, 2, 0)
	wantList(t, "events", a.backend.events(hook), "channel_occupied a", "channel_occupied b")
}

func TestRetryInterrupted(t *testing.T) {
	a := newAgain(t, toHook("1"))
	buryAll(t, a.file, toHook("1"), newApp(t, "1", "s"), occupied("a"), occupied("b"), occupied("c"))
	ctx, cancel := context.WithCancel(t.Context())
	a.backend.answer = func(*http.Request) (int, error) {
		cancel()
		return 0, ctx.Err()
	}
	got, err := Retry(ctx, a.file, a.opts)
	wantEqual(t, "retried", got, Retried{0, 3})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Retry: got %v, want that it was cancelled", err)
	}
	wantEqual(t, "letters", len(lettersIn(t, a.file)), 2)
}

func TestRetryElsewhere(t *testing.T) {
	const moved = "http://moved/"
	for _, tc := range []struct {
		name       string
		cfg        Config
		app        func(id string) (*auth.App, error)
		url        string
		sent, kept int
		report     string
	}{
		{name: "the endpoint is gone", cfg: toHook("1", Endpoint{URL: moved}), kept: 1, report: errNoDestination.Error()},
		{name: "the app is gone", cfg: Config{}, app: func(string) (*auth.App, error) { return nil, nil }, kept: 1, report: errNoApp.Error()},
		{name: "the app cannot be found out", cfg: toHook("1"), app: func(string) (*auth.App, error) { return nil, errors.New("no database") }, kept: 1, report: "no database"},
		{name: "the endpoint has moved", cfg: toHook("1", Endpoint{URL: moved}), url: moved, sent: 1, report: "<nil>"},
		{name: "to where none is configured", cfg: toHook("1"), url: moved, kept: 1, report: errNoSuchURL.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAgain(t, tc.cfg)
			buryAll(t, a.file, toHook("1"), newApp(t, "1", "s"), occupied("a"))
			a.opts.URL = tc.url
			if tc.app != nil {
				a.opts.App = tc.app
			}
			a.retry(t, tc.sent, tc.kept)
			wantList(t, "report", a.report, "https://backend.example/hooks 1 "+tc.report)
			wantEqual(t, "delivered", len(a.backend.events(moved)), tc.sent)
			wantEqual(t, "letters", len(lettersIn(t, a.file)), tc.kept)
		})
	}
}

// What is no letter stays in the file, for somebody to look at.
func TestRetryBrokenLines(t *testing.T) {
	a := newAgain(t, toHook("1"))
	buryAll(t, a.file, toHook("1"), newApp(t, "1", "s"), occupied("a"))
	before, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	unknown := strings.Replace(string(before), "channel_occupied", "channel_moved", 1)
	if err := os.WriteFile(a.file, []byte("{\"app_id\":\n"+unknown+string(before)+`{"app_id":"1","to`), 0o600); err != nil {
		t.Fatal(err)
	}
	a.retry(t, 1, 1)
	after, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the file", string(after), "{\"app_id\":\n"+unknown+"{\"app_id\":\"1\",\"to\n")
}
