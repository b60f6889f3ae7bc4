package store

import (
	"context"
	"errors"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// CreateSession implements domain.Sessions.
func (s *Store) CreateSession(ctx context.Context, n domain.Session) error {
	_, err := s.exec(ctx, `INSERT INTO sessions (user_id, kind, hash, csrf, created_at, rotated_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, n.UserID, string(n.Kind), n.Hash, n.CSRF, n.RotatedAt, n.RotatedAt, n.ExpiresAt)
	return err
}

const sessionQuery = `SELECT s.id, s.user_id, s.kind, s.hash, s.csrf, s.rotated_at, s.expires_at, ` + userColumns + `
	FROM sessions s JOIN users u ON u.id = s.user_id WHERE `

type sessionRow struct {
	session domain.Session
	user    domain.User
}

func scanSession(row scanner) (r sessionRow, err error) {
	n := &r.session
	err = row.Scan(append([]any{&n.ID, &n.UserID, &n.Kind, &n.Hash, &n.CSRF, at{&n.RotatedAt}, at{&n.ExpiresAt}}, userFields(&r.user)...)...)
	return r, err
}

// Session implements domain.Sessions.
func (s *Store) Session(ctx context.Context, kind domain.SessionKind, hash string, now time.Time, grace time.Duration) (domain.Session, domain.User, error) {
	r, err := one(ctx, s.conn, scanSession, sessionQuery+"s.hash = ? AND s.kind = ? AND s.expires_at > ?", hash, string(kind), now)
	if errors.Is(err, domain.ErrNotFound) {
		r, err = one(ctx, s.conn, scanSession, sessionQuery+"s.previous_hash = ? AND s.kind = ? AND s.expires_at > ? AND s.rotated_at > ?",
			hash, string(kind), now, now.Add(-grace))
	}
	return r.session, r.user, err
}

// RotateSession implements domain.Sessions.
func (s *Store) RotateSession(ctx context.Context, n domain.Session, hash string, now, expires time.Time) (bool, error) {
	met, err := s.exec(ctx, "UPDATE sessions SET previous_hash = hash, hash = ?, rotated_at = ?, expires_at = ? WHERE id = ? AND hash = ?",
		hash, now, expires, n.ID, n.Hash)
	return met == 1, err
}

// DeleteSession implements domain.Sessions.
func (s *Store) DeleteSession(ctx context.Context, id int64) error {
	_, err := s.exec(ctx, "DELETE FROM sessions WHERE id = ?", id)
	return err
}

// DeleteExpiredSessions implements domain.Sessions.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, "DELETE FROM sessions WHERE expires_at <= ?", now)
	return err
}
