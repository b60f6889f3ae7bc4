package main

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/auth/sqlapps"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server"
)

// appTable is the table of apps as a server asks it. A nil one is no table, and its methods do nothing.
type appTable struct {
	store  *sqlapps.Store
	source *sqlapps.Source
	ttl    time.Duration

	stop chan struct{} // closed to end the refreshing
	done sync.WaitGroup
}

// openAppTable returns the table, or nil if apps come from the configuration. A database that does not answer
// is waited for while serving, as it would be later.
func openAppTable(cfg *config.Config, failures prometheus.Counter, log *slog.Logger) (*appTable, error) {
	if cfg.AppTable.Provider != config.AppsFromSQL {
		return nil, nil
	}
	store, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	t := &appTable{store: store, ttl: cfg.AppTable.TTL, stop: make(chan struct{})}
	t.source = sqlapps.NewSource(store, sqlapps.Options{TTL: t.ttl, Logger: log, Failures: failures})
	for _, a := range cfg.Apps {
		if found, err := t.source.ByID(a.ID); found == nil && err == nil {
			log.Warn(fmt.Sprintf("the app %q of the configuration is not served: apps come from a database, and it has no such app", a.ID),
				"hint", `"reverb-go apps add" adds it`)
		}
	}
	return t, nil
}

// openStore returns the table that the configuration names.
func openStore(cfg *config.Config) (*sqlapps.Store, error) {
	url, err := cfg.AppTable.DatabaseURL()
	if err != nil {
		return nil, err
	}
	store, err := sqlapps.Open(url)
	if err != nil {
		return nil, unusable(err)
	}
	return store, nil
}

// sourceOr returns where the server finds apps.
func (t *appTable) sourceOr(configured server.AppSource) server.AppSource {
	if t == nil {
		return configured
	}
	return t.source
}

// keepFresh has changes of the table reach live connections. refresh looks up every app the server knows.
func (t *appTable) keepFresh(refresh func()) {
	if t == nil {
		return
	}
	t.done.Go(func() {
		tick := time.NewTicker(t.ttl)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t.source.Expire()
				refresh()
			case <-t.stop:
				return
			}
		}
	})
}

// reload has the table asked again for every app.
func (t *appTable) reload() {
	if t != nil {
		t.source.Expire()
	}
}

func (t *appTable) close() {
	if t == nil {
		return
	}
	close(t.stop)
	t.source.Close()
	t.done.Wait()
	t.store.Close()
}
