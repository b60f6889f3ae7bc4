package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// addJobs writes jobs down and returns them with their ids, which sort by age.
func (c conn) addJobs(ctx context.Context, now time.Time, jobs []domain.Job) ([]domain.Job, error) {
	var args []any
	for i := range jobs {
		j := &jobs[i]
		j.ID, j.CreatedAt = uuid.Must(uuid.NewV7()).String(), now
		payload, err := json.Marshal(j)
		if err != nil {
			return nil, err
		}
		args = append(args, j.ID, j.Kind.Queue(), string(payload), now)
	}
	_, err := c.exec(ctx, "INSERT INTO outbox (id, queue, payload, created_at) VALUES "+tuples(len(jobs), 4), args...)
	return jobs, err
}

// StartJob implements domain.Outbox.
func (s *Store) StartJob(ctx context.Context, id string, now, stale time.Time) (bool, error) {
	met, err := s.exec(ctx, `UPDATE outbox SET started_at = ?, failed_at = NULL, error = NULL
		WHERE id = ? AND (started_at IS NULL OR started_at < ? OR failed_at IS NOT NULL)`, now, id, stale)
	return met == 1, err
}

// FinishJob implements domain.Outbox.
func (s *Store) FinishJob(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM outbox WHERE id = ?", id)
	return err
}

// FailJob implements domain.Outbox.
func (s *Store) FailJob(ctx context.Context, id, reason string, now time.Time) error {
	_, err := s.exec(ctx, "UPDATE outbox SET failed_at = ?, error = ? WHERE id = ?", now, reason, id)
	return err
}

// FailedJobs implements domain.Outbox.
func (s *Store) FailedJobs(ctx context.Context, queue string, limit, offset int) ([]domain.FailedJob, bool, error) {
	where, args := "failed_at IS NOT NULL", []any{}
	if queue != "" {
		where, args = where+" AND queue = ?", append(args, queue)
	}
	list, err := all(ctx, s.conn, scanFailedJob, `SELECT payload, attempt, created_at, COALESCE(error, ''), started_at, failed_at FROM outbox
		WHERE `+where+" ORDER BY failed_at DESC LIMIT ? OFFSET ?", append(args, limit+1, offset)...)
	list, more := cut(list, limit)
	return list, more, err
}

func scanFailedJob(row scanner) (f domain.FailedJob, err error) {
	var payload []byte
	var created time.Time
	var attempt int
	if err := row.Scan(&payload, &attempt, at{&created}, &f.Error, at{&f.StartedAt}, at{&f.FailedAt}); err != nil {
		return f, err
	}
	err = json.Unmarshal(payload, &f.Job)
	f.Attempt, f.CreatedAt = attempt, created
	return f, err
}

// RetryJob implements domain.Outbox.
func (s *Store) RetryJob(ctx context.Context, id string) (domain.Job, error) {
	return s.takeFailed(ctx, id, "UPDATE outbox SET failed_at = NULL, error = NULL, started_at = NULL, attempt = attempt + 1 WHERE id = ?", 1)
}

// ForgetJob implements domain.Outbox.
func (s *Store) ForgetJob(ctx context.Context, id string) (domain.Job, error) {
	return s.takeFailed(ctx, id, "DELETE FROM outbox WHERE id = ?", 0)
}

// takeFailed runs a statement about a failed job and returns the job, whose attempt that raised.
func (s *Store) takeFailed(ctx context.Context, id, statement string, raised int) (j domain.Job, err error) {
	if uuid.Validate(id) != nil {
		return j, domain.ErrNotFound
	}
	err = s.write(ctx, func(c conn) error {
		j, err = one(ctx, c, scanJob, "SELECT payload, attempt, created_at FROM outbox WHERE id = ? AND failed_at IS NOT NULL"+s.dialect.lock, id)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, statement, id)
		return err
	})
	j.Attempt += raised
	return j, err
}

// HasJob implements domain.Outbox.
func (s *Store) HasJob(ctx context.Context, id string) (there, failed bool, err error) {
	failed, err = one(ctx, s.conn, scanValue[bool], "SELECT CASE WHEN failed_at IS NULL THEN FALSE ELSE TRUE END FROM outbox WHERE id = ?", id)
	if errors.Is(err, domain.ErrNotFound) {
		return false, false, nil
	}
	return err == nil, failed, err
}

// noID sorts before every id.
const noID = "00000000-0000-0000-0000-000000000000"

// LostJobs implements domain.Outbox.
func (s *Store) LostJobs(ctx context.Context, after string, created, stale time.Time, limit int) ([]domain.Job, error) {
	if after == "" {
		after = noID
	}
	_, err := s.exec(ctx, `UPDATE outbox SET started_at = NULL, attempt = attempt + 1
		WHERE started_at < ? AND failed_at IS NULL`, stale)
	if err != nil {
		return nil, err
	}
	return all(ctx, s.conn, scanJob, `SELECT payload, attempt, created_at FROM outbox
		WHERE id > ? AND created_at < ? AND started_at IS NULL ORDER BY id LIMIT ?`, after, created, limit)
}

// RaiseAttempt implements domain.Outbox.
func (s *Store) RaiseAttempt(ctx context.Context, id string) (bool, error) {
	met, err := s.exec(ctx, "UPDATE outbox SET attempt = attempt + 1 WHERE id = ? AND started_at IS NULL", id)
	return met == 1, err
}

func scanJob(row scanner) (j domain.Job, err error) {
	var payload []byte
	var attempt int
	var created time.Time
	if err := row.Scan(&payload, &attempt, at{&created}); err != nil {
		return j, err
	}
	err = json.Unmarshal(payload, &j)
	j.Attempt, j.CreatedAt = attempt, created
	return j, err
}

// WaitingJobs implements domain.Outbox. It counts no further than maxCounted.
func (s *Store) WaitingJobs(ctx context.Context) (int64, error) {
	return one(ctx, s.conn, scanValue[int64], `SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox
		WHERE failed_at IS NULL ORDER BY id LIMIT ?) waiting`, maxCounted)
}

// CountFailedJobs implements domain.Outbox. It counts no further than maxCounted.
func (s *Store) CountFailedJobs(ctx context.Context, queue string) (int, error) {
	return one(ctx, s.conn, scanValue[int], `SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox
		WHERE failed_at IS NOT NULL AND queue = ? LIMIT ?) failed`, queue, maxCounted)
}
