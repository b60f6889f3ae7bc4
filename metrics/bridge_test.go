package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestBridgeNames(t *testing.T) {
	r := prometheus.NewRegistry()
	NewBridge(r).On.Set(1)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "reverb_bridge_on" && family.GetMetric()[0].GetGauge().GetValue() == 1 {
			return
		}
	}
	t.Error("there is no reverb_bridge_on")
}
