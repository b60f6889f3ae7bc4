package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// Sweeper queues again what was lost on the way between the store and a worker.
type Sweeper struct {
	Store domain.Store
	Queue *Queue // nil if jobs are run where they are dispatched
	Sync  *Sync
	Log   *slog.Logger

	after string // the job up to which it has looked in this round
}

const (
	sweepInterval = 5 * time.Second
	// sweepAge leaves a new job time to be queued by whoever made it.
	sweepAge   = 10 * time.Second
	sweepLimit = 500
)

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n, err := s.Sweep(ctx, now); err != nil && ctx.Err() == nil {
				s.Log.Warn("jobs could not be swept up", "error", err)
			} else if n > 0 {
				s.Log.Info("jobs that were lost are queued again", "jobs", n)
			}
		}
	}
}

// Sweep looks at a part of the jobs in the store and queues those again that no queue knows. It returns how many.
func (s *Sweeper) Sweep(ctx context.Context, now time.Time) (int, error) {
	jobs, err := s.Store.LostJobs(ctx, s.after, now.Add(-sweepAge), now.Add(-stale), sweepLimit)
	if err != nil {
		return 0, fmt.Errorf("look for lost jobs: %w", err)
	}
	s.after = ""
	if len(jobs) == sweepLimit {
		s.after = jobs[len(jobs)-1].ID
	}
	if s.Queue == nil {
		s.Sync.Dispatch(jobs)
		return len(jobs), nil
	}
	n := 0
	for _, j := range jobs {
		again, err := s.requeue(ctx, j, now)
		if err != nil {
			return n, err
		}
		if again {
			n++
		}
	}
	return n, s.clearOrphans(ctx)
}

// requeue reports whether the job had to be queued again.
func (s *Sweeper) requeue(ctx context.Context, j domain.Job, now time.Time) (bool, error) {
	err := s.Queue.Enqueue(ctx, j)
	if !isQueued(err) {
		return err == nil, err
	}
	info, err := s.Queue.inspector.GetTaskInfo(j.Kind.Queue(), taskID(j))
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return false, nil // it ended in this moment
	}
	if err != nil {
		return false, err
	}
	switch {
	case info.State == asynq.TaskStateArchived:
		// The worker could not even start it: the database was away. That is no try. But it may have failed since we
		// looked, which was written down before it came into the archive, and that is one.
		if there, failed, err := s.Store.HasJob(ctx, j.ID); err != nil || !there || failed {
			return false, err
		}
		if err := s.Queue.inspector.DeleteTask(j.Kind.Queue(), taskID(j)); err != nil {
			return false, err
		}
	case info.State == asynq.TaskStateActive && j.CreatedAt.Before(now.Add(-stale)):
		// A worker took it and died before it began, or will begin in this moment. Then it wins.
		if ok, err := s.Store.RaiseAttempt(ctx, j.ID); err != nil || !ok {
			return false, err
		}
		j.Attempt++
	default:
		return false, nil
	}
	return true, s.Queue.Enqueue(ctx, j)
}

// clearOrphans removes from asynq's archive the tasks of workers that died or could not decide. Their jobs are either done by another attempt or
// queued anew, and what has really failed is known to the store.
func (s *Sweeper) clearOrphans(ctx context.Context) error {
	for _, queue := range domain.Queues {
		tasks, err := s.Queue.inspector.ListArchivedTasks(queue, asynq.PageSize(100))
		if errors.Is(err, asynq.ErrQueueNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if t.LastErr != asynq.ErrLeaseExpired.Error() && !strings.HasPrefix(t.LastErr, errUndecided.Error()) {
				continue
			}
			if err := s.clearOrphan(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sweeper) clearOrphan(ctx context.Context, t *asynq.TaskInfo) error {
	var j domain.Job
	if json.Unmarshal(t.Payload, &j) != nil || j.ID == "" {
		return nil
	}
	_, failed, err := s.Store.HasJob(ctx, j.ID)
	if err != nil || failed {
		return err
	}
	err = s.Queue.inspector.DeleteTask(t.Queue, t.ID)
	if errors.Is(err, asynq.ErrTaskNotFound) {
		return nil
	}
	return err
}
