package auth

import (
	"fmt"
	"slices"
)

// Apps finds an app by its key or id. It is immutable and may be used from any goroutine.
type Apps struct {
	all   []*App
	byKey map[string]*App
	byID  map[string]*App
}

// NewApps collects apps. No two may share an id or a key: which of them was meant could not be told.
func NewApps(apps ...*App) (*Apps, error) {
	s := &Apps{all: slices.Clone(apps), byKey: make(map[string]*App), byID: make(map[string]*App)}
	for _, a := range apps {
		if s.byID[a.ID] != nil {
			return nil, fmt.Errorf("two apps have the id %q; hint: give every entry of reverb.apps.apps its own app_id", a.ID)
		}
		if s.byKey[a.Key] != nil {
			return nil, fmt.Errorf("apps %q and %q have the same key %q; hint: give every entry of reverb.apps.apps its own key",
				s.byKey[a.Key].ID, a.ID, a.Key)
		}
		s.byID[a.ID], s.byKey[a.Key] = a, a
	}
	return s, nil
}

// ByKey returns the app a client names in the WebSocket URL, or nil. It never fails.
func (s *Apps) ByKey(key string) (*App, error) { return s.byKey[key], nil }

// ByID returns the app an HTTP API request names in its path, or nil. It never fails.
func (s *Apps) ByID(id string) (*App, error) { return s.byID[id], nil }

// RecallByKey is ByKey, since nobody ever has to wait for that.
func (s *Apps) RecallByKey(key string) (app *App, isKnown bool) { return s.byKey[key], true }

// RecallByID is ByID.
func (s *Apps) RecallByID(id string) (app *App, isKnown bool) { return s.byID[id], true }

// All returns the apps in the order given to NewApps. The slice is not to be changed.
func (s *Apps) All() []*App { return s.all }
