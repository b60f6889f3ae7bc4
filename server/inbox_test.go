package server

import (
	"sync"
	"testing"
)

func newInbox(wake func()) *inbox {
	in := &inbox{wake: wake}
	in.room = sync.NewCond(&in.mu)
	return in
}

// TestInbox does what a loop and its posters do, one after the other, in random order: every note is taken once
// and in order, a sleeping loop is woken by the first note and by no other, and after the end nothing is taken.
func TestInbox(t *testing.T) {
	random := Seeded(t)
	wakes, asleep := 0, false
	in := newInbox(func() { wakes++ })
	var waiting []uint64
	next := uint64(0)
	for range 10_000 {
		wantWakes := wakes
		switch random.IntN(6) {
		case 0, 1, 2:
			if !in.post(note{seq: next}) {
				t.Fatal("a note was refused")
			}
			waiting = append(waiting, next)
			next++
			if asleep {
				wantWakes, asleep = wantWakes+1, false
			}
		case 3:
			asleep = in.sleep()
			if want := len(waiting) == 0; asleep != want {
				t.Fatalf("sleep = %t with %d notes, want %t", asleep, len(waiting), want)
			}
		case 4:
			in.awake()
			asleep = false
		case 5:
			notes := in.take()
			if len(notes) != len(waiting) {
				t.Fatalf("%d notes were taken, want %d", len(notes), len(waiting))
			}
			for i, n := range notes {
				if n.seq != waiting[i] {
					t.Fatalf("note %d was taken as number %d, want %d", n.seq, i, waiting[i])
				}
			}
			waiting = nil
		}
		if wakes != wantWakes {
			t.Fatalf("the loop was woken %d times, want %d", wakes, wantWakes)
		}
		if in.isFull() || in.close(true) {
			t.Fatal("the inbox is full or closed")
		}
	}
	checkEnd(t, in)
}

// checkEnd stops an inbox, which must not end before its notes are taken and its loop is idle.
func checkEnd(t *testing.T, in *inbox) {
	t.Helper()
	in.post(note{})
	in.stop()
	if in.close(true) {
		t.Error("closed with a note inside")
	}
	if got := len(in.take()); got == 0 {
		t.Error("a note was lost")
	}
	if in.close(false) {
		t.Error("closed while the loop has connections")
	}
	if !in.close(true) || in.post(note{}) || len(in.take()) > 0 {
		t.Error("not closed in the end, or not for good")
	}
}

// TestInboxPosters has many goroutines post at once: each one's notes stay in order, and none is lost or doubled.
// Publishers wait while the inbox is full.
func TestInboxPosters(t *testing.T) {
	const posters, each = 8, 10_000
	woken := make(chan struct{}, 1)
	in := newInbox(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	for p := range posters {
		go func() {
			for i := range each {
				in.waitForRoom()
				in.post(note{seq: uint64(p)<<32 | uint64(i)})
			}
		}()
	}
	var next [posters]uint64
	for taken := 0; taken < posters*each; {
		if in.sleep() {
			<-woken
			in.awake()
		}
		notes := in.take()
		// Each poster may have seen room at the same moment.
		if len(notes) > maxInbox+posters {
			t.Fatalf("%d notes were waiting, want at most %d", len(notes), maxInbox+posters)
		}
		for _, n := range notes {
			p, i := n.seq>>32, n.seq&(1<<32-1)
			if i != next[p] {
				t.Fatalf("note %d of poster %d was taken, want %d", i, p, next[p])
			}
			next[p]++
		}
		taken += len(notes)
	}
	checkEnd(t, in)
}

// TestInboxFull has a publisher wait until there is room, and another until the inbox is closed.
func TestInboxFull(t *testing.T) {
	in := newInbox(func() {})
	fill := func() {
		for range maxInbox {
			in.post(note{})
		}
	}
	fill()
	if !in.isFull() {
		t.Fatal("an inbox full of notes is not full")
	}
	waits := func() chan struct{} {
		done := make(chan struct{})
		go func() {
			in.waitForRoom()
			close(done)
		}()
		return done
	}
	first := waits()
	in.take()
	<-first
	in.waitForRoom() // does not wait
	fill()
	last := waits()
	in.stop()
	in.take()
	in.close(true)
	<-last
}
