package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// WorkerConfig says how queues are worked.
type WorkerConfig struct {
	Redis       redis.UniversalClient
	Runner      *Runner
	Horizon     *Horizon
	Queues      []string // each gets workers of its own
	Concurrency int      // workers for each queue
	Tries       int      // of each job, one after the other
	Log         *slog.Logger
}

// Worker works queues.
type Worker struct {
	cfg     WorkerConfig
	servers []*asynq.Server
	ready   *asynq.ServeMux
	tasks   *asynq.Scheduler // nil unless the default queue is worked
}

// idleCheck is how often an empty queue is looked at. asynq's own second could be seen in a conversation.
const idleCheck = 25 * time.Millisecond

// The tasks that no request causes.
const (
	taskSnapshot = "horizon:snapshot"
	taskTidy     = "messaging:tidy"
)

// NewWorker checks the configuration.
func NewWorker(cfg WorkerConfig) (*Worker, error) {
	w := &Worker{cfg: cfg, ready: asynq.NewServeMux()}
	for _, kind := range []domain.JobKind{domain.BroadcastMessage, domain.BroadcastRead, domain.BroadcastSummary, domain.BroadcastNotification, domain.NotifyOffline} {
		w.ready.HandleFunc(string(kind), w.runJob)
	}
	w.ready.HandleFunc(taskSnapshot, func(ctx context.Context, _ *asynq.Task) error {
		return cfg.Horizon.Snapshot(ctx, cfg.Runner.Now().Truncate(snapshotInterval))
	})
	w.ready.HandleFunc(taskTidy, func(ctx context.Context, _ *asynq.Task) error { return w.tidy(ctx) })
	for _, name := range cfg.Queues {
		w.servers = append(w.servers, w.newServer(name))
		if name == domain.QueueDefault {
			if err := w.schedule(); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

func (w *Worker) newServer(queue string) *asynq.Server {
	return asynq.NewServerFromRedisClient(w.cfg.Redis, asynq.Config{
		Concurrency: w.cfg.Concurrency, Queues: map[string]int{queue: 1}, TaskCheckInterval: idleCheck,
		Logger: logger{w.cfg.Log.With("queue", queue)}, LogLevel: asynq.WarnLevel,
		// What is over with the first failure needs no delay.
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
	})
}

// schedule has one snapshot taken every five minutes, however many processes work the queue: for four minutes after
// it was queued nobody can queue it again.
func (w *Worker) schedule() error {
	w.tasks = asynq.NewSchedulerFromRedisClient(w.cfg.Redis, &asynq.SchedulerOpts{
		Logger: logger{w.cfg.Log}, LogLevel: asynq.FatalLevel, PostEnqueueFunc: func(*asynq.TaskInfo, error) {},
	})
	for _, task := range []struct{ when, kind string }{{"*/5 * * * *", taskSnapshot}, {"*/15 * * * *", taskTidy}} {
		_, err := w.tasks.Register(task.when, asynq.NewTask(task.kind, nil),
			asynq.Queue(domain.QueueDefault), asynq.MaxRetry(0), asynq.Timeout(jobTimeout), asynq.Unique(4*time.Minute))
		if err != nil {
			return fmt.Errorf("schedule %s: %w", task.kind, err)
		}
	}
	return nil
}

// Start begins to work the queues. Redis need not be there yet.
func (w *Worker) Start() error {
	for i, s := range w.servers {
		if err := s.Start(w.cfg.Horizon.record(w.cfg.Queues[i], w.ready)); err != nil {
			return fmt.Errorf("work the queue %s: %w", w.cfg.Queues[i], err)
		}
	}
	if w.tasks != nil {
		return w.tasks.Start()
	}
	return nil
}

// Stop lets jobs that run come to their end, within asynq's eight seconds.
func (w *Worker) Stop() {
	if w.tasks != nil {
		w.tasks.Shutdown()
	}
	for _, s := range w.servers {
		s.Stop()
	}
	for _, s := range w.servers {
		s.Shutdown()
	}
}

// runJob does what a task from a queue says.
func (w *Worker) runJob(ctx context.Context, t *asynq.Task) (err error) {
	var j domain.Job
	if err := json.Unmarshal(t.Payload(), &j); err != nil {
		return fmt.Errorf("read a job: %w", err)
	}
	for try := 1; ; try++ {
		if err = w.cfg.Runner.Run(ctx, j); err == nil || try >= w.cfg.Tries {
			return err
		}
	}
}

// keepSessions and keepSnapshots bound what only grows.
const keepSnapshots = 8 * 24 * time.Hour

func (w *Worker) tidy(ctx context.Context) error {
	now := w.cfg.Runner.Now()
	if err := w.cfg.Runner.Store.DeleteExpiredSessions(ctx, now); err != nil {
		return fmt.Errorf("delete expired sessions: %w", err)
	}
	if err := w.cfg.Runner.Store.DeleteSnapshots(ctx, now.Add(-keepSnapshots)); err != nil {
		return fmt.Errorf("delete old snapshots: %w", err)
	}
	return nil
}

// logger is a slog.Logger as asynq wants it.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l logger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l logger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }
func (l logger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
