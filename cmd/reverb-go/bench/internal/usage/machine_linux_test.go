package usage

import (
	"testing"
	"time"
)

func TestMachine(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Machine
		ok         bool
	}{
		{"two processors", "cpu  300 20 10 9000 5 7 8 1 40 0\ncpu0 1 2 3 4 5 6 7 8 9 0\ncpu1 1 2 3 4 5 6 7 8 9 0\nintr 5 6 7 8 9 1 2 3 4\n", Machine{2, 3310 * time.Millisecond}, true},
		{"something else", "cpu 1 2\n", Machine{}, false},
		{"no numbers", "cpu a b c d e f g h\ncpu0 a b c d e f g h\n", Machine{}, false},
	} {
		if got, ok := parseMachine(tt.text); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: got %+v and %v, want %+v", tt.name, got, ok, tt.want)
		}
	}
	if m, ok := SampleMachine(); !ok || m.Busy <= 0 {
		t.Errorf("got %+v and %v, want what this machine has done", m, ok)
	}
}
