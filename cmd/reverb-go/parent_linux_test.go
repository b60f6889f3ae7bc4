package main

import (
	"os"
	"testing"
)

// TestWardKnowsWhoServes: the last process that the pipe has named, without waiting for another.
func TestWardKnowsWhoServes(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	w := newWard(1, read)
	for _, tt := range []struct {
		text string
		want int
	}{{"", 1}, {"2\n", 2}, {"", 2}, {"3\n4\n", 4}} {
		if _, err := write.WriteString(tt.text); err != nil {
			t.Fatal(err)
		}
		if got := w.current(); got != tt.want {
			t.Errorf("after %q: got %d, want %d", tt.text, got, tt.want)
		}
	}
	write.Close()
	if got := w.current(); got != 4 {
		t.Errorf("after the end: got %d, want 4", got)
	}
}
