package http

import (
	"context"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
)

// checkTimeout is what the slowest part may take to answer.
const checkTimeout = 2 * time.Second

// health asks all parts at once. Without the database nothing can be done; without another, some things cannot.
func (r *request) health() error {
	h := api.Health{Status: "ok", Checks: make(map[string]api.HealthCheck, len(r.server.Checks))}
	var mu sync.Mutex
	var checks sync.WaitGroup
	for name, check := range r.server.Checks {
		checks.Go(func() {
			result := r.check(check)
			mu.Lock()
			defer mu.Unlock()
			h.Checks[name] = result
		})
	}
	checks.Wait()
	status := fasthttp.StatusOK
	for name, c := range h.Checks {
		switch {
		case c.OK:
		case name == "database":
			h.Status, status = "down", fasthttp.StatusServiceUnavailable
		case h.Status == "ok":
			h.Status = "degraded"
		}
	}
	return r.answer(status, h)
}

// check says only that a part is away: why may name hosts and users, and is for the log.
func (r *request) check(check Check) api.HealthCheck {
	ctx, cancel := context.WithTimeout(r.ctx, checkTimeout)
	defer cancel()
	start := time.Now()
	err := check(ctx)
	c := api.HealthCheck{OK: err == nil, Latency: float64(time.Since(start).Microseconds()) / 1000}
	if err != nil {
		r.server.Log.Debug("a check failed", "error", err)
		c.Error = "It does not answer."
	}
	return c
}
