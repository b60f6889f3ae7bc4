package jobs

import (
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func TestFailedJobIsKept(t *testing.T) {
	f := newFixture(t, "")
	h := f.work()
	f.heard.Fail(errors.New("nobody answers"))
	_, jobs := f.send(0, "hello")
	for _, j := range jobs[2:] {
		f.check(f.store.FinishJob(f.ctx, j.ID))
	}
	f.queue.Dispatch(jobs[:2])
	failed := func() []api.HorizonJob {
		list, _, err := h.Failed(f.ctx, "", 10, 0)
		f.check(err)
		return list
	}
	eventually(t, "two jobs failed", func() bool {
		f.sweep(sweepAge + time.Second)
		return len(failed()) == 2
	})
	if got := failed()[0].Error; got != "nobody answers" {
		t.Errorf("got error %q", got)
	}
	if n := f.sweep(time.Hour); n != 0 {
		t.Errorf("%d failed jobs were tried again without being asked", n)
	}
	f.heard.Fail(nil)
	f.check(h.Retry(f.ctx, jobs[0].ID))
	eventually(t, "the retried job succeeded", func() bool { return len(f.messages()) == 1 && len(failed()) == 1 })
	f.check(h.Forget(f.ctx, jobs[1].ID))
	if n := len(failed()); n != 0 {
		t.Errorf("%d failed jobs are left", n)
	}
	for _, id := range []string{jobs[0].ID, jobs[1].ID, "nonsense"} {
		if err := h.Retry(f.ctx, id); err == nil {
			t.Errorf("%s could be retried", id)
		}
		if err := h.Forget(f.ctx, id); err == nil {
			t.Errorf("%s could be forgotten", id)
		}
	}
}

func TestHorizon(t *testing.T) {
	f := newFixture(t, "")
	h := f.work()
	_, jobs := f.send(0, "hello")
	f.queue.Dispatch(jobs)
	eventually(t, "all jobs are counted", func() bool {
		recent, _, err := h.Recent(f.ctx, "", 100, 0)
		f.check(err)
		return f.waiting() == 0 && len(recent) == 7 // created, three summaries, notify, two notifications
	})
	var stats api.Horizon
	eventually(t, "all supervisors are seen", func() bool {
		var err error
		stats, err = h.Stats(f.ctx)
		f.check(err)
		return len(stats.Workers) == 3
	})
	if stats.Status != "running" || stats.Processed != 7 || stats.Failed != 0 || stats.Queues[0].Workers != 4 {
		t.Errorf("got %+v", stats)
	}
	at := time.Now().UTC().Truncate(snapshotInterval)
	f.check(h.Snapshot(f.ctx, at))
	f.check(h.Snapshot(f.ctx, at)) // by another process
	rows, err := f.store.SnapshotsSince(f.ctx, at)
	f.check(err)
	if len(rows) != len(domain.Queues) {
		t.Fatalf("%d rows, want one for each queue", len(rows))
	}
	for _, r := range rows {
		want := map[string]int64{domain.QueueBroadcasts: 6, domain.QueueNotifications: 1}[r.Queue]
		if r.Processed != want || r.Failed != 0 || r.Size != 0 || (want > 0) != (r.RuntimeMSAvg > 0) {
			t.Errorf("%s: got %+v, want %d processed", r.Queue, r, want)
		}
	}
}

// The snapshots are not left to people: the workers of the default queue have one taken every five minutes.
func TestSnapshotsAreScheduled(t *testing.T) {
	f := newFixture(t, "")
	h := f.work()
	var when string
	eventually(t, "the schedule is known", func() bool {
		entries, err := h.inspector.SchedulerEntries()
		f.check(err)
		for _, e := range entries {
			if e.Task.Type() == taskSnapshot {
				when = e.Spec
			}
		}
		return when != ""
	})
	if when != "*/5 * * * *" {
		t.Errorf("a snapshot is taken at %q", when)
	}
	_, err := f.queue.client.Load().EnqueueContext(f.ctx, asynq.NewTask(taskSnapshot, nil), asynq.Queue(domain.QueueDefault), asynq.MaxRetry(0))
	f.check(err)
	eventually(t, "it is taken", func() bool {
		rows, err := f.store.SnapshotsSince(f.ctx, time.Now().Add(-2*snapshotInterval))
		f.check(err)
		return len(rows) == len(domain.Queues)
	})
}

// What only grows is bounded.
func TestTidy(t *testing.T) {
	f := newFixture(t, "")
	now := time.Now().UTC()
	for _, age := range []time.Duration{0, keepSnapshots + time.Hour} {
		f.check(f.store.AddSnapshots(f.ctx, []domain.Snapshot{{Queue: "default", At: now.Add(-age)}}))
		f.check(f.store.CreateSession(f.ctx, domain.Session{
			UserID: f.id(0), Kind: domain.CookieSession, Hash: age.String(), RotatedAt: now, ExpiresAt: now.Add(time.Hour - age),
		}))
	}
	f.check((&Worker{cfg: WorkerConfig{Runner: f.runner}}).tidy(f.ctx))
	rows, err := f.store.SnapshotsSince(f.ctx, time.Time{})
	f.check(err)
	if len(rows) != 1 {
		t.Errorf("%d snapshots are left, want 1", len(rows))
	}
	long := now.Add(-2 * keepSnapshots)
	for _, age := range []time.Duration{0, keepSnapshots + time.Hour} {
		if _, _, err := f.store.Session(f.ctx, domain.CookieSession, age.String(), long, 0); (err == nil) != (age == 0) {
			t.Errorf("the session of %v ago: %v", age, err)
		}
	}
}

// What Prometheus is told is what the dashboard shows.
func TestNumbers(t *testing.T) {
	f := newFixture(t, "")
	registry := prometheus.NewRegistry()
	n := NewNumbers(registry)
	n.Observe(domain.QueueBroadcasts, "completed", time.Millisecond)
	n.Watch(f.work())
	_, jobs := f.send(0, "hello")
	eventually(t, "the workers are seen", func() bool {
		families, err := registry.Gather()
		f.check(err)
		got := map[string]float64{}
		for _, family := range families {
			m := family.Metric[0]
			got[family.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
		return got["messaging_jobs_total"] == 1 && got["messaging_job_seconds"] == 1 &&
			got["messaging_outbox_jobs"] == float64(len(jobs)) && got["messaging_queue_workers"] == 4
	})
}
