package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/metrics"
)

// A route is a kind of HTTP request, as counted.
type route int

const (
	routeOther route = iota
	routeUp
	routeApp
	routeEvents
	routeBatch
	routeConnections
	routeChannels
	routeChannel
	routeUsers
	routeTerminate
	routeInspector
	numRoutes int = iota
)

func (r route) String() string {
	return [...]string{"other", "up", "app", "events", "batch_events", "connections", "channels", "channel", "users", "terminate_connections", "inspector"}[r]
}

// statuses are those we answer with; any other is counted with the last.
var statuses = []int{
	fasthttp.StatusOK, fasthttp.StatusBadRequest, fasthttp.StatusUnauthorized, fasthttp.StatusNotFound,
	fasthttp.StatusMethodNotAllowed, fasthttp.StatusRequestTimeout, fasthttp.StatusRequestEntityTooLarge,
	fasthttp.StatusUnprocessableEntity, fasthttp.StatusTooManyRequests, fasthttp.StatusForbidden, fasthttp.StatusServiceUnavailable, fasthttp.StatusUpgradeRequired, fasthttp.StatusInternalServerError,
}

// httpCounts has the metrics of each route and status looked up beforehand.
type httpCounts struct {
	requests []map[int]prometheus.Counter // by route
	duration []prometheus.Observer        // by route
}

func newHTTPCounts(m *metrics.Metrics) httpCounts {
	var h httpCounts
	for r := range route(numRoutes) {
		byStatus := make(map[int]prometheus.Counter)
		for _, status := range statuses {
			byStatus[status] = m.HTTPRequests.WithLabelValues(r.String(), strconv.Itoa(status))
		}
		h.requests = append(h.requests, byStatus)
		h.duration = append(h.duration, m.HTTPDuration.WithLabelValues(r.String()))
	}
	return h
}

func (h *httpCounts) observe(r route, status int, took time.Duration) {
	counter, known := h.requests[r][status]
	if !known {
		counter = h.requests[r][statuses[len(statuses)-1]]
	}
	counter.Inc()
	h.duration[r].Observe(took.Seconds())
}
