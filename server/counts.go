package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/metrics"
)

// counts are the metrics with their labels looked up beforehand.
type counts struct {
	*metrics.Metrics
	closed  []prometheus.Counter // by closeReason
	refused []prometheus.Counter // by refusal

	refusedMessages []prometheus.Counter // as messageRefusals

	publishedAPI, publishedClient prometheus.Counter
	droppedSlow                   prometheus.Counter
	http                          httpCounts
}

func newCounts(m *metrics.Metrics) counts {
	c := counts{
		Metrics:         m,
		publishedAPI:    m.Published.WithLabelValues("api"),
		publishedClient: m.Published.WithLabelValues("client"),
		droppedSlow:     m.Dropped.WithLabelValues(closedSlow.String()),
		http:            newHTTPCounts(m),
	}
	for why := range numCloseReasons {
		c.closed = append(c.closed, m.Closed.WithLabelValues(closeReason(why).String()))
	}
	for why := range numRefusals {
		c.refused = append(c.refused, m.Refused.WithLabelValues(refusal(why).String()))
	}
	for _, r := range messageRefusals {
		c.refusedMessages = append(c.refusedMessages, m.MessagesRefused.WithLabelValues(r.reason))
	}
	return c
}

// loopStats are what a loop has counted in this turn: plain numbers, because adding to a metric for
// every message would be felt.
type loopStats struct {
	messagesIn, bytesIn   int
	messagesOut, bytesOut int
	writes                int
	saved                 int // bytes, by compression
	published, dropped    int
	refused               [len(messageRefusals)]int
	busy                  prometheus.Observer
}

// report adds the numbers of a turn to the metrics.
func (l *loop) report(started time.Time) {
	m, st := &l.server.counts, &l.stats
	if st.busy == nil {
		st.busy = m.LoopBusy.WithLabelValues(strconv.Itoa(l.index))
	}
	add(m.MessagesReceived, &st.messagesIn)
	add(m.BytesReceived, &st.bytesIn)
	add(m.MessagesSent, &st.messagesOut)
	add(m.BytesSent, &st.bytesOut)
	add(m.Writes, &st.writes)
	add(m.CompressionSaved, &st.saved)
	for i := range st.refused {
		add(m.refusedMessages[i], &st.refused[i])
	}
	add(m.publishedClient, &st.published)
	add(m.droppedSlow, &st.dropped)
	m.QueuedBytes.Set(float64(l.server.queued.Load()))
	st.busy.Observe(l.server.cfg.Now().Sub(started).Seconds())
}

func add(c prometheus.Counter, n *int) {
	if *n != 0 {
		c.Add(float64(*n))
		*n = 0
	}
}
