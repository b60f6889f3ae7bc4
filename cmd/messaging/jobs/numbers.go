package jobs

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Numbers tells Prometheus how the queues are doing.
type Numbers struct {
	registry prometheus.Registerer
	ended    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewNumbers registers what this process counts.
func NewNumbers(registry prometheus.Registerer) *Numbers {
	n := &Numbers{
		registry: registry,
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "messaging_jobs_total", Help: "Jobs that this process has run, by queue and how they ended.",
		}, []string{"queue", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "messaging_job_seconds", Help: "How long jobs ran, by queue.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"queue"}),
	}
	registry.MustRegister(n.ended, n.seconds)
	return n
}

// Observe counts a job that has ended.
func (n *Numbers) Observe(queue, status string, runtime time.Duration) {
	n.ended.WithLabelValues(queue, status).Inc()
	n.seconds.WithLabelValues(queue).Observe(runtime.Seconds())
}

// Watch registers what a Horizon sees of all processes. It is asked whenever the numbers are.
func (n *Numbers) Watch(h *Horizon) {
	n.registry.MustRegister(watcher{
		horizon: h,
		size:    prometheus.NewDesc("messaging_queue_jobs", "Jobs in a queue, by state.", []string{"queue", "state"}, nil),
		latency: prometheus.NewDesc("messaging_queue_latency_seconds", "Age of the oldest job that waits.", []string{"queue"}, nil),
		workers: prometheus.NewDesc("messaging_queue_workers", "Jobs of a queue that can be run at once.", []string{"queue"}, nil),
		waiting: prometheus.NewDesc("messaging_outbox_jobs", "Jobs that were stored and have not run, in a queue or not.", nil, nil),
	})
}

// watcher is a Horizon as Prometheus wants it.
type watcher struct {
	horizon                         *Horizon
	size, latency, workers, waiting *prometheus.Desc
}

func (w watcher) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{w.size, w.latency, w.workers, w.waiting} {
		to <- d
	}
}

// Collect says nothing while Redis is away: the rest of the numbers is wanted then most of all.
func (w watcher) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	stats, err := w.horizon.Stats(ctx)
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, q := range stats.Queues {
		gauge(w.size, float64(q.Pending), q.Queue, "pending")
		gauge(w.size, float64(q.Active), q.Queue, "active")
		gauge(w.size, float64(q.Failed), q.Queue, "failed")
		gauge(w.latency, float64(q.LatencyMS)/1000, q.Queue)
		gauge(w.workers, float64(q.Workers), q.Queue)
	}
	gauge(w.waiting, float64(stats.Waiting))
}
