package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestContinued lets the counters of one process go on in a second, and those in a third.
func TestContinued(t *testing.T) {
	var exported []byte
	for round := 1; round <= 3; round++ {
		registry := prometheus.NewRegistry()
		m := New(registry)
		c := NewContinued(registry)
		if err := c.Add(exported); err != nil {
			t.Fatal(err)
		}
		m.Opened.Inc()
		m.Connections.WithLabelValues("1").Set(5)
		m.LoopBusy.WithLabelValues("0").Observe(0.5)
		if round == 1 {
			m.Closed.WithLabelValues("gone").Add(7)
		}
		got := make(map[string]float64)
		families, err := c.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, metric := range f.Metric {
				got[f.GetName()] += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
		for name, want := range map[string]float64{
			"reverb_connections_opened_total": float64(round), "reverb_connections_closed_total": 7, "reverb_connections": 5,
			"reverb_loop_busy_seconds": float64(round),
		} {
			if got[name] != want {
				t.Errorf("round %d: %s is %v, want %v", round, name, got[name], want)
			}
		}
		exported = c.Export()
	}
}
