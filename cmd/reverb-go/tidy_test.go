package main

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestIsTidyWorth(t *testing.T) {
	const mb = 1 << 20
	tests := []struct {
		name                           string
		allocated, objects, live, free uint64
		want                           bool
	}{
		{"nothing was used yet", 0, 0, 0, 0, false},
		{"a burst that is over", 0, 8 * mb, 4 * mb, 0, true},
		{"a burst that goes on", 8 * mb, 8 * mb, 4 * mb, 0, false},
		{"free already, and not given back", 0, 4 * mb, 4 * mb, 2 * mb, true},
		{"little", 0, 5 * mb, 4 * mb, 0, false},
		{"little beside what is in use", 0, 108 * mb, 100 * mb, 16 * mb, false},
		{"much beside what is in use", 0, 108 * mb, 100 * mb, 17 * mb, true},
		{"fewer objects than were in use", 0, 3 * mb, 4 * mb, 0, false},
	}
	for _, tt := range tests {
		if got := isTidyWorth(tt.allocated, tt.objects, tt.live, tt.free); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The runtime knows all the numbers, and a tidier that has done its work finds none to do.
func TestTidier(t *testing.T) {
	tidier := newTidier()
	metrics.Read(tidier.samples)
	for _, s := range tidier.samples {
		if s.Value.Kind() != metrics.KindUint64 {
			t.Fatalf("the runtime does not know %s", s.Name)
		}
	}
	debug.FreeOSMemory()
	tidier.isWorth()
	if tidier.isWorth() {
		t.Error("there is work again after it was done")
	}
	tidier.start()
	tidier.close()
}
