package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// rounds are the questions that wait for answers.
type rounds struct {
	mu    sync.Mutex // guards byKey and what is in it
	byKey map[string]*round
}

type round struct {
	missing int
	answers []json.RawMessage
	done    chan struct{} // closed when none is missing
}

func (rs *rounds) open(key string, answers int) *round {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := &round{missing: answers, done: make(chan struct{})}
	rs.byKey[key] = r
	return r
}

// close ends a round and returns its answers, and whether none is missing.
func (rs *rounds) close(key string) (answers []json.RawMessage, isComplete bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byKey[key]
	delete(rs.byKey, key)
	return r.answers, r.missing == 0
}

// answer adds an answer, if somebody here waits for it.
func (rs *rounds) answer(key string, answer json.RawMessage) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byKey[key]
	if r == nil || r.missing == 0 {
		return
	}
	r.answers = append(r.answers, answer)
	if r.missing--; r.missing == 0 {
		close(r.done)
	}
}

// ask asks the nodes of Laravel Reverb and returns their answers. It waits for all of them, but not for long;
// isComplete says whether none is missing.
func (b *Broker) ask(ctx context.Context, q question) (answers []json.RawMessage, isComplete bool) {
	others := int(b.others.Load())
	if others <= 0 || !b.isOn() {
		return nil, true
	}
	settings, err := b.app(q.appID)
	if err != nil {
		b.log.Warn("nodes of Laravel Reverb not asked", "err", err)
		return nil, false
	}
	q.key = newKey()
	message, err := appendQuestion(nil, q, settings, b.Prefix())
	if err != nil {
		b.log.Warn("nodes of Laravel Reverb not asked", "app", q.appID, "err", err)
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()
	r := b.rounds.open(q.key, others)
	if b.publish(ctx, message) == nil {
		b.counters.Asked.Inc()
		select {
		case <-r.done:
		case <-ctx.Done():
		}
	}
	if answers, isComplete = b.rounds.close(q.key); !isComplete {
		b.counters.Incomplete.Inc()
	}
	return answers, isComplete
}

var errNoApp = errors.New("no such app")

// app returns the settings of an app, without which nothing can be said to Laravel Reverb.
func (b *Broker) app(id string) (*auth.App, error) {
	settings, err := b.options.Apps.ByID(id)
	if err == nil && settings == nil {
		err = errNoApp
	}
	if err != nil {
		return nil, fmt.Errorf("look up app %q: %w", id, err)
	}
	return settings, nil
}

// appTTL is how long an app's cache channels keep an event; 0 if that cannot be known.
func (b *Broker) appTTL(id string) time.Duration {
	settings, err := b.app(id)
	if err != nil {
		return 0
	}
	return settings.CacheTTL
}
