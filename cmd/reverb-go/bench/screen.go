package bench

import (
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
)

// screen shows on standard error how things go: a bar with live rates on a terminal, a line for each test
// elsewhere.
type screen struct {
	w     io.Writer
	live  bool
	title string
	bar   *progressbar.ProgressBar
	phase string
	last  conduct.State
	told  time.Time
}

func newScreen(cmd *cobra.Command) *screen {
	s := &screen{w: cmd.ErrOrStderr()}
	if quiet(cmd) {
		s.w = io.Discard
	}
	if f, ok := s.w.(*os.File); ok {
		s.live = term.IsTerminal(int(f.Fd()))
	}
	return s
}

// begin starts a test and returns who is to be told of it.
func (s *screen) begin(title string) func(conduct.State) {
	s.title, s.phase, s.last, s.told = title, "", conduct.State{}, time.Time{}
	if !s.live {
		return nil
	}
	return s.watch
}

// end replaces the bar by what came of the test.
func (s *screen) end(line string) {
	s.clear()
	if line != "" {
		fmt.Fprintf(s.w, "%s: %s\n", s.title, line)
	}
}

func (s *screen) clear() {
	if s.bar != nil {
		_ = s.bar.Clear()
		s.bar = nil
	}
}

func (s *screen) watch(state conduct.State) {
	if state.Phase != s.phase {
		s.clear()
		s.phase = state.Phase
		s.bar = newBar(s.w, length(state))
	}
	s.bar.Describe(fit(append([]string{s.title}, s.describe(state, time.Now())...), s.columns()-barColumns))
	if n := length(state); n > 0 {
		_ = s.bar.Set64(min(position(state), n))
	} else {
		_ = s.bar.Add(1)
	}
}

func newBar(w io.Writer, length int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(length,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSpinnerType(14),
	)
}

// length returns how long the bar of a phase is: connections, or milliseconds; -1 is unknown.
func length(state conduct.State) int64 {
	switch {
	case state.Expected > 0:
		return int64(state.Expected)
	case state.Total > 0:
		return state.Total.Milliseconds()
	}
	return -1
}

func position(state conduct.State) int64 {
	if state.Expected > 0 {
		return state.Progress.Ready
	}
	return state.Elapsed.Milliseconds()
}

// barColumns is the room for a short bar and its percentage.
const barColumns = 20

// columns returns how wide the terminal is.
func (s *screen) columns() int {
	const usual = 80
	f, ok := s.w.(*os.File)
	if !ok {
		return usual
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return usual
	}
	return n
}

// fit joins as many of the parts as there are columns for. A line that is too long would be broken by the
// terminal, and never be overwritten by the next one.
func fit(parts []string, columns int) string {
	line := ""
	for i, part := range parts {
		if i > 0 {
			part = " · " + part
		}
		if utf8.RuneCountInString(line+part) > columns {
			break
		}
		line += part
	}
	if line == "" {
		return string([]rune(parts[0])[:max(columns, 0)])
	}
	return line
}

// describe says in a few words what happens, the most telling first.
func (s *screen) describe(state conduct.State, now time.Time) []string {
	parts := []string{state.Phase}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	p, before := state.Progress, s.last.Progress
	span := now.Sub(s.told).Seconds()
	s.last, s.told = state, now
	if state.Expected > 0 {
		add("%s of %s connections", plan.Count(p.Ready), plan.Count(state.Expected))
		return parts
	}
	var rates []string
	if span > 0 && span < 10 {
		for _, rate := range []struct {
			n    int64
			what string
		}{
			{p.Deliveries - before.Deliveries, "deliveries/s"},
			{p.Published - before.Published, "events/s"},
			{p.Ready - before.Ready, "connections/s"},
		} {
			if rate.n > 0 {
				rates = append(rates, report.Format(float64(rate.n)/span, "")+" "+rate.what)
			}
		}
	}
	parts = append(parts, rates[:min(len(rates), 1)]...)
	if p.P99 > 0 {
		add("p99 %s", report.Format(float64(p.P99)/1e6, "ms"))
	}
	if state.ServerCPU > 0 {
		add("server %.0f %%", state.ServerCPU*100)
	}
	add("client %.0f %%", state.ClientCPU*100)
	return append(parts, rates[min(len(rates), 1):]...)
}
