package server

import (
	"errors"
	"testing"
)

func TestOutage(t *testing.T) {
	var o outage
	away := errors.New("away")
	for i, step := range []struct {
		health error
		want   bool
	}{{away, false}, {nil, false}, {away, false}, {away, true}, {away, true}, {nil, false}, {away, false}} {
		o.note(step.health)
		if got := o.isKnown.Load(); got != step.want {
			t.Errorf("second %d: got %v, want %v", i, got, step.want)
		}
	}
}
