package server

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// An AppSource knows the apps. Its methods may be called from any goroutine but a loop's, and may
// block for a moment. They return nil for an app that does not exist, and an error when that cannot
// be found out. package auth's Apps is one that never changes.
type AppSource interface {
	ByKey(key string) (*auth.App, error)
	ByID(id string) (*auth.App, error)
}

// A PromptSource is an AppSource that loops may ask as well: RecallByKey and RecallByID never wait. They report false
// if it is not known what ByKey and ByID would return.
type PromptSource interface {
	AppSource
	RecallByKey(key string) (app *auth.App, isKnown bool)
	RecallByID(id string) (app *auth.App, isKnown bool)
}

// An app is what the server keeps for one of the apps it has met.
type app struct {
	id       string
	settings atomic.Pointer[auth.App] // replaced when they change
	registry *channels.Registry

	connections atomic.Int64
	answers     answers      // to requests with an idempotency key
	events      lockedBucket // published through the HTTP API
	reads       lockedBucket // other requests to it

	gauge         prometheus.Gauge // of connections
	subscriptions prometheus.Gauge
	channels      prometheus.Gauge // with a subscriber
}

// get returns the settings as they are now.
func (a *app) get() *auth.App { return a.settings.Load() }

// appTable holds the apps that have been met.
type appTable struct {
	mu   sync.RWMutex // guards byID
	byID map[string]*app
}

func (t *appTable) find(id string) *app {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

func (t *appTable) all() []*app {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]*app, 0, len(t.byID))
	for _, a := range t.byID {
		all = append(all, a)
	}
	return all
}

// meet returns the app with these settings, which apply from now on.
func (s *Server) meet(settings *auth.App) *app {
	a := s.apps.find(settings.ID)
	if a == nil {
		a = s.addApp(settings)
	}
	if a.get() != settings {
		a.settings.Store(settings)
		a.registry.SetRules(rulesOf(settings))
	}
	return a
}

func (s *Server) addApp(settings *auth.App) *app {
	s.apps.mu.Lock()
	defer s.apps.mu.Unlock()
	if a := s.apps.byID[settings.ID]; a != nil {
		return a
	}
	a := &app{
		id:            settings.ID,
		gauge:         s.cfg.Metrics.Connections.WithLabelValues(settings.ID),
		subscriptions: s.cfg.Metrics.Subscriptions.WithLabelValues(settings.ID),
		channels:      s.cfg.Metrics.Channels.WithLabelValues(settings.ID),
	}
	a.settings.Store(settings)
	hooks := channels.Hooks{
		Post: func(n channels.Note) { s.post(a, n) }, Ready: s.ready, Observe: func(e channels.Event) { s.observe(a, e) },
	}
	a.registry = channels.NewRegistry(rulesOf(settings), hooks, s.clusterOf(a.id))
	s.apps.byID[a.id] = a
	return a
}

func rulesOf(settings *auth.App) channels.Rules {
	return channels.Rules{
		CacheTTL:           settings.CacheTTL,
		MaxMembers:         settings.MaxMembers,
		CountSubscriptions: settings.CountSubscriptions,
	}
}

func (s *Server) observe(a *app, e channels.Event) {
	if s.cfg.Hooks != nil {
		s.cfg.Hooks.Notify(a.get(), e)
	}
}

// RefreshApps asks the source again for every app that has been met. Changed limits apply to live
// connections; those of an app that is gone or disabled are closed with 4003. What the source
// cannot find out stays as it is.
func (s *Server) RefreshApps() {
	for _, a := range s.apps.all() {
		settings, err := s.cfg.Apps.ByID(a.id)
		switch {
		case err != nil:
			s.log.Warn("app not refreshed", "app", a.id, "err", err)
		case settings == nil || settings.IsDisabled:
			s.closeApp(a)
		default:
			s.meet(settings)
		}
	}
}

func (s *Server) closeApp(a *app) {
	for _, l := range s.loops {
		l.inbox.post(note{do: func(l *loop) {
			for c := range l.all() {
				if c.app == a {
					l.closeWith(c, closedAppGone, protocol.ErrAppDisabled)
				}
			}
		}})
	}
}
