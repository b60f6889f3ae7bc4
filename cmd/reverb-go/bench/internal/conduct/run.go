package conduct

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/usage"
)

// test is one test under way.
type test struct {
	cfg     Config
	plan    plan.Plan
	workers []*worker
	answers chan answer // of all workers
	watch   *watcher
	source  usage.Source
	server  *Server
	lookErr error         // of looking at the server through the measured time
	machine usage.Machine // when that began; no Processors is unknown
}

// Run does one test. An error means that there is no result; what went wrong within the test is in the
// Outcome.
func Run(ctx context.Context, cfg Config) (*Outcome, error) {
	t := &test{cfg: cfg, plan: cfg.Scenario.Plan(newRun()), answers: make(chan answer, 64)}
	ctx, cancel := context.WithTimeout(ctx, longest(t.plan))
	defer cancel()
	err := t.start(ctx)
	defer t.close()
	if err != nil {
		return nil, err
	}
	o, err := t.run(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("the test took longer than %v and was ended", longest(t.plan))
	}
	return o, err
}

// longest returns how much time a test may take in all.
func longest(p plan.Plan) time.Duration {
	const connecting = 3 * time.Minute
	return connecting + p.Warmup + p.Duration + 20*p.Drain + time.Minute
}

// start looks at the server and starts the workers.
func (t *test) start(ctx context.Context) (err error) {
	if t.source, err = newSource(ctx, t.cfg.Target); err != nil {
		return err
	}
	n, err := t.cfg.crewSize(t.plan)
	if err != nil {
		return err
	}
	t.watch = newWatcher(t.cfg.Watch, n)
	if err := t.lookFirst(ctx); err != nil {
		return err
	}
	for i := range n {
		if err := t.startWorker(ctx, i, n); err != nil {
			return err
		}
	}
	return nil
}

func (t *test) startWorker(ctx context.Context, i, n int) error {
	var w *worker
	var err error
	if n == 1 {
		w = startLocal(ctx, i, t.answers)
	} else if w, err = startProcess(ctx, i, t.cfg.Command, t.answers); err != nil {
		return err
	}
	t.workers = append(t.workers, w)
	return w.order(crew.Order{Job: &crew.Job{
		Target:  t.cfg.Target,
		Plan:    t.plan,
		Index:   i,
		Of:      n,
		Loops:   t.cfg.loops(),
		Sources: t.cfg.sources(t.plan),
		Slice:   int64(slice(t.plan)),
		Sockets: socketsOf(t.plan, n),
	}})
}

func (t *test) close() {
	for _, w := range t.workers {
		w.close()
	}
}

// run leads the crews through the test.
func (t *test) run(ctx context.Context) (*Outcome, error) {
	o := &Outcome{Plan: t.plan, Slice: slice(t.plan), Workers: len(t.workers), Loops: t.cfg.loops()}
	t.watch.phase("connecting", 0, t.plan.Members())
	err := t.await(ctx, func(a crew.Answer) bool {
		if a.Ready != nil {
			o.Sockets += a.Ready.Connections
		}
		return a.Ready != nil
	})
	if err != nil {
		return nil, t.explain(err)
	}
	if err := t.lookWhenReady(ctx); err != nil {
		return nil, err
	}
	times := t.times()
	if err := t.order(crew.Order{Start: &times}); err != nil {
		return nil, err
	}
	stopLooking := t.look(ctx, times)
	sent, err := t.untilSent(ctx, times)
	stopLooking()
	if err != nil {
		return nil, err
	}
	o.Result, err = t.settle(ctx, sent)
	if err != nil {
		return nil, err
	}
	o.Measured = time.Duration(o.Result.End - times.Measure)
	o.Server, o.ServerErr = t.lookLast(ctx, times)
	o.Machine = t.machineSince(times)
	return o, nil
}

// explain adds what may be why not everybody could connect.
func (t *test) explain(err error) error {
	if s := t.server; s != nil && s.Files > 0 && s.Files < t.plan.Members()+spareFiles {
		return fmt.Errorf("%w (the server may open %d files only)", err, s.Files)
	}
	return err
}

// times returns when the parts of the test are to begin.
func (t *test) times() crew.Times {
	const soon = 50 * time.Millisecond // every crew must have heard of it by then
	start := clock.Now() + int64(soon)
	measure := start + int64(t.plan.Warmup)
	return crew.Times{Start: start, Measure: measure, End: measure + int64(t.plan.Duration)}
}

// untilSent waits for the end of the measured time and returns what was sent.
func (t *test) untilSent(ctx context.Context, times crew.Times) (crew.Sent, error) {
	t.watch.times(times)
	sent := crew.Sent{Streams: make(map[crew.Stream]uint32)}
	done := 0
	err := t.await(ctx, func(a crew.Answer) bool {
		if a.Done {
			if done++; done == len(t.workers) {
				// A crew that cannot hear it any more has ended by the clock.
				_ = t.order(crew.Order{Stop: true})
			}
		}
		if a.Sent == nil {
			return false
		}
		for stream, n := range a.Sent.Streams {
			sent.Streams[stream] += n
		}
		return true
	})
	return sent, err
}

// settle has the crews compare what arrived with what was sent.
func (t *test) settle(ctx context.Context, sent crew.Sent) (r crew.Result, err error) {
	t.watch.phase("waiting for the rest", 0, 0)
	if err := t.order(crew.Order{Expect: &sent}); err != nil {
		return r, err
	}
	err = t.await(ctx, func(a crew.Answer) bool {
		if a.Result == nil {
			return false
		}
		r.Merge(*a.Result)
		return true
	})
	return r, err
}

func (t *test) order(o crew.Order) error {
	for _, w := range t.workers {
		if err := w.order(o); err != nil {
			return err
		}
	}
	return nil
}

// await takes answers until each crew has given one that is final.
func (t *test) await(ctx context.Context, final func(crew.Answer) bool) error {
	for left := len(t.workers); left > 0; {
		select {
		case a := <-t.answers:
			switch {
			case a.ended:
				return errWorkerEnded
			case a.Error != "":
				return errors.New(a.Error)
			case a.Progress != nil:
				t.watch.progress(a.from, *a.Progress)
			case final(a.Answer):
				left--
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
