package main

import (
	"strings"
	"sync/atomic"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server/webhook"
)

// apps are whom the server serves.
type apps struct {
	*auth.Apps
	throwAway bool // none is configured, so there is one to try things out with
}

// newApps makes the configured apps; without any, that of e, or one with new credentials.
func newApps(cfg *config.Config, e *estate) (apps, error) {
	if cfg.AppTable.Provider == config.AppsFromSQL {
		none, err := auth.NewApps()
		return apps{none, false}, err
	}
	wanted := make([]auth.App, 0, len(cfg.Apps))
	for _, c := range cfg.Apps {
		wanted = append(wanted, c.App)
	}
	if len(wanted) == 0 {
		wanted = append(wanted, e.throwAwayApp())
	}
	list := make([]*auth.App, len(wanted))
	for i, w := range wanted {
		a, err := auth.NewApp(w)
		if err != nil {
			return apps{}, unusable(err)
		}
		list[i] = a
	}
	all, err := auth.NewApps(list...)
	if err != nil {
		return apps{}, unusable(err)
	}
	return apps{all, len(cfg.Apps) == 0}, nil
}

// unusable makes a problem of the configuration of an error that ends with a hint.
func unusable(err error) error {
	sentence, hint, _ := strings.Cut(err.Error(), "; hint: ")
	return &config.Problem{Sentence: sentence, Hint: hint}
}

// hooksOf returns where the events of each app go.
func hooksOf(cfg *config.Config) webhook.Config {
	hooks := make(webhook.Config)
	for _, a := range cfg.Apps {
		hooks[a.ID] = a.Hooks
	}
	return hooks
}

// An appSwitch is the apps as they are configured now. Its methods may be called from any goroutine.
type appSwitch struct{ now atomic.Pointer[auth.Apps] }

func (s *appSwitch) ByKey(key string) (*auth.App, error) { return s.now.Load().ByKey(key) }
func (s *appSwitch) ByID(id string) (*auth.App, error)   { return s.now.Load().ByID(id) }

func (s *appSwitch) RecallByKey(key string) (*auth.App, bool) { return s.now.Load().RecallByKey(key) }
func (s *appSwitch) RecallByID(id string) (*auth.App, bool)   { return s.now.Load().RecallByID(id) }
