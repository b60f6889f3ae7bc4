package bench

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
)

// TestTheBarFitsTheTerminal has what happens told in as many columns as there are: a longer line would be
// broken by the terminal, and each refresh would leave one behind.
func TestTheBarFitsTheTerminal(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := &screen{told: now.Add(-time.Second)}
	state := conduct.State{
		Phase:     "measuring",
		Progress:  crew.Progress{Deliveries: 20_000, Published: 20, P99: 12e6},
		ServerCPU: 0.1,
		ClientCPU: 0.2,
	}
	parts := append([]string{"fanout 1×1,000"}, s.describe(state, now)...)
	for _, tt := range []struct {
		columns int
		want    string
	}{
		{200, "fanout 1×1,000 · measuring · 20,000 deliveries/s · p99 12.0 ms · server 10 % · client 20 % · 20.0 events/s"},
		{80 - barColumns, "fanout 1×1,000 · measuring · 20,000 deliveries/s"},
		{20, "fanout 1×1,000"},
		{6, "fanout"},
		{-3, ""},
	} {
		got := fit(parts, tt.columns)
		if got != tt.want || utf8.RuneCountInString(got) > max(tt.columns, 0) {
			t.Errorf("%d columns: got %q, want %q", tt.columns, got, tt.want)
		}
	}
	if got := (&screen{w: &strings.Builder{}}).columns(); got != 80 {
		t.Errorf("what is no terminal has %d columns, want 80", got)
	}
}
