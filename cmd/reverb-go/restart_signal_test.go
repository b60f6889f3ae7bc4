package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/internal/services"
)

func TestWatchSignal(t *testing.T) {
	known := "a"
	for _, tt := range []struct {
		name     string
		before   *string // what the process before this one has seen last
		reads    []string
		restarts int
	}{
		{"none, then one", nil, []string{"", "a"}, 1},
		{"one from before the start, R:CLI-16", nil, []string{"a", "a"}, 0},
		{"one after the other", nil, []string{"a", "b", "b", "c"}, 2},
		{"unreadable for a while", nil, []string{"a", "!", "b"}, 1},
		{"forgotten by the cache", nil, []string{"a", "", "", "a"}, 0},
		{"forgotten, then another one", nil, []string{"a", "", "b"}, 1},
		{"one that the process before has seen", &known, []string{"a"}, 0},
		{"one that came in the middle of a restart", &known, []string{"b"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(tt.reads))*signalPause-1)
				defer cancel()
				n := &node{}
				n.lastSignal.Store(tt.before)
				next, restarts := 0, 0
				n.watchSignal(ctx, func(context.Context) (string, error) {
					value := tt.reads[next]
					next++
					if value == "!" {
						return "", errors.New("cannot be read")
					}
					return value, nil
				}, func() { restarts++ })
				if next != len(tt.reads) || restarts != tt.restarts {
					t.Errorf("got %d restarts by %d reads, want %d by %d", restarts, next, tt.restarts, len(tt.reads))
				}
			})
		})
	}
}

// TestReadSignalKeys reads what Laravel's redis store has written. R:CLI-15
func TestReadSignalKeys(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: services.Redis(t).Addr})
	defer client.Close()
	keys := []string{"my-app-database-my-app-cache-laravel:reverb:restart", "my_app_database_my_app_cache_laravel:reverb:restart"}
	for _, want := range []string{"", "i:1795346697;", "i:1795346698;"} {
		if want != "" {
			if err := client.Set(t.Context(), keys[1], want, 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := readSignalKeys(t.Context(), client, keys); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	client.Close()
	if got, err := readSignalKeys(t.Context(), client, keys); err == nil {
		t.Errorf("got %q of a Redis that is not there, want an error", got)
	}
}
