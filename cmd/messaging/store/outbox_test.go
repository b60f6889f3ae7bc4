package store

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func TestNotifications(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("group", 0, 1, 2, 3)
		m := f.send(c, 0, "hello")
		f.check(f.SetMuted(f.ctx, f.id(2), c, &f.now))
		f.read(c, 3, m.ID)
		away, err := f.Unreached(f.ctx, c, m.ID)
		f.check(err)
		wantEqual(t, "unreached", len(away), 1)
		wantEqual(t, "who", away[0].ID, f.id(1))

		n := domain.Notification{ID: uuid.NewString(), UserID: f.id(1), Type: "message.received", Data: []byte(`{"message_id":1}`), CreatedAt: f.now}
		jobs, err := f.Notify(f.ctx, []domain.Notification{n})
		f.check(err)
		wantEqual(t, "jobs", kinds(jobs), "map[BroadcastNotification:1]")
		jobs, err = f.Notify(f.ctx, []domain.Notification{n})
		f.check(err)
		wantEqual(t, "jobs the second time", len(jobs), 0)

		list, more, err := f.Notifications(f.ctx, f.id(1), 20, 0)
		f.check(err)
		wantEqual(t, "notifications", len(list), 1)
		wantEqual(t, "more", more, false)
		_, err = f.ReadNotification(f.ctx, f.id(0), n.ID, f.now)
		wantError(t, "another's", err, domain.ErrNotFound)
		_, err = f.ReadNotification(f.ctx, f.id(1), "no uuid", f.now)
		wantError(t, "no uuid", err, domain.ErrNotFound)
		unread, err := f.UnreadNotifications(f.ctx, f.id(1))
		f.check(err)
		wantEqual(t, "unread", unread, 1)
		got, err := f.ReadNotification(f.ctx, f.id(1), n.ID, f.now)
		f.check(err)
		wantEqual(t, "read at", got.ReadAt.Equal(f.now), true)
		unread, err = f.UnreadNotifications(f.ctx, f.id(1))
		f.check(err)
		wantEqual(t, "unread", unread, 0)

		f.change(m, "")
		away, err = f.Unreached(f.ctx, c, m.ID)
		f.check(err)
		wantEqual(t, "unreached by what is deleted", len(away), 0)
	})
}

func TestOutbox(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		c := f.conversation("", 0, 1)
		f.send(c, 0, "hello")
		now := f.now
		lost := func(after string, created, stale time.Time) []domain.Job {
			jobs, err := f.LostJobs(f.ctx, after, created, stale, 100)
			f.check(err)
			return jobs
		}
		wantEqual(t, "lost before they could be", len(lost("", now.Add(-time.Minute), now)), 0)
		jobs := lost("", now.Add(time.Second), now)
		wantEqual(t, "lost", kinds(jobs), "map[BroadcastMessage:1 BroadcastSummary:4 NotifyOffline:1]")
		wantEqual(t, "lost after the first", len(lost(jobs[0].ID, now.Add(time.Second), now)), len(jobs)-1)
		id := jobs[0].ID

		start := func(now, stale time.Time) bool {
			ok, err := f.StartJob(f.ctx, id, now, stale)
			f.check(err)
			return ok
		}
		wantEqual(t, "start", start(now, now.Add(-time.Minute)), true)
		wantEqual(t, "start while it runs", start(now.Add(time.Second), now.Add(-time.Minute)), false)
		wantEqual(t, "lost while one runs", len(lost("", now.Add(time.Second), now)), len(jobs)-1)

		again := lost("", now.Add(time.Second), now.Add(time.Minute))
		wantEqual(t, "lost when its worker is dead", len(again), len(jobs))
		wantEqual(t, "attempt", again[0].Attempt, 1)
		wantEqual(t, "start again", start(now.Add(time.Minute), now), true)

		f.check(f.FailJob(f.ctx, id, "no answer", now))
		wantEqual(t, "lost when one failed", len(lost("", now.Add(time.Hour), now.Add(time.Hour))), len(jobs)-1)
		there, failed, err := f.HasJob(f.ctx, id)
		f.check(err)
		wantEqual(t, "there", there, true)
		wantEqual(t, "failed", failed, true)
		list, _, err := f.FailedJobs(f.ctx, domain.QueueBroadcasts, 20, 0)
		f.check(err)
		wantEqual(t, "failed jobs", len(list), 1)
		wantEqual(t, "why", list[0].Error, "no answer")
		retried, err := f.RetryJob(f.ctx, id)
		f.check(err)
		wantEqual(t, "attempt of the retry", retried.Attempt, 2)
		_, err = f.RetryJob(f.ctx, id)
		wantError(t, "retry what has not failed", err, domain.ErrNotFound)
		_, err = f.ForgetJob(f.ctx, id)
		wantError(t, "forget what has not failed", err, domain.ErrNotFound)
		wantEqual(t, "start when retried", start(now.Add(time.Hour), now), true)
		f.check(f.FinishJob(f.ctx, id))
		there, _, err = f.HasJob(f.ctx, id)
		f.check(err)
		wantEqual(t, "there when done", there, false)
		wantEqual(t, "start when done", start(now.Add(time.Hour), now), false)
		waiting, err := f.WaitingJobs(f.ctx)
		f.check(err)
		wantEqual(t, "waiting", waiting, int64(len(jobs)-1))
	})
}

