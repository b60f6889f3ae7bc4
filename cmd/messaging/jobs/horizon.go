package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// Horizon knows how the queues are doing. What asynq does not count, how long jobs wait and run, is counted in
// Redis for all processes together, from one snapshot to the next.
type Horizon struct {
	HorizonConfig
	inspector *asynq.Inspector
}

// HorizonConfig is what a Horizon works with.
type HorizonConfig struct {
	Store   domain.Store
	Redis   redis.UniversalClient
	Enqueue func(context.Context, domain.Job) error
	Now     func() time.Time
	Observe func(queue, status string, runtime time.Duration) // told of each job that ended; may be nil
}

// NewHorizon looks at the queues on a Redis.
func NewHorizon(cfg HorizonConfig) *Horizon {
	return &Horizon{HorizonConfig: cfg, inspector: asynq.NewInspectorFromRedisClient(cfg.Redis)}
}

const (
	snapshotInterval = 5 * time.Minute
	keyPrefix        = "messaging:horizon:"
	keyRecent        = keyPrefix + "recent"
	keySince         = keyPrefix + "since" // the time of the last snapshot
	maxRecent        = 500
)

func countsKey(queue string) string { return keyPrefix + "counts:" + queue }

// record has the jobs that a handler runs counted.
func (h *Horizon) record(queue string, next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		start := h.Now()
		err := next.ProcessTask(ctx, t)
		h.count(context.WithoutCancel(ctx), queue, t, start, err)
		return err
	})
}

