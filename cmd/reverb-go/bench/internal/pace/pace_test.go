package pace

import (
	"slices"
	"testing"
)

func TestAt(t *testing.T) {
	s := Schedule{Start: 1000, Rate: 1e6, Index: 1, Of: 3}
	for k, want := range []int64{2000, 5000, 8000} {
		if got := s.At(int64(k)); got != want {
			t.Errorf("At(%d) = %d, want %d", k, got, want)
		}
	}
}

// TestDueIsTheInverseOfAt counts one by one what Due calculates.
func TestDueIsTheInverseOfAt(t *testing.T) {
	for _, rate := range []float64{0.3, 1, 7, 333.3, 20_000, 1e6} {
		s := Schedule{Start: 1_700_000_000_123, Rate: rate, Index: 2, Of: 5}
		for k := range int64(500) {
			if got := s.Due(s.At(k)); got != k+1 {
				t.Fatalf("at %g/s Due(At(%d)) = %d, want %d", rate, k, got, k+1)
			}
			if got := s.Due(s.At(k) - 1); got != k {
				t.Fatalf("at %g/s Due(At(%d)-1) = %d, want %d", rate, k, got, k)
			}
		}
	}
}

func TestDueBeforeStartAndWithoutRate(t *testing.T) {
	if got := (Schedule{Start: 100, Rate: 1e9, Of: 1}).Due(99); got != 0 {
		t.Errorf("before the start %d are due, want 0", got)
	}
	if got := (Schedule{Start: 0, Of: 1}).Due(1e15); got != 0 {
		t.Errorf("without a rate %d are due, want 0", got)
	}
}

// TestSharesMakeUpTheWhole puts the shares together again.
func TestSharesMakeUpTheWhole(t *testing.T) {
	const shares = 4
	var got []int64
	for i := range shares {
		s := Schedule{Start: 5, Rate: 1000, Index: i, Of: shares}
		for k := range int64(25) {
			got = append(got, s.At(k))
		}
	}
	slices.Sort(got)
	whole := Schedule{Start: 5, Rate: 1000, Of: 1}
	for k, at := range got {
		if want := whole.At(int64(k)); at != want {
			t.Fatalf("time %d of the shares is %d, want %d", k, at, want)
		}
	}
}

// TestLateSendingDoesNotMoveTheSchedule is the point of it: a stall makes many things due at once.
func TestLateSendingDoesNotMoveTheSchedule(t *testing.T) {
	s := Schedule{Start: 0, Rate: 1000, Of: 1}
	sent := s.Due(10e6)
	const stall = 500e6
	if got := s.Due(10e6+stall) - sent; got != 500 {
		t.Errorf("after half a second's stall %d are due, want 500", got)
	}
	if got := s.At(sent); got != 11e6 {
		t.Errorf("the first of them was meant for %d, want 11000000", got)
	}
}
