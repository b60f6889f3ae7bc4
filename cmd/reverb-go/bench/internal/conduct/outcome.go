package conduct

import (
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// An Outcome is all that is known of one test.
type Outcome struct {
	Plan     plan.Plan
	Result   crew.Result   // of all crews
	Measured time.Duration // how long the measured time was
	Slice    time.Duration
	Workers  int
	Loops    int // that receive, of each worker
	Sockets  int // connected before the start

	Server    *Server // nil if its cost cannot be read
	ServerErr error   // what came in between when it was read
	Machine   Machine // this one
}

// Machine is what all programs of this machine did from the begin of the measured time until all had arrived.
type Machine struct {
	Processors int // 0 is unknown
	Busy, Span time.Duration
}

// Server is what the server cost.
type Server struct {
	Before usage.Sample // before anybody was connected
	Ready  usage.Sample // when everybody was
	Begin  usage.Sample // when the measured time began
	End    usage.Sample // when everything had arrived
	Span   time.Duration
	Local  bool // it shares this machine
	Files  int  // it may have open; 0 is unknown
	Points []Point
}

// A Point is the server at one moment of the measured time.
type Point struct {
	At  time.Duration // since its begin
	CPU time.Duration // since the point before
	RSS int64
}

// State is for people who wait.
type State struct {
	Phase     string
	Elapsed   time.Duration // of the phase
	Total     time.Duration // of the phase; 0 is unknown
	Expected  int           // connections
	Progress  crew.Progress // sums over the crews
	ServerCPU float64       // processors, lately
	ClientCPU float64
}