// count keeps what is for show only, so a Redis that is away is not worth an error.
func (h *Horizon) count(ctx context.Context, queue string, t *asynq.Task, start time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	end := h.Now()
	job := api.HorizonJob{
		Queue: queue, Type: t.Type(), Payload: string(t.Payload()), Status: "completed", At: end.UTC(), RuntimeMS: milliseconds(end.Sub(start)),
	}
	job.ID, _ = asynq.GetTaskID(ctx)
	if queued, ok := queuedAt(job.ID); ok {
		job.WaitMS = milliseconds(max(0, start.Sub(queued)))
	}
	status := "processed"
	if err != nil {
		job.Status, job.Error, status = "failed", err.Error(), "failed"
	}
	if h.Observe != nil {
		h.Observe(queue, job.Status, end.Sub(start))
	}
	line, _ := json.Marshal(job)
	key := countsKey(queue)
	p := h.Redis.Pipeline()
	p.HIncrBy(ctx, key, status, 1)
	p.HIncrByFloat(ctx, key, "runtime", job.RuntimeMS)
	p.HIncrByFloat(ctx, key, "wait", job.WaitMS)
	p.LPush(ctx, keyRecent, line)
	p.LTrim(ctx, keyRecent, 0, maxRecent-1)
	p.Exec(ctx)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// queuedAt reads the time from the id of a job.
func queuedAt(id string) (time.Time, bool) {
	if len(id) < 36 {
		return time.Time{}, false
	}
	u, err := uuid.Parse(id[:36])
	if err != nil || u.Version() != 7 {
		return time.Time{}, false
	}
	return time.Unix(u.Time().UnixTime()), true
}

// counts is what has been counted since the last snapshot.
type counts struct {
	processed, failed int64
	runtime, wait     float64 // sums, in milliseconds
}

func newCounts(fields map[string]string) counts {
	number := func(name string) float64 { n, _ := strconv.ParseFloat(fields[name], 64); return n }
	return counts{processed: int64(number("processed")), failed: int64(number("failed")), runtime: number("runtime"), wait: number("wait")}
}

func (c counts) total() int64 { return c.processed + c.failed }

// average of a sum over all jobs.
func (c counts) average(sum float64) float64 {
	if c.total() == 0 {
		return 0
	}
	return sum / float64(c.total())
}

// perMinute is the throughput over a time.
func (c counts) perMinute(d time.Duration) float64 {
	if d < time.Second {
		return 0
	}
	return float64(c.total()) / d.Minutes()
}

// Snapshot adds a row for each queue and begins to count anew.
func (h *Horizon) Snapshot(ctx context.Context, at time.Time) error {
	now := h.Now()
	since, err := h.since(ctx, now)
	if err != nil {
		return err
	}
	var rows []domain.Snapshot
	for _, queue := range domain.Queues {
		p := h.Redis.TxPipeline()
		fields := p.HGetAll(ctx, countsKey(queue))
		p.Del(ctx, countsKey(queue))
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
		info, err := h.info(queue)
		if err != nil {
			return err
		}
		c := newCounts(fields.Val())
		rows = append(rows, domain.Snapshot{
			Queue: queue, At: at, Size: info.Pending + info.Active, Processed: c.processed, Failed: c.failed,
			ThroughputPerMin: c.perMinute(now.Sub(since)), RuntimeMSAvg: c.average(c.runtime), WaitMS: c.average(c.wait),
		})
	}
	if err := h.Redis.Set(ctx, keySince, now.UnixMicro(), 0).Err(); err != nil {
		return err
	}
	return h.Store.AddSnapshots(ctx, rows)
}

// since is when counting began.
func (h *Horizon) since(ctx context.Context, now time.Time) (time.Time, error) {
	n, err := h.Redis.Get(ctx, keySince).Int64()
	if errors.Is(err, redis.Nil) {
		return now.Add(-snapshotInterval), nil
	}
	return time.UnixMicro(n), err
}

// info is zero for a queue that has had no job.
func (h *Horizon) info(queue string) (*asynq.QueueInfo, error) {
	// GetQueueInfo does not say in a way to be recognised that there is none.
	known, err := h.inspector.Queues()
	if err != nil || !slices.Contains(known, queue) {
		return &asynq.QueueInfo{Queue: queue}, err
	}
	return h.inspector.GetQueueInfo(queue)
}

// Stats is the dashboard's first page.
func (h *Horizon) Stats(ctx context.Context) (api.Horizon, error) {
	v := api.Horizon{Queues: []api.HorizonQueue{}, Workers: []api.HorizonWorker{}}
	servers, err := h.inspector.Servers()
	if err != nil {
		return v, err
	}
	now := h.Now()
	since, err := h.since(ctx, now)
	if err != nil {
		return v, err
	}
	v.Workers = workers(servers)
	paused := 0
	for _, name := range domain.Queues {
		q, c, err := h.queue(ctx, name, v.Workers, now.Sub(since))
		if err != nil {
			return v, err
		}
		v.Queues = append(v.Queues, q)
		v.JobsPerMinute += q.ThroughputPerMin
		v.Processed += c.processed
		v.Failed += c.failed
		if q.Paused {
			paused++
		}
	}
	v.Status = status(len(v.Workers), paused)
	v.Waiting, err = h.Store.WaitingJobs(ctx)
	return v, err
}

func status(workers, paused int) string {
	switch {
	case workers == 0:
		return "inactive"
	case paused == len(domain.Queues):
		return "paused"
	}
	return "running"
}

func (h *Horizon) queue(ctx context.Context, name string, workers []api.HorizonWorker, d time.Duration) (api.HorizonQueue, counts, error) {
	info, err := h.info(name)
	if err != nil {
		return api.HorizonQueue{}, counts{}, err
	}
	fields, err := h.Redis.HGetAll(ctx, countsKey(name)).Result()
	if err != nil {
		return api.HorizonQueue{}, counts{}, err
	}
	failed, err := h.Store.CountFailedJobs(ctx, name)
	c := newCounts(fields)
	q := api.HorizonQueue{
		Queue: name, Size: info.Pending + info.Active, Pending: info.Pending, Active: info.Active, Failed: failed,
		LatencyMS: info.Latency.Milliseconds(), ThroughputPerMin: c.perMinute(d), RuntimeMSAvg: c.average(c.runtime),
		WaitMSAvg: c.average(c.wait), Paused: info.Paused,
	}
	for _, w := range workers {
		if slices.Contains(w.Queues, name) {
			q.Workers += w.Concurrency
		}
	}
	return q, c, err
}

func workers(servers []*asynq.ServerInfo) []api.HorizonWorker {
	list := make([]api.HorizonWorker, len(servers))
	for i, s := range servers {
		w := api.HorizonWorker{ID: s.ID, Host: s.Host, PID: s.PID, Queues: []string{}, Concurrency: s.Concurrency, Active: len(s.ActiveWorkers), Status: s.Status, StartedAt: s.Started.UTC()}
		for name := range s.Queues {
			w.Queues = append(w.Queues, name)
		}
		list[i] = w
	}
	slices.SortFunc(list, func(a, b api.HorizonWorker) int {
		return slices.Compare(append(a.Queues, a.ID), append(b.Queues, b.ID))
	})
	return list
}

// Recent returns a page of the jobs that ended last.
func (h *Horizon) Recent(ctx context.Context, queue string, limit, offset int) ([]api.HorizonJob, bool, error) {
	lines, err := h.Redis.LRange(ctx, keyRecent, 0, maxRecent-1).Result()
	if err != nil {
		return nil, false, err
	}
	list := []api.HorizonJob{}
	for _, line := range lines {
		var j api.HorizonJob
		if json.Unmarshal([]byte(line), &j) == nil && (queue == "" || queue == j.Queue) {
			list = append(list, j)
		}
	}
	list = list[min(offset, len(list)):]
	more := len(list) > limit
	return list[:min(limit, len(list))], more, nil
}

// Failed returns a page of the jobs that wait to be retried or forgotten.
func (h *Horizon) Failed(ctx context.Context, queue string, limit, offset int) ([]api.HorizonJob, bool, error) {
	failed, more, err := h.Store.FailedJobs(ctx, queue, limit, offset)
	list := []api.HorizonJob{}
	for _, f := range failed {
		payload, _ := json.Marshal(f.Job)
		list = append(list, api.HorizonJob{
			ID: f.ID, Queue: f.Kind.Queue(), Type: string(f.Kind), Payload: string(payload), Status: "failed", Error: f.Error, At: f.FailedAt,
			RuntimeMS: milliseconds(f.FailedAt.Sub(f.StartedAt)), WaitMS: milliseconds(f.StartedAt.Sub(f.CreatedAt)),
		})
	}
	return list, more, err
}

// Retry queues a failed job again.
func (h *Horizon) Retry(ctx context.Context, id string) error {
	j, err := h.Store.RetryJob(ctx, id)
	if err != nil {
		return err
	}
	h.clear(j, j.Attempt-1)
	return h.Enqueue(ctx, j)
}

// Forget deletes a failed job.
func (h *Horizon) Forget(ctx context.Context, id string) error {
	j, err := h.Store.ForgetJob(ctx, id)
	if err != nil {
		return err
	}
	h.clear(j, j.Attempt)
	return nil
}

// clear removes the failed attempt from asynq's archive, where it is no longer of use.
func (h *Horizon) clear(j domain.Job, attempt int) {
	j.Attempt = attempt
	_ = h.inspector.DeleteTask(j.Kind.Queue(), taskID(j)) // asynq may have dropped it
}
