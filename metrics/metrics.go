// Package metrics holds every number that reverb-go exports, with its name and help text.
//
// [New] builds them on the registry it is given; package server counts into them. Labels are few and
// known beforehand (app, reason, route, status, loop), never a channel, a user or an address, so the
// number of series does not grow with traffic. All fields may be used from any goroutine.
package metrics

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the numbers of one node.
type Metrics struct {
	Connections   *prometheus.GaugeVec   // by app
	Subscriptions *prometheus.GaugeVec   // by app
	Channels      *prometheus.GaugeVec   // by app
	Opened        prometheus.Counter     //
	Closed        *prometheus.CounterVec // by reason
	Refused       *prometheus.CounterVec // by reason
	Compressed    prometheus.Gauge       //

	MessagesReceived prometheus.Counter
	BytesReceived    prometheus.Counter
	MessagesSent     prometheus.Counter
	BytesSent        prometheus.Counter
	Writes           prometheus.Counter
	CompressionSaved prometheus.Counter
	MessagesRefused  *prometheus.CounterVec // by reason
	Published        *prometheus.CounterVec // by source
	Dropped          *prometheus.CounterVec // by reason
	QueuedBytes      prometheus.Gauge
	AppQueriesFailed prometheus.Counter

	HTTPRequests *prometheus.CounterVec   // by route and status
	HTTPDuration *prometheus.HistogramVec // by route

	LoopBusy *prometheus.HistogramVec // by loop
}

// Cluster are the numbers of a node among others. They are the fields of package scaling's Counters.
type Cluster struct {
	Commands    prometheus.Counter
	Received    prometheus.Counter
	Dropped     prometheus.Counter
	Repaired    prometheus.Counter
	Unrepaired  prometheus.Counter
	Malformed   prometheus.Counter
	Outages     prometheus.Counter
	Resurrected prometheus.Counter
}

// NewCluster registers the numbers of a node among others on r.
func NewCluster(r prometheus.Registerer) Cluster {
	b := builder{r}
	return Cluster{
		Commands:    b.counter("redis_scripts_total", "Scripts that Redis has run for this node."),
		Received:    b.counter("redis_messages_received_total", "Messages that have come from Redis."),
		Dropped:     b.counter("redis_messages_dropped_total", "Messages for other nodes that were lost while Redis was away: they were too many, or too old."),
		Repaired:    b.counter("redis_messages_repaired_total", "Messages that were missed and read again."),
		Unrepaired:  b.counter("redis_gaps_total", "Times that messages may have been missed for good."),
		Malformed:   b.counter("redis_malformed_total", "Messages and values in Redis that no node has written."),
		Outages:     b.counter("redis_outages_total", "Times that Redis was lost."),
		Resurrected: b.counter("redis_resurrections_total", "Times that this node had been taken for dead."),
	}
}

// Webhooks are the numbers of webhooks, jobs and streams. They are the fields of package webhook's Counters.
type Webhooks struct {
	Sent         prometheus.Counter
	Failed       prometheus.Counter
	Retried      prometheus.Counter
	Dropped      prometheus.Counter
	DeadLettered prometheus.Counter
	Cancelled    prometheus.Counter
	Queued       prometheus.Gauge
}

// NewWebhooks registers the numbers of webhooks on r.
func NewWebhooks(r prometheus.Registerer) Webhooks {
	b := builder{r}
	return Webhooks{
		Sent:         b.counter("webhook_events_sent_total", "Events that webhooks, jobs and streams have delivered."),
		Failed:       b.counter("webhook_attempts_failed_total", "Attempts to deliver that failed."),
		Retried:      b.counter("webhook_attempts_repeated_total", "Attempts to deliver that were not the first."),
		Dropped:      b.counter("webhook_events_dropped_total", "Events lost, because a queue or the file of dead letters was full or there is none."),
		DeadLettered: b.counter("webhook_events_dead_lettered_total", "Events written to the file of dead letters."),
		Cancelled:    b.counter("webhook_events_cancelled_total", "Events that were held back, and undone in time."),
		Queued:       b.gauge("webhook_events_queued", "Events that wait to be delivered."),
	}
}

// New registers the metrics on r and returns them. It panics when they are registered there already.
func New(r prometheus.Registerer) *Metrics {
	b := builder{r}
	return &Metrics{
		Connections:   b.gauges("connections", "Established WebSocket connections.", "app"),
		Subscriptions: b.gauges("subscriptions", "Subscriptions of connections to channels.", "app"),
		Channels:      b.gauges("channels", "Channels with at least one subscriber.", "app"),
		Opened:        b.counter("connections_opened_total", "WebSocket connections that were established."),
		Closed:        b.counters("connections_closed_total", "Established connections that ended, by reason.", "reason"),
		Refused:       b.counters("connections_refused_total", "Connections that were refused, by reason.", "reason"),
		Compressed:    b.gauge("connections_compressed", "Established WebSocket connections that negotiated compression."),

		MessagesReceived: b.counter("messages_received_total", "Messages from clients."),
		BytesReceived:    b.counter("received_bytes_total", "Bytes read from WebSocket connections."),
		MessagesSent:     b.counter("messages_sent_total", "Frames queued for clients; a message to a thousand subscribers counts a thousand times."),
		BytesSent:        b.counter("sent_bytes_total", "Bytes written to WebSocket connections."),
		Writes:           b.counter("writes_total", "Write calls to WebSocket connections; messages_sent_total divided by this says how well deliveries are merged."),
		CompressionSaved: b.counter("compression_saved_bytes_total", "Bytes by which compression has made the frames queued for clients shorter."),
		MessagesRefused:  b.counters("messages_refused_total", "Messages from clients that were answered with an error, by reason.", "reason"),
		Published:        b.counters("published_total", "Events published to a channel, by source: api or client.", "source"),
		Dropped:          b.counters("messages_dropped_total", "Frames that were queued and not sent, by reason.", "reason"),
		QueuedBytes:      b.gauge("queued_bytes", "Bytes waiting for clients that read too slowly."),

		AppQueriesFailed: b.counter("app_queries_failed_total", "Queries for apps that the database has not answered."),

		HTTPRequests: b.counters("http_requests_total", "HTTP requests, by route and status.", "route", "status"),
		HTTPDuration: b.histograms("http_request_duration_seconds", "Time to answer an HTTP request, by route.", "route"),

		LoopBusy: b.histograms("loop_busy_seconds", "Time from an event loop's waking up to its next wait: how long a ready socket may have to wait, by loop.", "loop"),
	}
}

type builder struct{ registry prometheus.Registerer }

const namespace = "reverb"

func (b builder) counter(name, help string) prometheus.Counter {
	return register(b, prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}))
}

func (b builder) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return register(b, prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels))
}

func (b builder) gauge(name, help string) prometheus.Gauge {
	return register(b, prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}))
}

func (b builder) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return register(b, prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels))
}

func (b builder) histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	opts := prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(10e-6, 4, 10)}
	return register(b, prometheus.NewHistogramVec(opts, labels))
}

func register[C prometheus.Collector](b builder, c C) C {
	b.registry.MustRegister(c)
	return c
}
