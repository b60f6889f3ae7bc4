package server

import "testing"

// TestNextLoop lets connections come, stay or leave, and looks at where they are.
func TestNextLoop(t *testing.T) {
	const loops = 3
	s := &Server{loops: make([]*loop, loops)}
	for i := range s.loops {
		s.loops[i] = &loop{index: i}
	}
	spread := func() int32 {
		least, most := s.loops[0].load.Load(), s.loops[0].load.Load()
		for _, l := range s.loops {
			least, most = min(least, l.load.Load()), max(most, l.load.Load())
		}
		return most - least
	}

	for n := range 4 * loops {
		s.nextLoop().load.Add(1)
		if got := spread(); got > 1 {
			t.Fatalf("after %d connections one loop has %d more than another, want one at most", n+1, got)
		}
	}

	const more = 1000 * loops
	runs, last := 0, (*loop)(nil)
	for n := range more {
		l := s.nextLoop()
		l.load.Add(1)
		if n >= more/2 && l != last {
			runs, last = runs+1, l
		}
		if got := spread(); got > arrivalsRun+1 {
			t.Fatalf("after %d more connections one loop has %d more than another, want %d at most", n+1, got, arrivalsRun+1)
		}
	}
	if most := more/2/arrivalsRun + 2; runs > most {
		t.Errorf("%d connections came in %d runs, want %d at most", more/2, runs, most)
	}

	var served [loops]int
	for range 3 * loops * arrivalsRun {
		served[s.nextLoop().index]++
	}
	for i, n := range served {
		if n < arrivalsRun {
			t.Errorf("of %d connections that leave at once loop %d had %d, want a share", 3*loops*arrivalsRun, i, n)
		}
	}
}
