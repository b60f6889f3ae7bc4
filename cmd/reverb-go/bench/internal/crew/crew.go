package crew

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/pusher"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// A Crew is one process's share of a plan.
type Crew struct {
	// Static after construction.
	job      Job
	plan     plan.Plan
	app      *pusher.App
	loops    []*loop // the last one sends
	groups   []*group
	sendings []*sending  // on the sending loop
	arrivals []*arrivals // on their loops
	storms   []*storm    // on their loops
	members  int         // to be connected before the start

	pending atomic.Int64 // members that are neither ready nor failed
	failed  atomic.Int64
	isSetUp chan struct{}
	parts   atomic.Int64 // that have an end of their own and are not done
	isDone  chan struct{}
	cpu     atomic.Int64 // of the process when the measured time began
}

// New prepares a crew. It must be closed.
func New(job Job) (*Crew, error) {
	app, err := pusher.NewApp(job.Target)
	if err != nil {
		return nil, err
	}
	c := &Crew{job: job, plan: job.Plan, app: app, isSetUp: make(chan struct{}), isDone: make(chan struct{})}
	c.groups = make([]*group, len(job.Plan.Groups))
	for i := range max(job.Loops, 1) + 1 {
		l, err := c.newLoop(i)
		if err != nil {
			return nil, err
		}
		c.loops = append(c.loops, l)
	}
	for i, g := range job.Plan.Groups {
		c.groups[i] = c.newGroup(i, g)
	}
	c.cast()
	if c.parts.Load() == 0 {
		close(c.isDone)
	}
	for _, l := range c.loops {
		l.Start()
	}
	return c, nil
}

// cast puts everybody into the queues.
func (c *Crew) cast() {
	for _, g := range c.groups {
		for _, m := range g.actor.cast() {
			m.queued = true
			m.loop.queue = append(m.loop.queue, m)
			c.members++
		}
	}
	c.pending.Store(int64(c.members))
	if c.members == 0 {
		close(c.isSetUp)
	}
}

// Close ends all connections.
func (c *Crew) Close() {
	for _, l := range c.loops {
		l.Stop()
	}
}

func (c *Crew) receivers() []*loop { return c.loops[:len(c.loops)-1] }
func (c *Crew) sender() *loop      { return c.loops[len(c.loops)-1] }

// source returns the address the n-th connection comes from.
func (c *Crew) source(n int) netip.Addr {
	if len(c.job.Sources) == 0 {
		return netip.Addr{}
	}
	return c.job.Sources[n%len(c.job.Sources)]
}

// newMember returns a member on one of the receiving loops.
func (g *group) newMember(channel, number int) *member {
	loops := g.crew.receivers()
	l := loops[number/g.crew.job.Of%len(loops)]
	return &member{loop: l, group: g, channel: channel, number: number, line: -1}
}

// expect has the member's deliveries checked.
func (m *member) expect() {
	m.line = m.loop.book.Open(m.group.Streams())
	m.loop.members = append(m.loop.members, m)
}

// setUp is told of each member that was to be connected before the start.
func (c *Crew) setUp(ok bool) {
	if !ok {
		c.failed.Add(1)
	}
	if c.pending.Add(-1) == 0 {
		close(c.isSetUp)
	}
}

// partDone is told of each part with an end of its own.
func (c *Crew) partDone() {
	if c.parts.Add(-1) == 0 {
		close(c.isDone)
	}
}

// setUpPatience is how long nothing may happen before connecting is given up.
const setUpPatience = time.Minute

// SetUp connects everybody.
func (c *Crew) SetUp(ctx context.Context) error {
	c.each(func(l *loop) { l.admit() })
	last, since := c.pending.Load(), time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.isSetUp:
			return c.setUpError()
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if n := c.pending.Load(); n != last {
				last, since = n, now
			}
			if now.Sub(since) > setUpPatience {
				return fmt.Errorf("%d of %d connections got no answer", last, c.members)
			}
		}
	}
}

func (c *Crew) setUpError() error {
	failed := c.failed.Load()
	if failed == 0 {
		return nil
	}
	problems := c.problems()
	for what := range problems {
		return fmt.Errorf("%d of %d connections failed: %s", failed, c.members, what)
	}
	return fmt.Errorf("%d of %d connections failed", failed, c.members)
}

