package server

import (
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// A rateWindow counts the messages of one connection in fixed windows, the first of which begins
// with the first message: Reverb's rate limit.
type rateWindow struct {
	ends  time.Time
	count int
}

// limits returns what the connection has used of these limits, or nil where there are none.
func (c *conn) limits(settings *auth.App) *rates {
	isLimited := settings.RateLimit.Enabled || settings.MaxMessages > 0 || settings.MaxClientEvents > 0
	switch {
	case !isLimited:
		return nil
	case c.rates == nil:
		c.rates = new(rates)
	}
	return c.rates
}

// allow counts a message and reports whether it is within the app's limits.
func (r *rates) allow(now time.Time, settings *auth.App) bool {
	if r == nil {
		return true
	}
	if settings.RateLimit.Enabled && !r.window.allows(now, settings.RateLimit) {
		return false
	}
	return r.messages.take(now, settings.MaxMessages)
}

// allowClientEvent does the same for a message that is a client event.
func (r *rates) allowClientEvent(now time.Time, settings *auth.App) bool {
	return r == nil || r.clientEvents.take(now, settings.MaxClientEvents)
}

// allows counts a message and reports whether it is within the limit.
func (w *rateWindow) allows(now time.Time, limit auth.RateLimit) bool {
	if !now.Before(w.ends) {
		w.ends, w.count = now.Add(limit.Decay), 0
	}
	if w.count >= limit.MaxAttempts {
		return false
	}
	w.count++
	return true
}
