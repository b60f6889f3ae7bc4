package sqlapps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/reverb-go/reverb-go/auth"
)

// fakeTable stands for the database.
type fakeTable struct {
	mu      sync.Mutex // guards what follows
	rows    []Record
	err     error
	latency time.Duration
	queries int
}

func (f *fakeTable) find(ctx context.Context, c column, value string) (*Record, error) {
	f.mu.Lock()
	f.queries++
	err, latency := f.err, f.latency
	var found *Record
	for _, r := range f.rows {
		if c == byID && r.ID == value || c == byKey && r.Key == value {
			found = &r
		}
	}
	f.mu.Unlock()
	select {
	case <-time.After(latency):
		return found, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fakeTable) set(change func(*fakeTable)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeTable) wantQueries(t *testing.T, want int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queries != want {
		t.Errorf("got %d queries, want %d", f.queries, want)
	}
	f.queries = 0
}

func row(id, key, secret string) Record {
	r := NewRecord()
	r.ID, r.Key, r.Secret = id, key, secret
	return *r
}

// stage is a source over a fake table, in a bubble where time passes by itself.
type stage struct {
	*testing.T
	*Source
	table    *fakeTable
	log      bytes.Buffer
	failures prometheus.Counter
}

func play(t *testing.T, name string, scene func(*stage)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{T: t, table: &fakeTable{rows: []Record{row("1", "key-1", "secret-1"), row("2", "key-2", "secret-2")}}}
			s.failures = prometheus.NewCounter(prometheus.CounterOpts{Name: "failures"})
			s.Source = newSource(s.table.find, Options{Logger: slog.New(slog.NewTextHandler(&s.log, nil)), Failures: s.failures})
			defer s.Close()
			scene(s)
			synctest.Wait()
		})
	})
}

// pass lets time pass, which in the bubble takes none.
func pass(d time.Duration) { <-time.After(d) }

func (s *stage) app(a *auth.App, err error) *auth.App {
	s.Helper()
	if err != nil || a == nil {
		s.Fatalf("got %v, %v, want an app", a, err)
	}
	return a
}

func (s *stage) none(a *auth.App, err error) {
	s.Helper()
	if err != nil || a != nil {
		s.Errorf("got %v, %v, want none", a, err)
	}
}

func (s *stage) unavailable(a *auth.App, err error) {
	s.Helper()
	if !errors.Is(err, ErrUnavailable) || a != nil {
		s.Errorf("got %v, %v, want %v", a, err, ErrUnavailable)
	}
}

// took checks how long something has lasted. In the bubble that is exact.
func (s *stage) took(want time.Duration, what func()) {
	s.Helper()
	start := time.Now()
	what()
	if got := time.Since(start); got != want {
		s.Errorf("took %s, want %s", got, want)
	}
}

func (s *stage) wantFailures(want float64) {
	s.Helper()
	var m dto.Metric
	if err := s.failures.Write(&m); err != nil {
		s.Fatal(err)
	}
	if got := m.GetCounter().GetValue(); got != want {
		s.Errorf("counted %v failures, want %v", got, want)
	}
}

func (s *stage) wantLogged(text string, want int) {
	s.Helper()
	if got := strings.Count(s.log.String(), text); got != want {
		s.Errorf("logged %q %d times, want %d:\n%s", text, got, want, s.log.String())
	}
}