// Start begins the warm-up and then the measured time.
func (c *Crew) Start(t Times) {
	c.sender().Post(func() {
		c.sender().AddAlarm(&netloop.Alarm{Due: t.Measure, Fire: func(int64) { c.cpu.Store(int64(usage.OwnCPU())) }})
	})
	c.each(func(l *loop) {
		l.start(t)
		for _, g := range c.groups {
			g.actor.start(l)
		}
	})
}

// End ends the measured time and waits until what is under way is done, but not for long.
func (c *Crew) End(end int64) Sent {
	c.each(func(l *loop) {
		l.stop(end)
		c.lookAtTheClock(l)
	})
	c.waitFor(func() int64 {
		var busy atomic.Int64
		c.each(func(l *loop) { busy.Add(c.underWay(l)) })
		return busy.Load()
	})
	s := Sent{Streams: make(map[Stream]uint32)}
	c.on(c.sender(), func(*loop) {
		for _, sending := range c.sendings {
			sending.sent(s.Streams)
		}
	})
	return s
}

// lookAtTheClock has whoever sends on a loop notice that the time is over, rather than when its next turn
// comes.
func (c *Crew) lookAtTheClock(l *loop) {
	now := clock.Now()
	if l == c.sender() {
		for _, s := range c.sendings {
			if s.running && s.group.Rate != plan.Max {
				s.fire(now)
			}
		}
		return
	}
	for _, s := range c.arrivals {
		if s.loop == l && s.running {
			s.fire(now)
		}
	}
}

// underWay returns how many parts of a loop are not done.
func (c *Crew) underWay(l *loop) (n int64) {
	if l == c.sender() {
		for _, s := range c.sendings {
			if !s.isDone() {
				n++
			}
		}
		return n
	}
	for _, s := range c.arrivals {
		if s.loop == l && !s.isDone() {
			n++
		}
	}
	return n
}

// Settle waits for the deliveries of what all crews together have sent, as long as any come, and returns
// what this crew found.
func (c *Crew) Settle(sent Sent, end int64) Result {
	c.waitFor(func() int64 {
		var n atomic.Int64
		c.each(func(l *loop) { n.Add(l.outstanding(sent.Streams)) })
		return n.Load()
	})
	cpu := usage.OwnCPU() - time.Duration(c.cpu.Load())
	c.each(func(l *loop) {
		l.finish()
		l.closeBook(sent.Streams)
	})
	return c.result(cpu, end)
}

// waitFor waits until left returns 0, or has not changed for the plan's drain time.
func (c *Crew) waitFor(left func() int64) {
	const interval = 10 * time.Millisecond
	last, since := left(), time.Now()
	for last > 0 && time.Since(since) < c.plan.Drain {
		time.Sleep(interval)
		if n := left(); n != last {
			last, since = n, time.Now()
		}
	}
}

// each calls f on all loops and waits until it has returned everywhere.
func (c *Crew) each(f func(l *loop)) {
	var wg sync.WaitGroup
	for _, l := range c.loops {
		wg.Add(1)
		l.Post(func() {
			defer wg.Done()
			f(l)
		})
	}
	wg.Wait()
}

// on calls f on one loop and waits until it has returned.
func (c *Crew) on(l *loop, f func(l *loop)) {
	done := make(chan struct{})
	l.Post(func() {
		defer close(done)
		f(l)
	})
	<-done
}

// Progress returns how far things are.
func (c *Crew) Progress() (p Progress) {
	for _, l := range c.loops {
		p.Connections += l.live.connections.Load()
		p.Deliveries += l.live.deliveries.Load()
		p.Published += l.live.published.Load()
		p.Ready += l.live.ready.Load()
		p.P99 = max(p.P99, l.live.p99.Load())
	}
	return p
}

// untilEnd waits for the end of the measured time, however it comes.
func (c *Crew) untilEnd(ctx context.Context, end int64, stop <-chan Order, done func()) error {
	timer := time.NewTimer(time.Duration(end - clock.Now()))
	defer timer.Stop()
	isDone := c.isDone
	if !c.plan.UntilDone {
		isDone = nil
	}
	for {
		select {
		case <-timer.C:
			return nil
		case <-isDone:
			isDone = nil
			done()
		case o, ok := <-stop:
			if !ok || !o.Stop {
				return errUnexpected
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
