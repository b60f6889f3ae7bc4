package main

import (
	"github.com/reverb-go/reverb-go/auth"
)

// An estate is what a new process is told by this package; the rest is between the servers.
type estate struct {
	ThrowAway *throwAwayKeys `json:"throw_away,omitempty"`
}

type throwAwayKeys struct{ ID, Key, Secret string }

func (e *estate) set(a apps) {
	if a.throwAway {
		app := a.All()[0]
		e.ThrowAway = &throwAwayKeys{app.ID, app.Key, app.Secret}
	}
}

// left returns what the process before this one has told; nil is nothing.
func (in *inheritance) left() *estate {
	if in == nil {
		return nil
	}
	return &in.estate
}

// throwAwayApp is the one of the process before this, or a new one.
func (e *estate) throwAwayApp() auth.App {
	if e == nil || e.ThrowAway == nil {
		return throwAwayApp()
	}
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = e.ThrowAway.ID, e.ThrowAway.Key, e.ThrowAway.Secret
	return a
}

// exportExtra is what goes to a new process while the server is at rest: the counters, and the last signal of
// "php artisan reverb:restart", if one is known.
func (n *node) exportExtra() [][]byte {
	extra := [][]byte{n.numbers.export()}
	if last := n.lastSignal.Load(); last != nil {
		extra = append(extra, []byte(*last))
	}
	return extra
}

func (n *node) importExtra(extra [][]byte) error {
	if len(extra) > 1 {
		last := string(extra[1])
		n.lastSignal.Store(&last)
	}
	if len(extra) == 0 {
		return nil
	}
	return n.numbers.continueFrom(extra[0])
}
