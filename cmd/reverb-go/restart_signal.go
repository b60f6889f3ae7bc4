package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// signalPause is how often Reverb looks for the signal of "php artisan reverb:restart".
const signalPause = 5 * time.Second

// openSignal watches Laravel's cache for that signal, if it is in a place that can be watched.
func (n *node) openSignal() error {
	var read func(context.Context) (string, error)
	switch cache := n.cfg.Cache; {
	case n.cfg.RestartSignal == "off":
		return nil
	case cache.UsesFiles():
		read = func(context.Context) (string, error) { return readSignalFile(cache.RestartFile(), time.Now()) }
	case cache.UsesRedis():
		client, err := signalRedis(n.cfg)
		if err != nil {
			return err
		}
		n.onClose(func() { client.Close() })
		keys := cache.RestartRedisKeys(n.cfg.RedisPrefix)
		read = func(ctx context.Context) (string, error) { return readSignalKeys(ctx, client, keys) }
	default:
		return nil // "php artisan reverb:restart" cannot be heard then
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.watchSignal(ctx, read, func() { go n.restartBySignal("php artisan reverb:restart") })
	}()
	n.onClose(func() { cancel(); <-ended })
	return nil
}

// signalRedis is a client for the connection of Laravel's cache.
func signalRedis(cfg *config.Config) (redis.UniversalClient, error) {
	scaling := cfg.Scaling
	if scaling.Cluster == "" {
		scaling.Database = cfg.Cache.DB
	}
	return newRedis(scaling)
}

// watchSignal calls restart whenever the signal is another one than before, which a new process is told: one that
// comes in the middle of a restart counts. What cannot be read, and a signal that has gone, are no signal: caches
// forget.
func (n *node) watchSignal(ctx context.Context, read func(context.Context) (string, error), restart func()) {
	ticker := time.NewTicker(signalPause)
	defer ticker.Stop()
	for ; ; waitForTick(ctx, ticker) {
		if ctx.Err() != nil {
			return
		}
		now, err := read(ctx)
		if err != nil {
			continue
		}
		before := n.lastSignal.Load()
		if before == nil || now != "" {
			n.lastSignal.Store(&now)
		}
		if before != nil && now != "" && now != *before {
			restart()
		}
	}
}

func waitForTick(ctx context.Context, ticker *time.Ticker) {
	select {
	case <-ctx.Done():
	case <-ticker.C:
	}
}

// readSignalFile reads what Laravel's file store has written: ten digits that say until when it is good, and the
// value. No file is no signal.
func readSignalFile(name string, now time.Time) (string, error) {
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return "", nil
	}
	const digits = 10
	if err != nil || len(text) < digits {
		return "", err
	}
	if until, err := strconv.ParseInt(string(text[:digits]), 10, 64); err != nil || until < now.Unix() {
		return "", nil
	}
	return string(text[digits:]), nil
}

func readSignalKeys(ctx context.Context, client redis.UniversalClient, keys []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, signalPause)
	defer cancel()
	var all strings.Builder
	for _, key := range keys {
		value, err := client.Get(ctx, key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return "", err
		}
		all.WriteString(value)
	}
	return all.String(), nil
}
