package conduct

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// lookFirst samples the server before anybody is connected.
func (t *test) lookFirst(ctx context.Context) error {
	if t.source == nil {
		return nil
	}
	t.server = &Server{Local: t.cfg.Target.Metrics == "" || t.cfg.Target.Addr.Addr().IsLoopback()}
	if p, ok := t.source.(*usage.Process); ok {
		t.server.Files = p.OpenFiles()
	}
	return t.sample(ctx, func(s *Server) *usage.Sample { return &s.Before })
}

func (t *test) sample(ctx context.Context, where func(*Server) *usage.Sample) error {
	if t.source == nil {
		return nil
	}
	s, err := t.source.Sample(ctx)
	if err != nil {
		return fmt.Errorf("read the cost of the server: %w", err)
	}
	*where(t.server) = s
	return nil
}

// lookWhenReady samples the server when everybody is connected. A test that is done at once may leave no time
// to look again before it.
func (t *test) lookWhenReady(ctx context.Context) error {
	t.machine, _ = usage.SampleMachine()
	err := t.sample(ctx, func(s *Server) *usage.Sample { return &s.Ready })
	if t.server != nil {
		t.server.Begin = t.server.Ready
	}
	return err
}

// lookLast samples the server when everything has arrived, and returns what it cost, or why that is not known:
// what the clients found is worth telling all the same.
func (t *test) lookLast(ctx context.Context, times crew.Times) (*Server, error) {
	if t.server == nil || t.lookErr != nil {
		return nil, t.lookErr
	}
	t.server.Span = time.Duration(clock.Now() - times.Measure)
	if err := t.sample(ctx, func(s *Server) *usage.Sample { return &s.End }); err != nil {
		return nil, err
	}
	return t.server, nil
}

// machineSince returns what all programs did in the measured time and after it.
func (t *test) machineSince(times crew.Times) Machine {
	now, ok := usage.SampleMachine()
	if !ok || t.machine.Processors == 0 {
		return Machine{}
	}
	return Machine{Processors: now.Processors, Busy: now.Busy - t.machine.Busy, Span: time.Duration(clock.Now() - times.Measure)}
}

// look samples the server through the measured time until stopped.
func (t *test) look(ctx context.Context, times crew.Times) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		wait(ctx, times.Measure)
		if ctx.Err() != nil {
			return
		}
		t.machine, _ = usage.SampleMachine()
		if t.source == nil {
			return
		}
		if err := t.sample(ctx, func(s *Server) *usage.Sample { return &s.Begin }); err != nil {
			if ctx.Err() == nil {
				t.lookErr = err
			}
			return
		}
		last := t.server.Begin
		for at := times.Measure + int64(slice(t.plan)); at <= times.End; at += int64(slice(t.plan)) {
			wait(ctx, at)
			s, err := t.source.Sample(ctx)
			if err != nil || ctx.Err() != nil {
				return
			}
			t.server.Points = append(t.server.Points, Point{At: time.Duration(clock.Now() - times.Measure), CPU: s.CPU - last.CPU, RSS: s.RSS})
			t.watch.server(s.CPU-last.CPU, slice(t.plan))
			last = s
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func wait(ctx context.Context, until int64) {
	timer := time.NewTimer(time.Duration(until - clock.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// watcher tells somebody how things go.
type watcher struct {
	tell func(State)

	mu      sync.Mutex // guards what follows
	state   State
	began   int64 // of the phase
	crews   []crew.Progress
	planned crew.Times
	cpu     time.Duration // of this process, when told last
	told    int64
}

func newWatcher(tell func(State), crews int) *watcher {
	return &watcher{tell: tell, crews: make([]crew.Progress, crews)}
}

// phase begins a phase of unknown or known length.
func (w *watcher) phase(name string, total time.Duration, expected int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.planned = crew.Times{}
	w.enter(name, clock.Now(), total)
	w.state.Expected = expected
}

func (w *watcher) enter(name string, began int64, total time.Duration) {
	w.state.Phase, w.state.Total, w.began = name, total, began
}

// times begins the phases that follow the clock.
func (w *watcher) times(t crew.Times) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.planned = t
	w.state.Expected = 0
}

// server is told what the server used in a span of time.
func (w *watcher) server(cpu, span time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.ServerCPU = cpu.Seconds() / span.Seconds()
}

// progress is told of one crew.
func (w *watcher) progress(i int, p crew.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crews[i] = p
	if w.tell == nil || i != 0 {
		return
	}
	now := clock.Now()
	switch {
	case w.planned.End == 0:
	case now >= w.planned.End:
		w.enter("waiting for the rest", w.planned.End, 0)
	case now >= w.planned.Measure:
		w.enter("measuring", w.planned.Measure, time.Duration(w.planned.End-w.planned.Measure))
	default:
		w.enter("warming up", w.planned.Start, time.Duration(w.planned.Measure-w.planned.Start))
	}
	w.state.Elapsed = time.Duration(now - w.began)
	w.state.Progress = total(w.crews)
	w.measureOwn(now)
	w.tell(w.state)
}

func (w *watcher) measureOwn(now int64) {
	cpu := usage.OwnCPU()
	if w.told != 0 && now > w.told {
		w.state.ClientCPU = (cpu - w.cpu).Seconds() / time.Duration(now-w.told).Seconds()
	}
	w.cpu, w.told = cpu, now
}

func total(crews []crew.Progress) (sum crew.Progress) {
	for _, p := range crews {
		sum.Connections += p.Connections
		sum.Deliveries += p.Deliveries
		sum.Published += p.Published
		sum.Ready += p.Ready
		sum.P99 = max(sum.P99, p.P99)
	}
	return sum
}
