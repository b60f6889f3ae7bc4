package hist

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

func TestMergedPartsEqualTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var whole, merged Histogram
	var parts [5]Histogram // the last one stays empty
	for range 10_000 {
		ns := int64(r.ExpFloat64() * float64(time.Millisecond))
		whole.Record(ns)
		parts[r.IntN(4)].Record(ns)
	}
	for i := range parts {
		merged.Merge(throughJSON(t, &parts[i]))
	}
	if got, want := merged.Count(), whole.Count(); got != want {
		t.Errorf("count is %d, want %d", got, want)
	}
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
		if got, want := merged.Quantile(q), whole.Quantile(q); got != want {
			t.Errorf("quantile %g is %v, want %v", q, got, want)
		}
	}
	if got, want := merged.Mean(), whole.Mean(); got != want {
		t.Errorf("mean is %v, want %v", got, want)
	}
}

func throughJSON(t *testing.T, h *Histogram) *Histogram {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var back Histogram
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func TestOutOfRange(t *testing.T) {
	var h Histogram
	h.Record(-5)
	h.Record(int64(time.Hour))
	if got := h.Count(); got != 2 {
		t.Errorf("count is %d, want 2: nothing may be left out", got)
	}
	if got := h.Quantile(1); got < 59*time.Second {
		t.Errorf("longest is %v, want about a minute", got)
	}
}

func TestEmpty(t *testing.T) {
	h := throughJSON(t, &Histogram{})
	h.Merge(&Histogram{})
	if h.Count() != 0 || h.Quantile(0.99) != 0 || h.Mean() != 0 {
		t.Errorf("an empty histogram has count %d, p99 %v, mean %v, want zeros", h.Count(), h.Quantile(0.99), h.Mean())
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, text := range []string{`3`, `"HISTFAAAA"`, `"not base64 at all"`} {
		var h Histogram
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("Unmarshal(%s) gave no error", text)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	ns := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		ns = (ns + 7919) % int64(50*time.Millisecond)
		h.Record(ns)
	}
}
