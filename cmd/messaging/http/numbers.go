package http

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// numbers counts requests.
type numbers struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newNumbers(registry *prometheus.Registry) *numbers {
	n := &numbers{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "messaging_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "messaging_http_request_seconds", Help: "How long answers took, by route.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 13),
		}, []string{"method", "route"}),
	}
	registry.MustRegister(n.requests, n.seconds)
	return n
}

func (n *numbers) count(r *route, status int, took time.Duration) {
	n.requests.WithLabelValues(r.method, r.path, strconv.Itoa(status)).Inc()
	n.seconds.WithLabelValues(r.method, r.path).Observe(took.Seconds())
}

func metricsHandler(registry *prometheus.Registry) fasthttp.RequestHandler {
	return fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}
