package report

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// failures says what should not have happened, causes before what came of them.
func failures(r *Run, o *conduct.Outcome) (f []string) {
	if errors.Is(o.ServerErr, usage.ErrEnded) {
		f = append(f, "the server's process ended during the test")
	}
	for _, what := range slices.Sorted(maps.Keys(r.Problems)) {
		f = append(f, fmt.Sprintf("%s × %s", plan.Count(r.Problems[what]), what))
	}
	for _, count := range []struct {
		n         int64
		one, many string
	}{
		{r.Check.Lost, "delivery was lost", "deliveries were lost"},
		{r.Check.Duplicated, "delivery came twice", "deliveries came twice"},
		{r.Check.Reordered, "delivery came out of order", "deliveries came out of order"},
		{r.Check.Stray, "delivery came to somebody it was not meant for", "deliveries came to somebody they were not meant for"},
		{r.Altered, "delivery had a payload that was not sent", "deliveries had a payload that was not sent"},
		{r.Unsent, "thing was due and could not be done: the server did not keep up", "things were due and could not be done: the server did not keep up"},
		{r.Missing, "connection did not come back", "connections did not come back"},
	} {
		switch {
		case count.n == 1:
			f = append(f, "1 "+count.one)
		case count.n > 1:
			f = append(f, plan.Count(count.n)+" "+count.many)
		}
	}
	if _, n := r.unit(); n == 0 && r.Scenario.Scenario != "idle" && r.Scenario.Scenario != "mix" {
		f = append(f, "nothing was measured")
	}
	return f
}

const (
	busyLoop     = 0.9  // share of time from which on a loop is full
	busyMachine  = 0.95 // share of all processors
	othersShare  = 0.15 // share of all processors from which on other programs are in the way
	lateMS       = 1.0  // from which on our own lateness is worth a word
	lateShare    = 0.25 // if it is that much of the latency
	roughSeconds = 0.2  // the kernel counts processor time in hundredths
	roughBytes   = 1e6  // a server of any kind allocates and gives back as much in a while
)

// warnings says what makes the numbers worth less: above all, that they are the client's.
func warnings(r *Run, o *conduct.Outcome) (w remarks) {
	w.aboutClient(r, o)
	switch {
	case errors.Is(o.ServerErr, usage.ErrEnded): // that is a failure
	case o.ServerErr != nil:
		w.add("what the server costs is not known: %v", o.ServerErr)
	case r.Cost == nil:
		w.add("what the server costs is not known: give its --pid, or the --metrics-url it exports process metrics at")
	default:
		w.aboutCost(r)
		w.aboutMemory(r)
		w.aboutMachine(r, o)
	}
	return w
}

// remarks are sentences.
type remarks []string

func (w *remarks) add(format string, args ...any) { *w = append(*w, fmt.Sprintf(format, args...)) }

func (w *remarks) aboutClient(r *Run, o *conduct.Outcome) {
	if len(r.Client.Busy) > 0 {
		if busy := slices.Max(r.Client.Busy); busy >= busyLoop {
			w.add("the client was the bottleneck: its busiest loop worked %.0f %% of the time. More --loops or --workers may show a faster server", busy*100)
		}
	}
	allowed := runtime.GOMAXPROCS(0)
	if m := o.Machine; allowed < m.Processors && r.Client.CPU >= busyMachine*float64(allowed)*m.Span.Seconds() {
		w.add("the client was the bottleneck: it used all of the %d processors it may use, of %d", allowed, m.Processors)
	}
	lag, primary := r.Latency[plan.Lag], r.Latency[r.Primary]
	if lag.P99 >= lateMS && lag.P99 >= lateShare*primary.P99 && lag.Count >= 100 {
		w.add("the client was late itself: 1 %% of what it sent left %s or more after its time, which the latencies include", Format(lag.P99, "ms"))
	}
}

func (w *remarks) aboutCost(r *Run) {
	if name, n := r.unit(); n > 0 && r.Cost.CPU < roughSeconds {
		w.add("the server used %.0f ms of processor time in all, counted in steps of 10 ms: its cost per %s is rough", r.Cost.CPU*1e3, name)
	}
}

func (w *remarks) aboutMemory(r *Run) {
	each, ok := r.memoryEach()
	switch growth := float64(r.Cost.RSSEnd - r.Cost.RSSBefore); {
	case !ok:
	case each < leastEach:
		w.add("the server had room for these connections from before: how much each needs shows only with one that was just started")
	case growth < roughBytes:
		w.add("the server grew by %s in all, and grows for other reasons too: its memory per connection is rough", Format(growth, "B"))
	}
}

func (w *remarks) aboutMachine(r *Run, o *conduct.Outcome) {
	if n := others(r, o); n > 0 && n >= othersShare*float64(o.Machine.Processors) {
		w.add("other programs used %s of this machine's %d processors meanwhile, so client and server waited for them", digits(n), o.Machine.Processors)
	}
	if !o.Server.Local || r.Cost.Span <= 0 {
		return
	}
	processors := cmp.Or(o.Machine.Processors, runtime.NumCPU())
	if used := (r.Cost.CPU + r.Client.CPU) / r.Cost.Span; used >= busyMachine*float64(processors) {
		w.add("server and client together used all %d processors, so each also waited for the other", processors)
	}
	if r.Client.CPU > r.Cost.CPU && r.Cost.CPU >= roughSeconds {
		w.add("the client used more processor time than the server (%.2f s and %.2f s)", r.Client.CPU, r.Cost.CPU)
	}
	if files := o.Server.Files; files > 0 && files < r.Client.Sockets+100 {
		w.add("the server may open %d files only", files)
	}
}

// others returns how many processors were used by other programs than client and server, on average; 0 is also
// unknown.
func others(r *Run, o *conduct.Outcome) float64 {
	if o.Machine.Span <= 0 {
		return 0
	}
	busy := o.Machine.Busy.Seconds() - r.Client.CPU
	if o.Server.Local {
		busy -= r.Cost.CPU
	}
	return busy / o.Machine.Span.Seconds()
}
