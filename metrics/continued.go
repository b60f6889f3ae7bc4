package metrics

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
)

// Continued is a set of metrics whose counters and histograms go on from those of another process, as if it had been
// one. Gauges are what they are now.
type Continued struct {
	gatherer prometheus.Gatherer

	mu       sync.Mutex             // guards what follows
	before   map[string]*dto.Metric // by name and labels
	families []*dto.MetricFamily    // of them
}

// NewContinued returns the metrics of g, which so far continue nothing.
func NewContinued(g prometheus.Gatherer) *Continued {
	return &Continued{gatherer: g, before: make(map[string]*dto.Metric)}
}

// Export encodes the counters and histograms of this namespace.
func (c *Continued) Export() []byte {
	families, _ := c.Gather() // what cannot be gathered begins anew
	var b bytes.Buffer
	for _, f := range families {
		if goesOn(f) {
			_, _ = protodelim.MarshalTo(&b, f) // to memory
		}
	}
	return b.Bytes()
}

func goesOn(f *dto.MetricFamily) bool {
	isSum := f.GetType() == dto.MetricType_COUNTER || f.GetType() == dto.MetricType_HISTOGRAM
	return isSum && strings.HasPrefix(f.GetName(), namespace+"_")
}

// Add continues what Export has encoded.
func (c *Continued) Add(exported []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := bufio.NewReader(bytes.NewReader(exported))
	for {
		var f dto.MetricFamily
		err := protodelim.UnmarshalFrom(r, &f)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the counters of another process: %w", err)
		}
		for _, m := range f.Metric {
			c.before[seriesOf(&f, m)] = m
		}
		c.families = append(c.families, &f)
	}
}

func seriesOf(f *dto.MetricFamily, m *dto.Metric) string {
	var b strings.Builder
	b.WriteString(f.GetName())
	for _, l := range m.GetLabel() { // they come sorted
		fmt.Fprintf(&b, " %q %q", l.GetName(), l.GetValue())
	}
	return b.String()
}

// Gather returns the sums.
func (c *Continued) Gather() ([]*dto.MetricFamily, error) {
	families, err := c.gatherer.Gather()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.before) == 0 {
		return families, err
	}
	seen := make(map[string]bool, len(families))
	for _, f := range families {
		seen[f.GetName()] = true
		if goesOn(f) {
			c.addTo(f)
		}
	}
	for _, f := range c.families {
		if !seen[f.GetName()] { // this process has begun no series of it yet
			families = append(families, f)
		}
	}
	return families, err
}

// addTo adds what was before to a family. A series that this process has not begun yet goes on as it was.
func (c *Continued) addTo(f *dto.MetricFamily) {
	seen := make(map[string]bool, len(f.Metric))
	for _, m := range f.Metric {
		series := seriesOf(f, m)
		seen[series] = true
		if old := c.before[series]; old != nil {
			addMetric(m, old)
		}
	}
	for series, old := range c.before {
		if name, _, _ := strings.Cut(series, " "); name == f.GetName() && !seen[series] {
			f.Metric = append(f.Metric, old)
		}
	}
}

func addMetric(m, old *dto.Metric) {
	if m.Counter != nil && old.Counter != nil {
		*m.Counter.Value += old.Counter.GetValue()
	}
	if m.Histogram == nil || old.Histogram == nil || len(m.Histogram.Bucket) != len(old.Histogram.Bucket) {
		return
	}
	*m.Histogram.SampleCount += old.Histogram.GetSampleCount()
	*m.Histogram.SampleSum += old.Histogram.GetSampleSum()
	for i, b := range m.Histogram.Bucket {
		*b.CumulativeCount += old.Histogram.Bucket[i].GetCumulativeCount()
	}
}
