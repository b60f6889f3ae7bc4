package crew

import (
	"net/netip"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/check"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/hist"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

// An Order is what a crew is told. One field is set.
type Order struct {
	Job    *Job   `json:"job,omitempty"`
	Start  *Times `json:"start,omitempty"`
	Stop   bool   `json:"stop,omitempty"` // the measured time ends now
	Expect *Sent  `json:"expect,omitempty"`
}

// A Job is a crew's share of a plan.
type Job struct {
	Target  target.Target `json:"target"`
	Plan    plan.Plan     `json:"plan"`
	Index   int           `json:"index"` // of this crew
	Of      int           `json:"of"`    // crews
	Loops   int           `json:"loops"` // that receive
	Sources []netip.Addr  `json:"sources,omitempty"`
	Slice   int64         `json:"slice"` // nanoseconds between two points of a chart
	Sockets int           `json:"sockets"`
}

// Times say when what happens, in the time of package clock.
type Times struct {
	Start   int64 `json:"start"`
	Measure int64 `json:"measure"`
	End     int64 `json:"end"`
}

// covers reports whether something meant for then belongs to the measured time.
func (t Times) covers(then int64) bool { return then >= t.Measure && then < t.End }

// Sent says how many messages were sent in each stream.
type Sent struct {
	Streams map[Stream]uint32 `json:"streams,omitempty"`
}

// An Answer is what a crew says. One field is set.
type Answer struct {
	Progress *Progress `json:"progress,omitempty"`
	Ready    *Ready    `json:"ready,omitempty"`
	Done     bool      `json:"done,omitempty"` // its part is done, with Plan.UntilDone
	Sent     *Sent     `json:"sent,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// Progress is for people who wait.
type Progress struct {
	Connections int64 `json:"connections"`
	Deliveries  int64 `json:"deliveries"`
	Published   int64 `json:"published"`
	Ready       int64 `json:"ready"`
	P99         int64 `json:"p99"` // of the last slice's primary latency, nanoseconds
}

// Ready says that everybody is connected.
type Ready struct {
	Connections int `json:"connections"`
}

// Counters count what happened since the measured time began, by when it happened.
type Counters struct {
	Frames     int64 `json:"frames"`     // messages received, of every kind
	Deliveries int64 `json:"deliveries"` // of them, messages under test
	Late       int64 `json:"late"`       // of them, after the measured time
	Published  int64 `json:"published"`  // events confirmed over HTTP
	Sent       int64 `json:"sent"`       // client events, joins and leaves sent
	Ready      int64 `json:"ready"`      // connections that were subscribed
	Left       int64 `json:"left"`       // connections that said goodbye
	Retries    int64 `json:"retries"`    // connections that had to be tried again
}

func (c *Counters) add(d Counters, sign int64) {
	c.Frames += sign * d.Frames
	c.Deliveries += sign * d.Deliveries
	c.Late += sign * d.Late
	c.Published += sign * d.Published
	c.Sent += sign * d.Sent
	c.Ready += sign * d.Ready
	c.Left += sign * d.Left
	c.Retries += sign * d.Retries
}

// Add adds other counters.
func (c *Counters) Add(d Counters) { c.add(d, 1) }

// A Slice is one point of a chart over time.
type Slice struct {
	Count   int64           `json:"count"` // of what matters most, in this slice
	Latency *hist.Histogram `json:"latency,omitempty"`
}

// Result is what a crew found.
type Result struct {
	Counters
	Check    check.Counts               `json:"check"`    // warm-up included
	Altered  int64                      `json:"altered"`  // messages whose payload was not what was sent
	Problems map[string]int64           `json:"problems"` // by what happened, warm-up included
	Unsent   int64                      `json:"unsent"`   // messages that were due and never sent
	Latency  map[string]*hist.Histogram `json:"latency"`
	Slices   []Slice                    `json:"slices"`
	CPU      float64                    `json:"cpu"`  // seconds of this process since the measured time began
	Busy     []float64                  `json:"busy"` // share of the measured time each loop worked; the sender's is last
	Recovery float64                    `json:"recovery,omitempty"`
	Missing  int64                      `json:"missing,omitempty"` // connections that did not come back
	Slow     int64                      `json:"slow,omitempty"`
	SlowGone int64                      `json:"slow_gone,omitempty"` // of them, closed by the server
	End      int64                      `json:"end"`                 // when the measured time ended
}
