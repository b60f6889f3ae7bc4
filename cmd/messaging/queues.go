package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/jobs"
)

// workersPerQueue is how many jobs of a queue one process does at once.
const workersPerQueue = 8

// queues is the side of the app that tells others.
type queues struct {
	dispatcher interface{ Dispatch([]domain.Job) }
	runner     *jobs.Runner
	queue      *jobs.Queue // nil if jobs run where they are dispatched, as the next one
	horizon    *jobs.Horizon
}

// openQueues joins what runs jobs with what publishes.
func (a *app) openQueues(publisher jobs.Publisher) *queues {
	q := &queues{runner: &jobs.Runner{Store: a.store, Publisher: publisher, Presence: a.live, Now: time.Now}}
	if a.settings.Sync {
		q.dispatcher = &jobs.Sync{Runner: q.runner, Log: a.log}
	} else {
		q.queue = jobs.NewQueue(a.redis, a.log)
		q.queue.Start()
		a.onClose(q.queue.Stop)
		q.dispatcher = q.queue
		numbers := jobs.NewNumbers(a.registry)
		q.horizon = a.horizon(q.queue, numbers.Observe)
		numbers.Watch(q.horizon)
	}
	q.runner.Queue = q.dispatcher
	return q
}

// work begins to take jobs from queues, and to look for lost ones.
func (a *app) work(q *queues, names []string, tries int) error {
	sweeper := &jobs.Sweeper{Store: a.store, Queue: q.queue, Log: a.log}
	if q.queue == nil {
		sweeper.Sync = q.dispatcher.(*jobs.Sync)
	} else if err := a.startWorker(q, names, tries); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { sweeper.Run(ctx) })
	a.onClose(func() {
		cancel()
		done.Wait()
	})
	return nil
}

func (a *app) startWorker(q *queues, names []string, tries int) error {
	w, err := jobs.NewWorker(jobs.WorkerConfig{
		Redis: a.redis, Runner: q.runner, Horizon: q.horizon, Queues: names, Concurrency: workersPerQueue, Tries: tries, Log: a.log,
	})
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return err
	}
	a.onClose(w.Stop)
	return nil
}

// errNoWorkers is what /up says while jobs wait for nobody.
var errNoWorkers = errors.New("no process works the queues")

func (q *queues) check(ctx context.Context) error {
	stats, err := q.horizon.Stats(ctx)
	if err == nil && len(stats.Workers) == 0 {
		err = errNoWorkers
	}
	return err
}
