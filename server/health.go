package server

import (
	"encoding/json"

	"github.com/valyala/fasthttp"
)

// A Check is a part that the server can do without for a while. Err returns what is wrong with it, or nil; it
// must not wait.
type Check struct {
	Name string
	Err  func() error
}

// health is the body of GET /healthz.
type health struct {
	Status string            `json:"status"` // ok, degraded or draining
	Parts  map[string]string `json:"parts"`  // "ok", or what is wrong
}

// getHealth tells a load balancer whether to send clients here. A part that is broken is no reason against it:
// the other nodes have the same Redis.
func (s *Server) getHealth(ctx *fasthttp.RequestCtx) {
	h := health{Status: "ok", Parts: make(map[string]string)}
	checks := s.cfg.Checks
	if s.cluster != nil {
		checks = append(checks[:len(checks):len(checks)], Check{"redis", s.cluster.Health})
	}
	for _, c := range checks {
		h.Parts[c.Name] = "ok"
		if err := c.Err(); err != nil {
			h.Status, h.Parts[c.Name] = "degraded", err.Error()
		}
	}
	status := fasthttp.StatusOK
	if s.IsDraining() {
		h.Status, status = "draining", fasthttp.StatusServiceUnavailable
	}
	body, err := json.Marshal(h)
	if err != nil {
		s.log.Error("health not encoded", "err", err)
	}
	answerJSON(ctx, status, body)
}
