package metrics

import "github.com/prometheus/client_golang/prometheus"

// Bridge are the numbers of the bridge to Laravel Reverb. They are the fields of package bridge's Counters.
type Bridge struct {
	On         prometheus.Gauge
	Nodes      prometheus.Gauge
	Sent       prometheus.Counter
	Received   prometheus.Counter
	Dropped    prometheus.Counter
	Withheld   prometheus.Counter
	Malformed  prometheus.Counter
	Answered   prometheus.Counter
	Asked      prometheus.Counter
	Incomplete prometheus.Counter
}

// NewBridge registers the numbers of the bridge on r.
func NewBridge(r prometheus.Registerer) Bridge {
	b := builder{r}
	return Bridge{
		On:         b.gauge("bridge_on", "1 while events are published to nodes of Laravel Reverb, else 0."),
		Nodes:      b.gauge("bridge_nodes", "Subscribers to Laravel Reverb's channel that are not nodes of this cluster."),
		Sent:       b.counter("bridge_events_sent_total", "Events published to nodes of Laravel Reverb."),
		Received:   b.counter("bridge_events_received_total", "Events that nodes of Laravel Reverb have published."),
		Dropped:    b.counter("bridge_events_dropped_total", "Events for nodes of Laravel Reverb that were lost while Redis was away, or could not be written."),
		Withheld:   b.counter("bridge_terminates_withheld_total", "Requests to terminate a user's connections that were not passed on, because they would have ended nodes of Laravel Reverb."),
		Malformed:  b.counter("bridge_malformed_total", "Messages on Laravel Reverb's channel that no node has written."),
		Answered:   b.counter("bridge_questions_answered_total", "Questions of nodes of Laravel Reverb that were answered."),
		Asked:      b.counter("bridge_questions_asked_total", "Questions to nodes of Laravel Reverb, for answers of the HTTP API."),
		Incomplete: b.counter("bridge_questions_incomplete_total", "Questions to nodes of Laravel Reverb that not all have answered in time."),
	}
}