func TestSourceRemembers(t *testing.T) {
	play(t, "a row for its TTL", func(s *stage) {
		first := s.app(s.ByKey("key-1"))
		if again := s.app(s.ByID("1")); again != first {
			t.Errorf("by id and by key are two apps")
		}
		pass(29 * time.Second)
		s.app(s.ByKey("key-1"))
		s.table.wantQueries(s.T, 1)
		pass(time.Second)
		if again := s.app(s.ByKey("key-1")); again != first {
			t.Errorf("a row that is the same makes another app")
		}
		s.table.wantQueries(s.T, 1)
	})
	play(t, "a changed row makes another app", func(s *stage) {
		first := s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.rows[0].IsDisabled = true })
		s.Expire()
		if a := s.app(s.ByID("1")); a == first || !a.IsDisabled {
			t.Errorf("the change is not seen")
		}
		if a := s.app(s.ByKey("key-1")); !a.IsDisabled {
			t.Errorf("the change is not seen by key")
		}
		s.table.wantQueries(s.T, 2)
	})
	play(t, "a key that was changed", func(s *stage) {
		s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.rows[0].Key = "key-new" })
		s.app(s.ByKey("key-new"))
		s.none(s.ByKey("key-1"))
	})
	play(t, "that there is no row, for a shorter time", func(s *stage) {
		s.none(s.ByKey("key-3"))
		s.none(s.ByKey("key-3"))
		s.table.wantQueries(s.T, 1)
		s.table.set(func(f *fakeTable) { f.rows = append(f.rows, row("3", "key-3", "secret-3")) })
		pass(5 * time.Second)
		s.app(s.ByKey("key-3"))
	})
	play(t, "an app that is found by its id is not missed by its key any more", func(s *stage) {
		s.none(s.ByKey("key-3"))
		s.table.set(func(f *fakeTable) { f.rows = append(f.rows, row("3", "key-3", "secret-3")) })
		s.app(s.ByID("3"))
		s.app(s.ByKey("key-3"))
	})
	play(t, "that a row is gone", func(s *stage) {
		s.app(s.ByID("1"))
		s.table.set(func(f *fakeTable) { f.rows = nil })
		s.Expire()
		s.none(s.ByID("1"))
		s.none(s.ByKey("key-1"))
	})
	play(t, "a bounded number of misses", func(s *stage) {
		for i := range maxMisses + 10 {
			s.none(s.ByKey(fmt.Sprint("made-up-", i)))
		}
		if got := len(s.cache.misses); got != 10 {
			t.Errorf("remembers %d misses, want 10", got)
		}
	})
}

func TestSourceRecalls(t *testing.T) {
	recalls := func(s *stage, key string, wantApp *auth.App, wantKnown bool) {
		s.Helper()
		if a, isKnown := s.RecallByKey(key); a != wantApp || isKnown != wantKnown {
			s.Errorf("recalls %v (%t) of %s, want %v (%t)", a, isKnown, key, wantApp, wantKnown)
		}
	}
	play(t, "a row for its TTL", func(s *stage) {
		recalls(s, "key-1", nil, false)
		first := s.app(s.ByKey("key-1"))
		pass(29 * time.Second)
		recalls(s, "key-1", first, true)
		if a, isKnown := s.RecallByID("1"); a != first || !isKnown {
			t.Errorf("recalls %v (%t) by id, want %v", a, isKnown, first)
		}
		pass(time.Second)
		recalls(s, "key-1", nil, false)
		s.table.wantQueries(s.T, 1)
	})
	play(t, "until it has expired", func(s *stage) {
		s.app(s.ByKey("key-1"))
		s.Expire()
		recalls(s, "key-1", nil, false)
	})
	play(t, "that there is none", func(s *stage) {
		s.none(s.ByKey("key-3"))
		recalls(s, "key-3", nil, true)
		recalls(s, "line\nbreak", nil, true)
		pass(5 * time.Second)
		recalls(s, "key-3", nil, false)
		s.table.wantQueries(s.T, 1)
	})
	play(t, "what it was while the database is away", func(s *stage) {
		first := s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.err = errors.New("away") })
		s.Expire()
		s.app(s.ByKey("key-1"))
		recalls(s, "key-1", first, true)
		recalls(s, "key-2", nil, false)
		s.table.wantQueries(s.T, 2)
	})
}

func TestSourceAsksOnce(t *testing.T) {
	play(t, "for all who ask at the same time", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.latency = time.Second })
		var found atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if a, err := s.ByKey("key-1"); a != nil && err == nil {
					found.Add(1)
				}
			})
		}
		all.Wait()
		if found.Load() != 100 {
			t.Errorf("%d of 100 have found the app", found.Load())
		}
		s.table.wantQueries(s.T, 1)
	})
}

func TestSourceAsksNothingImpossible(t *testing.T) {
	for _, name := range []string{"", "a\x00b", "a\xff", "line\nbreak", strings.Repeat("k", 101), strings.Repeat("é", 101)} {
		play(t, fmt.Sprintf("%.12q", name), func(s *stage) {
			s.none(s.ByKey(name))
			s.none(s.ByID(name))
			s.table.wantQueries(s.T, 0)
		})
	}
	play(t, "but what is long and possible", func(s *stage) {
		s.none(s.ByKey(strings.Repeat("é", 100)))
		s.table.wantQueries(s.T, 1)
	})
}