func TestSessions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		hash := func(c byte) string { return string(append(make([]byte, 0, 64), repeat(c, 64)...)) }
		f.check(f.CreateSession(f.ctx, domain.Session{UserID: f.id(0), Kind: domain.CookieSession, Hash: hash('a'), CSRF: "seed", RotatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)}))
		get := func(kind domain.SessionKind, c byte, now time.Time) (domain.Session, error) {
			s, _, err := f.Session(f.ctx, kind, hash(c), now, time.Minute)
			return s, err
		}
		s, err := get(domain.CookieSession, 'a', f.now)
		f.check(err)
		wantEqual(t, "user", s.UserID, f.id(0))
		_, err = get(domain.TokenSession, 'a', f.now)
		wantError(t, "as a token", err, domain.ErrNotFound)

		ok, err := f.RotateSession(f.ctx, s, hash('b'), f.now, f.now.Add(time.Hour))
		f.check(err)
		wantEqual(t, "rotated", ok, true)
		ok, err = f.RotateSession(f.ctx, s, hash('c'), f.now, f.now.Add(time.Hour))
		f.check(err)
		wantEqual(t, "rotated at the same time", ok, false)
		_, err = get(domain.CookieSession, 'a', f.now.Add(59*time.Second))
		wantError(t, "the old proof in its grace", err, nil)
		_, err = get(domain.CookieSession, 'a', f.now.Add(61*time.Second))
		wantError(t, "the old proof after it", err, domain.ErrNotFound)
		_, err = get(domain.CookieSession, 'b', f.now.Add(time.Hour))
		wantError(t, "an expired session", err, domain.ErrNotFound)
		f.check(f.DeleteExpiredSessions(f.ctx, f.now.Add(time.Hour)))
		wantEqual(t, "sessions", f.count("SELECT COUNT(*) FROM sessions"), 0)
	})
}

func repeat(c byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = c
	}
	return b
}

func TestSnapshots(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		row := domain.Snapshot{Queue: "default", At: f.now, Size: 3, Processed: 4, Failed: 1, ThroughputPerMin: 0.8, RuntimeMSAvg: 2.5, WaitMS: 1.5}
		f.check(f.AddSnapshots(f.ctx, nil))
		f.check(f.AddSnapshots(f.ctx, []domain.Snapshot{row}))
		f.check(f.AddSnapshots(f.ctx, []domain.Snapshot{row}))
		got, err := f.SnapshotsSince(f.ctx, f.now)
		f.check(err)
		wantEqual(t, "snapshots", len(got), 1)
		wantEqual(t, "snapshot", got[0], row)
		f.check(f.DeleteSnapshots(f.ctx, f.now.Add(time.Second)))
		got, err = f.SnapshotsSince(f.ctx, f.now)
		f.check(err)
		wantEqual(t, "snapshots after deletion", len(got), 0)
	})
}
