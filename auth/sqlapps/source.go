package sqlapps

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/reverb-go/reverb-go/auth"
)

// Options say how a Source works. Zero values mean the defaults named here.
type Options struct {
	TTL      time.Duration      // for which a row is believed; 30 s
	MissTTL  time.Duration      // for which it is believed that there is none; 5 s
	Patience time.Duration      // for which a lookup of a known app waits for the database; 250 ms
	Timeout  time.Duration      // for which any other does, and a query may last; 2 s
	Logger   *slog.Logger       // told once when the database goes and comes back; none
	Failures prometheus.Counter // of queries; not counted
	Now      func() time.Time   // the clock; time.Now
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		p   *time.Duration
		def time.Duration
	}{{&o.TTL, 30 * time.Second}, {&o.MissTTL, 5 * time.Second}, {&o.Patience, 250 * time.Millisecond}, {&o.Timeout, 2 * time.Second}} {
		if *d.p <= 0 {
			*d.p = d.def
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Failures == nil {
		o.Failures = prometheus.NewCounter(prometheus.CounterOpts{Name: "unregistered"})
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// ErrUnavailable says that the app has not been seen before and the database does not answer.
var ErrUnavailable = errors.New("the database of apps cannot be asked")

// breather is for how long a database that has failed is left alone.
const breather = time.Second

// Source looks apps up. It may be used from any goroutine.
type Source struct {
	find    func(context.Context, column, string) (*Record, error)
	opts    Options
	flights singleflight.Group

	// Ends the queries when the source is closed.
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex // guards what follows; never held during a query
	cache *cache
	isOut bool      // the last query has failed
	retry time.Time // until then nobody asks
	swift time.Time // until then known apps do not wait
}

// NewSource returns a source that asks the store, which stays the caller's.
func NewSource(store *Store, o Options) *Source { return newSource(store.find, o) }

func newSource(find func(context.Context, column, string) (*Record, error), o Options) *Source {
	s := &Source{find: find, opts: o.withDefaults(), cache: newCache()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the queries that are under way. What is remembered can still be looked up.
func (s *Source) Close() { s.cancel() }

// ByKey returns the app a client names in the WebSocket URL; nil if there is none.
func (s *Source) ByKey(key string) (*auth.App, error) { return s.lookUp(lookup{byKey, key}) }

// ByID returns the app an HTTP API request names in its path; nil if there is none.
func (s *Source) ByID(id string) (*auth.App, error) { return s.lookUp(lookup{byID, id}) }

// RecallByKey returns what ByKey would, unless that has to wait for the database.
func (s *Source) RecallByKey(key string) (app *auth.App, isKnown bool) {
	return s.recall(lookup{byKey, key})
}

// RecallByID does for ByID what RecallByKey does for ByKey.
func (s *Source) RecallByID(id string) (app *auth.App, isKnown bool) {
	return s.recall(lookup{byID, id})
}

// Expire has the database asked again for every app, as after the TTL.
func (s *Source) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.expire()
}

func (s *Source) lookUp(l lookup) (*auth.App, error) {
	if !isPlausible(l.value) {
		return nil, nil
	}
	known, wait := s.remember(l)
	if wait == 0 {
		return known.result(s.opts.Now())
	}
	// The query is not tied to whoever began it: its result is remembered for the next.
	answer := s.flights.DoChan(string(l.column)+" "+l.value, func() (any, error) { return s.fetch(l) })
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a := <-answer:
		if a.Err == nil {
			return a.Val.(finding).result(s.opts.Now())
		}
	case <-timer.C:
		s.hurry()
	}
	return known.result(s.opts.Now())
}

func (s *Source) recall(l lookup) (*auth.App, bool) {
	if !isPlausible(l.value) {
		return nil, true
	}
	known, wait := s.remember(l)
	if wait > 0 {
		return nil, false
	}
	a, err := known.result(s.opts.Now())
	return a, err == nil
}

// remember returns what is known, and how long to wait for the database to say something newer.
func (s *Source) remember(l lookup) (known finding, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	known, isFresh := s.cache.get(l, now, s.opts)
	switch isKnown := known.entry != nil; {
	case isFresh, now.Before(s.retry), isKnown && now.Before(s.swift):
		return known, 0
	case isKnown:
		return known, s.opts.Patience
	}
	return known, s.opts.Timeout
}

// hurry spares known apps the wait for a slow database.
func (s *Source) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swift = s.opts.Now().Add(breather)
}

// fetch asks the database. Its error means that the database has none to give.
func (s *Source) fetch(l lookup) (finding, error) {
	asked := s.opts.Now()
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.Timeout)
	defer cancel()
	r, err := s.find(ctx, l.column, l.value)
	var e *entry
	if err == nil && r != nil {
		e, err = newEntry(r, asked)
	}
	var fault *rowError
	if errors.As(err, &fault) {
		s.opts.Logger.Error("app not usable", string(l.column), l.value, "err", err)
	} else if err != nil {
		s.fail(err)
		return finding{}, err
	}
	s.succeed()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case fault != nil:
		return s.cache.refuse(l, fault, asked), nil
	case e == nil:
		return s.cache.miss(l, asked), nil
	}
	return s.cache.put(e), nil
}

func (s *Source) fail(err error) {
	if s.ctx.Err() != nil {
		return // closed
	}
	s.opts.Failures.Inc()
	s.mu.Lock()
	isNew := !s.isOut
	s.isOut, s.retry = true, s.opts.Now().Add(breather)
	s.mu.Unlock()
	if isNew {
		s.opts.Logger.Error("the database of apps cannot be asked: apps seen before are served as they were, others are refused", "err", err)
	}
}

func (s *Source) succeed() {
	s.mu.Lock()
	wasOut := s.isOut
	s.isOut, s.swift = false, time.Time{}
	s.mu.Unlock()
	if wasOut {
		s.opts.Logger.Info("the database of apps answers again")
	}
}