func TestSourceOutage(t *testing.T) {
	down := errors.New("connection refused")
	play(t, "known apps are served", func(s *stage) {
		first := s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.err = down })
		pass(24 * time.Hour)
		if a := s.app(s.ByKey("key-1")); a != first {
			t.Errorf("got another app")
		}
		s.unavailable(s.ByKey("key-2"))
		s.unavailable(s.ByKey("no-such-key"))
		s.table.wantQueries(s.T, 2)
		s.wantFailures(1)
	})
	play(t, "a miss does not outlive its time", func(s *stage) {
		s.none(s.ByKey("key-3"))
		s.table.set(func(f *fakeTable) { f.err = down })
		pass(5 * time.Second)
		s.unavailable(s.ByKey("key-3"))
	})
	play(t, "it is asked once a second, and logged once", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.err = down })
		for range 40 {
			s.unavailable(s.ByKey("key-1"))
			pass(100 * time.Millisecond)
		}
		s.table.wantQueries(s.T, 4)
		s.wantFailures(4)
		s.wantLogged("connection refused", 1)
		s.table.set(func(f *fakeTable) { f.err = nil })
		pass(time.Second)
		s.app(s.ByKey("key-1"))
		s.wantLogged("answers again", 1)
	})
	play(t, "a previous secret expires nevertheless", func(s *stage) {
		s.table.set(func(f *fakeTable) {
			f.rows[0].PreviousSecret = "secret-0"
			f.rows[0].PreviousSecretExpiresAt = time.Now().Add(time.Minute)
		})
		if a := s.app(s.ByKey("key-1")); a.PreviousSecret != "secret-0" {
			t.Errorf("the previous secret is not accepted")
		}
		s.table.set(func(f *fakeTable) { f.err = down })
		pass(time.Minute)
		if a := s.app(s.ByKey("key-1")); a.PreviousSecret != "" || a.Secret != "secret-1" {
			t.Errorf("the previous secret is still accepted")
		}
	})
	play(t, "nothing is counted after the end", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.latency = time.Second })
		s.Close()
		s.unavailable(s.ByKey("key-1"))
		s.wantFailures(0)
	})
}

func TestSourceSlowness(t *testing.T) {
	play(t, "an unknown app waits for the timeout", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.latency = time.Hour })
		s.took(2*time.Second, func() { s.unavailable(s.ByKey("key-1")) })
		s.took(0, func() { s.unavailable(s.ByKey("key-1")) })
	})
	play(t, "a known app waits a moment, then not at all", func(s *stage) {
		s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.latency = time.Hour })
		s.Expire()
		s.took(250*time.Millisecond, func() { s.app(s.ByKey("key-1")) })
		s.took(0, func() { s.app(s.ByKey("key-1")) })
	})
	play(t, "an answer that comes too late is remembered", func(s *stage) {
		s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.latency, f.rows[0].IsDisabled = time.Second, true })
		s.Expire()
		if a := s.app(s.ByKey("key-1")); a.IsDisabled {
			t.Errorf("the answer was waited for")
		}
		pass(time.Second)
		s.took(0, func() {
			if a := s.app(s.ByKey("key-1")); !a.IsDisabled {
				t.Errorf("the answer was lost")
			}
		})
	})
	play(t, "an older answer does not replace a newer one", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.latency = time.Second })
		var slow sync.WaitGroup
		slow.Go(func() { s.app(s.ByKey("key-1")) })
		pass(time.Millisecond)
		s.table.set(func(f *fakeTable) { f.latency, f.rows[0].IsDisabled = 0, true })
		s.app(s.ByID("1"))
		slow.Wait()
		if a := s.app(s.ByID("1")); !a.IsDisabled {
			t.Errorf("the older answer has won")
		}
		if a := s.app(s.ByKey("key-1")); !a.IsDisabled {
			t.Errorf("the older answer has won, by key")
		}
	})
}

func TestSourceUnusableRow(t *testing.T) {
	play(t, "is an error, and no outage", func(s *stage) {
		s.table.set(func(f *fakeTable) { f.rows[0].ActivityTimeout = 0 })
		for range 2 {
			_, err := s.ByKey("key-1")
			if err == nil || !strings.Contains(err.Error(), "activity_timeout") || strings.Contains(err.Error(), "secret-1") {
				t.Errorf("got %v", err)
			}
		}
		s.app(s.ByKey("key-2"))
		s.table.wantQueries(s.T, 2)
		s.wantFailures(0)
	})
	play(t, "leaves the app as it was", func(s *stage) {
		first := s.app(s.ByKey("key-1"))
		s.table.set(func(f *fakeTable) { f.rows[0].ActivityTimeout = 0 })
		s.Expire()
		for range 2 {
			if a := s.app(s.ByKey("key-1")); a != first {
				t.Errorf("got another app")
			}
		}
		s.wantLogged("app not usable", 1)
	})
}
