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

// allow counts a message and reports whether it is within the app's limits.
func (r *rates) allow(now time.Time, settings *auth.App) bool {
	if settings.RateLimit.Enabled && !r.window.allows(now, settings.RateLimit) {
		return false
	}
	return r.messages.take(now, settings.MaxMessages)
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
