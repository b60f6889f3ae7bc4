package main

import (
	"runtime/metrics"
	"testing"
)

func TestTidierIsDue(t *testing.T) {
	const kb, mb = 1 << 10, 1 << 20
	type look struct {
		allocated, live uint64 // the first in all
		want            bool
	}
	tests := []struct {
		name  string
		looks []look
	}{
		{"little", []look{{900 * kb, mb, false}, {1000 * kb, mb, false}, {1000 * kb, mb, false}}},
		{"a burst", []look{{8 * mb, 4 * mb, false}, {16 * mb, 4 * mb, false}, {16 * mb, 4 * mb, true}}},
		{"what a burst has started ends later", []look{{8 * mb, 4 * mb, false}, {8 * mb, 4 * mb, true},
			{8 * mb, 4 * mb, false}, {8 * mb, 4 * mb, false}, {8 * mb, 4 * mb, true}, {8 * mb, 4 * mb, false}, {8 * mb, 4 * mb, false}}},
		{"drop by drop", []look{{200 * kb, mb, false}, {400 * kb, mb, false}, {600 * kb, mb, false}, {800 * kb, mb, false}, {1024 * kb, mb, true}}},
		{"little beside what is in use", []look{{8 * mb, 100 * mb, false}, {8 * mb, 100 * mb, false}}},
		{"much beside what is in use", []look{{25 * mb, 100 * mb, false}, {25 * mb, 100 * mb, true}}},
	}
	for _, tt := range tests {
		tidier := newTidier()
		for i, l := range tt.looks {
			if got := tidier.isDue(l.allocated, l.live); got != l.want {
				t.Errorf("%s, look %d: %v, want %v", tt.name, i, got, l.want)
			}
		}
	}
}

// TestTidierReadsMetrics: the runtime knows all the numbers.
func TestTidierReadsMetrics(t *testing.T) {
	tidier := newTidier()
	metrics.Read(tidier.samples)
	for _, s := range tidier.samples {
		if s.Value.Kind() != metrics.KindUint64 {
			t.Errorf("the runtime does not know %s", s.Name)
		}
	}
	tidier.start()
	tidier.close()
}
