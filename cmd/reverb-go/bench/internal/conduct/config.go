package conduct

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// Config is one test of one server.
type Config struct {
	Target   target.Target // resolved
	Scenario plan.Scenario
	Workers  int          // processes; 0 is as many as the limit of open files asks for
	Loops    int          // that receive, of each worker; 0 is one for two processors
	Sources  []netip.Addr // none is as many as the number of ports asks for, on loopback
	Command  []string     // starts this program as a worker
	Watch    func(State)  // told how things go, from time to time; nil is nobody
}

// spareFiles is what a process needs beside its connections.
const spareFiles = 64

// crewSize returns how many workers there are to be.
func (c Config) crewSize(p plan.Plan) (int, error) {
	sockets := p.Sockets()
	limit := usage.OpenFiles(sockets+spareFiles) - spareFiles
	if limit <= 0 {
		return 0, errors.New("the limit of open files leaves none for connections")
	}
	needed := (sockets + limit - 1) / limit
	workers := c.Workers
	if workers == 0 {
		workers = max(needed, 1)
	}
	switch {
	case workers < needed:
		return 0, fmt.Errorf("%s connections are more than %d workers may open with a limit of %d files each; it takes %d, or a higher limit (ulimit -n)",
			plan.Count(sockets), workers, limit+spareFiles, needed)
	case workers > 1 && len(c.Command) == 0:
		return 0, fmt.Errorf("%s connections take %d worker processes, which cannot be started here", plan.Count(sockets), workers)
	case workers > 256:
		return 0, fmt.Errorf("%s connections would take %d processes", plan.Count(sockets), workers)
	}
	return workers, nil
}

// socketsOf returns how many connections each of the workers may have.
func socketsOf(p plan.Plan, workers int) int {
	return usage.OpenFiles((p.Sockets()+workers-1)/workers+spareFiles) - spareFiles
}

func (c Config) loops() int {
	if c.Loops > 0 {
		return c.Loops
	}
	return max(runtime.NumCPU()/2, 1)
}

// sources returns the addresses to connect from. An address has about 28,000 ports for connections to one
// server, of which half are found at once; on Linux all of 127.0.0.0/8 is this machine, so there is no lack of addresses on loopback.
func (c Config) sources(p plan.Plan) []netip.Addr {
	if len(c.Sources) > 0 {
		return c.Sources
	}
	addr := c.Target.Addr.Addr()
	ports := usage.PortRange() * 4 / 10 // Linux gives every other port first, and looks long for each of the rest
	needed := (portsOf(p) + ports - 1) / ports
	if runtime.GOOS != "linux" || !addr.Is4() || !addr.IsLoopback() || needed < 2 {
		return nil
	}
	var sources []netip.Addr
	for next := netip.AddrFrom4([4]byte{127, 0, 0, 1}); len(sources) < needed; next = next.Next() {
		sources = append(sources, next)
	}
	return sources
}

// portsOf returns how many ports the plan uses: those of all connections that ever are, since a port rests a
// while after use.
func portsOf(p plan.Plan) int {
	n := p.Sockets()
	for _, g := range p.Groups {
		if g.Role == plan.Arrive && g.Rate != plan.Max {
			n += int(float64(g.Rate) * (p.Warmup + p.Duration).Seconds())
		}
	}
	return n
}

// newSource finds out where the cost of the server can be read. It returns nil if nowhere.
func newSource(ctx context.Context, t target.Target) (usage.Source, error) {
	if t.Metrics != "" {
		page := usage.NewPage(t.Metrics)
		if _, err := page.Sample(ctx); err != nil {
			return nil, err
		}
		return page, nil
	}
	pid := t.PID
	if pid == 0 && t.Addr.Addr().IsLoopback() {
		pid = usage.Listener(t.Addr.Port())
	}
	if pid == 0 {
		return nil, nil
	}
	p, err := usage.NewProcess(pid)
	if err != nil && t.PID == 0 {
		return nil, nil // it was only a guess
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func newRun() uint16 { return uint16(rand.Uint32N(1 << 16)) }

// slice returns how much time a point of a chart stands for.
func slice(p plan.Plan) time.Duration {
	if p.UntilDone {
		return 100 * time.Millisecond
	}
	return max(p.Duration/40, 100*time.Millisecond).Round(10 * time.Millisecond)
}
