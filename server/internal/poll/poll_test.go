package poll

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestWakeBeforeAndDuringWait(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 100 {
		p.Wake()
		p.Wake()
		if _, err := p.Wait(nil, -1); err != nil {
			t.Fatal(err)
		}
		go p.Wake()
		if _, err := p.Wait(nil, -1); err != nil {
			t.Fatal(err)
		}
		// A second wake of the first pair may still be pending: both forms of merging are fine.
		if _, err := p.Wait(nil, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitTimesOut(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	events, err := p.Wait(nil, time.Millisecond)
	if err != nil || len(events) != 0 {
		t.Errorf("Wait = %v, %v, want no events", events, err)
	}
}

// A deadline that has passed must not end the waits that come after it.
func TestWaitAfterTimeout(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, timeout := range []time.Duration{-1, time.Hour, -1} {
		if _, err := p.Wait(nil, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		var isWoken atomic.Bool
		go func() {
			isWoken.Store(true)
			p.Wake()
		}()
		if _, err := p.Wait(nil, timeout); err != nil || !isWoken.Load() {
			t.Errorf("Wait(%s) = %v, want it to wait until woken", timeout, err)
		}
	}
}
