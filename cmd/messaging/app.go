package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/jobs"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// app is what the commands have in common: the database, Redis and the queues.
type app struct {
	settings settings.Settings
	log      *slog.Logger
	registry *prometheus.Registry
	store    *store.Store
	redis    redis.UniversalClient
	live     *ephemeral.Redis
	closers  []func() // run backwards
}

// newLog writes for people.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// open connects to what the settings say. The caller closes the app, also after an error.
func open(ctx context.Context, s settings.Settings, log *slog.Logger) (*app, error) {
	a := &app{settings: s, log: log, registry: prometheus.NewRegistry()}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ephemeral.LogTo(log)
	if err := a.openKey(); err != nil {
		return a, err
	}
	if err := a.openStore(ctx); err != nil {
		return a, err
	}
	return a, a.openRedis()
}

func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	a.closers = nil
}

func (a *app) onClose(f func()) { a.closers = append(a.closers, f) }

// openKey makes a key for an app that is only tried, and keeps it next to the database so that nobody is signed
// out by a restart.
func (a *app) openKey() error {
	if a.settings.Key != nil {
		return nil
	}
	if !a.settings.Database.IsEmbedded {
		return &config.Problem{Sentence: "APP_KEY is not set", Hint: `make one with: echo "APP_KEY=base64:$(openssl rand -base64 32)"`}
	}
	if err := os.MkdirAll(settings.Folder, 0o700); err != nil {
		return err
	}
	name := filepath.Join(settings.Folder, "app.key")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		text = []byte(base64.StdEncoding.EncodeToString(key))
		err = os.WriteFile(name, text, 0o600)
	}
	if err != nil {
		return err
	}
	a.settings.Key, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(a.settings.Key) != 32 {
		return &config.Problem{Sentence: name + " holds no key", Hint: "remove the file, and a new one is made"}
	}
	return nil
}

func (a *app) openStore(ctx context.Context) (err error) {
	d := a.settings.Database
	dsn := d.DSN
	if d.Connection == "sqlite" {
		if err := os.MkdirAll(filepath.Dir(d.Path), 0o700); err != nil {
			return err
		}
		dsn = store.SQLite(d.Path)
	}
	if a.store, err = store.Open(ctx, d.Connection, dsn); err != nil {
		return &config.Problem{Sentence: err.Error(), Hint: "DB_URL, or DB_CONNECTION, DB_HOST, DB_PORT, DB_DATABASE, DB_USERNAME and DB_PASSWORD say where the database is"}
	}
	a.onClose(func() { a.store.Close() })
	return nil
}

func (a *app) openRedis() (err error) {
	url := a.settings.RedisURL
	if url == "" {
		embedded, err := ephemeral.Embed()
		if err != nil {
			return err
		}
		a.onClose(embedded.Close)
		url = embedded.URL()
		a.log.Info("Redis is embedded: jobs and typing state do not survive a restart", "hint", "REDIS_URL names a real one")
	}
	if a.redis, err = ephemeral.Dial(url); err != nil {
		return err
	}
	a.onClose(func() { a.redis.Close() })
	a.live = ephemeral.New(a.redis, time.Now)
	return nil
}

// needsRedis refuses what makes no sense with a Redis that only this process has.
func needsRedis(s settings.Settings, what string) error {
	if s.RedisURL != "" {
		return nil
	}
	return &config.Problem{
		Sentence: what + " needs a Redis that other processes have as well, and none is set",
		Hint:     `set REDIS_URL, or use "messaging start", which does everything in one process`,
	}
}

// ready reports a database that has no tables or nobody in it.
func (a *app) ready(ctx context.Context) error {
	if _, err := a.store.IsEmpty(ctx); err != nil {
		return &config.Problem{Sentence: fmt.Sprintf("the database cannot be used: %v", err), Hint: `"messaging migrate" makes the tables`}
	}
	return nil
}

// derive makes something that is always the same for a key, and tells nothing about it.
func derive(key []byte, what string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(what))
	return hex.EncodeToString(h.Sum(nil)[:10])
}

// horizon looks at the queues; queue puts a job that is retried back into them.
func (a *app) horizon(queue *jobs.Queue, observe func(queue, status string, runtime time.Duration)) *jobs.Horizon {
	return jobs.NewHorizon(jobs.HorizonConfig{Store: a.store, Redis: a.redis, Enqueue: queue.Enqueue, Now: time.Now, Observe: observe})
}
