package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// Queue puts jobs into asynq's queues. It may be used from any goroutine.
type Queue struct {
	redis     redis.UniversalClient
	inspector *asynq.Inspector
	log       *slog.Logger
	client    atomic.Pointer[asynq.Client]

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.RWMutex
	stopped bool            // guarded by mu
	waiting chan domain.Job // closed once stopped
}

// maxWaiting jobs may wait for the way into Redis. What is too much for it is left to the sweeper.
const maxWaiting = 10_000

// NewQueue uses a connection to Redis that is the caller's to close.
func NewQueue(client redis.UniversalClient, log *slog.Logger) *Queue {
	q := &Queue{redis: client, inspector: asynq.NewInspectorFromRedisClient(client), log: log, waiting: make(chan domain.Job, maxWaiting)}
	q.client.Store(asynq.NewClientFromRedisClient(client))
	return q
}

// Start begins to take jobs from Dispatch to Redis, until Stop.
func (q *Queue) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	q.cancel = cancel
	for range 4 {
		q.done.Go(func() { q.enqueueWaiting(ctx) })
	}
}

// stopTimeout is for what waits for Redis when the process is to end.
const stopTimeout = 3 * time.Second

// Stop queues what waits, as long as that is quick, and takes nothing more.
func (q *Queue) Stop() {
	q.mu.Lock()
	q.stopped = true
	close(q.waiting)
	q.mu.Unlock()
	late := time.AfterFunc(stopTimeout, q.cancel)
	q.done.Wait()
	late.Stop()
	q.cancel()
}

// Dispatch queues jobs that are in the store. It never waits for Redis: people wait for the request it is called
// from, and a job that does not get through is found by the sweeper.
func (q *Queue) Dispatch(jobs []domain.Job) {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.stopped {
		return
	}
	for _, j := range jobs {
		select {
		case q.waiting <- j:
		default:
			q.log.Warn("too many jobs wait for Redis; they are swept up later", "job", j.ID)
			return
		}
	}
}

func (q *Queue) enqueueWaiting(ctx context.Context) {
	for j := range q.waiting {
		if err := q.Enqueue(ctx, j); err != nil && !isQueued(err) {
			q.log.Warn("a job could not be queued; it is swept up later", "job", j.ID, "error", err)
		}
	}
}

// Enqueue queues a job. isQueued tells if the error is that it was queued already.
func (q *Queue) Enqueue(ctx context.Context, j domain.Job) error {
	payload, err := json.Marshal(j)
	if err != nil {
		return err
	}
	client := q.client.Load()
	_, err = client.EnqueueContext(ctx, asynq.NewTask(string(j.Kind), payload),
		asynq.TaskID(taskID(j)), asynq.Queue(j.Kind.Queue()), asynq.MaxRetry(0), asynq.Timeout(jobTimeout))
	if err != nil && !isQueued(err) {
		// A client registers each queue once. If Redis comes back empty it has to be done again.
		q.client.CompareAndSwap(client, asynq.NewClientFromRedisClient(q.redis))
		return fmt.Errorf("queue job %s: %w", j.ID, err)
	}
	return err
}

func isQueued(err error) bool { return errors.Is(err, asynq.ErrTaskIDConflict) }

// taskID is another one for each attempt. That of an attempt whose worker died stays taken for a while.
func taskID(j domain.Job) string {
	if j.Attempt == 0 {
		return j.ID
	}
	return j.ID + "." + strconv.Itoa(j.Attempt)
}

// Sync runs jobs where they are dispatched, as QUEUE_CONNECTION=sync asks.
type Sync struct {
	Runner *Runner
	Log    *slog.Logger
}

// Dispatch returns when the jobs have run.
func (s *Sync) Dispatch(jobs []domain.Job) {
	for _, j := range jobs {
		if err := s.Enqueue(context.Background(), j); err != nil {
			s.Log.Warn("a job failed", "job", j.ID, "kind", j.Kind, "error", err)
		}
	}
}

// Enqueue runs a job.
func (s *Sync) Enqueue(ctx context.Context, j domain.Job) error {
	ctx, cancel := context.WithTimeout(ctx, jobTimeout)
	defer cancel()
	return s.Runner.Run(ctx, j)
}
