// Package hist keeps distributions of durations, which can be merged and travel as text.
package hist

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Histogram is a distribution of durations from a microsecond to a minute, each kept to three digits.
// The zero value is empty and ready; it must not be copied after first use.
type Histogram struct{ hdr *hdrhistogram.Histogram }

const (
	lowest  = int64(time.Microsecond)
	highest = int64(time.Minute)
)

func newHDR() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, 3) }

// Record adds a duration in nanoseconds. What is out of range counts as the end of the range.
func (h *Histogram) Record(ns int64) {
	if h.hdr == nil {
		h.hdr = newHDR()
	}
	// It cannot fail within the range.
	_ = h.hdr.RecordValue(min(max(ns, 0), highest))
}

// Merge adds what other holds.
func (h *Histogram) Merge(other *Histogram) {
	if other.Count() == 0 {
		return
	}
	if h.hdr == nil {
		h.hdr = newHDR()
	}
	h.hdr.Merge(other.hdr)
}

// Reset empties h.
func (h *Histogram) Reset() {
	if h.hdr != nil {
		h.hdr.Reset()
	}
}

// Clone returns an independent copy.
func (h *Histogram) Clone() *Histogram {
	if h.hdr == nil {
		return &Histogram{}
	}
	return &Histogram{h.hdr.Clone()}
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() int64 {
	if h == nil || h.hdr == nil {
		return 0
	}
	return h.hdr.TotalCount()
}

// Quantile returns the duration that a share q of all does not exceed: 0.5 is the median, 1 the longest.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.hdr.ValueAtPercentile(q * 100))
}

// Mean returns the average.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.hdr.Mean())
}

// MarshalJSON writes h as HdrHistogram's compressed text, which other tools can read too.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	if h.Count() == 0 {
		return []byte(`""`), nil
	}
	text, err := h.hdr.EncodeV2()
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	return json.Marshal(string(text))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	h.hdr = nil
	if text == "" {
		return nil
	}
	hdr, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	h.hdr = hdr
	return nil
}
