package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const notificationQuery = "SELECT n.id, n.user_id, n.type, n.data, n.read_at, n.created_at FROM notifications n WHERE "

func scanNotification(row scanner) (n domain.Notification, err error) {
	err = row.Scan(&n.ID, &n.UserID, &n.Type, &n.Data, maybeAt{&n.ReadAt}, at{&n.CreatedAt})
	return n, err
}

// Notifications implements domain.Notifications.
func (s *Store) Notifications(ctx context.Context, userID int64, limit, offset int) ([]domain.Notification, bool, error) {
	list, err := all(ctx, s.conn, scanNotification, notificationQuery+"n.user_id = ? ORDER BY n.created_at DESC, n.id DESC LIMIT ? OFFSET ?",
		userID, limit+1, offset)
	list, more := cut(list, limit)
	return list, more, err
}

// Notification implements domain.Notifications.
func (s *Store) Notification(ctx context.Context, userID int64, id string) (domain.Notification, error) {
	if uuid.Validate(id) != nil {
		return domain.Notification{}, domain.ErrNotFound // PostgreSQL would not even look
	}
	return one(ctx, s.conn, scanNotification, notificationQuery+"n.id = ? AND n.user_id = ?", id, userID)
}

// maxCounted bounds the work of counting; a badge shows "99+" long before.
const maxCounted = 1000

// UnreadNotifications implements domain.Notifications. It counts no further than maxCounted.
func (s *Store) UnreadNotifications(ctx context.Context, userID int64) (int, error) {
	return one(ctx, s.conn, scanValue[int], `SELECT COUNT(*) FROM (SELECT 1 AS one FROM notifications
		WHERE user_id = ? AND read_at IS NULL LIMIT ?) unread`, userID, maxCounted)
}

// ReadNotification implements domain.Notifications. The first reading counts.
func (s *Store) ReadNotification(ctx context.Context, userID int64, id string, when time.Time) (domain.Notification, error) {
	if _, err := s.Notification(ctx, userID, id); err != nil {
		return domain.Notification{}, err
	}
	_, err := s.exec(ctx, "UPDATE notifications SET read_at = ? WHERE id = ? AND user_id = ? AND read_at IS NULL", when, id, userID)
	if err != nil {
		return domain.Notification{}, err
	}
	return s.Notification(ctx, userID, id)
}

// Unreached implements domain.Notifications.
func (s *Store) Unreached(ctx context.Context, conversationID, messageID int64) ([]domain.Participant, error) {
	m, err := s.message(ctx, conversationID, messageID)
	if err != nil {
		return nil, err
	}
	if m.DeletedAt != nil {
		return nil, nil
	}
	return all(ctx, s.conn, scanParticipant, participantQuery+`p.conversation_id = ? AND p.user_id <> ?
		AND p.muted_at IS NULL AND p.last_read_message_id < ? ORDER BY p.user_id`, conversationID, m.Sender.ID, messageID)
}

// Notify implements domain.Notifications.
func (s *Store) Notify(ctx context.Context, ns []domain.Notification) (jobs []domain.Job, err error) {
	d := s.dialect
	err = s.write(ctx, func(c conn) error {
		var list []domain.Job
		for _, n := range ns {
			met, err := c.exec(ctx, d.insertIgnore+" INTO notifications (id, user_id, type, data, created_at) VALUES (?, ?, ?, ?, ?)"+d.onConflict,
				n.ID, n.UserID, n.Type, string(n.Data), n.CreatedAt)
			if err != nil {
				return err
			}
			if met == 1 {
				list = append(list, domain.Job{Kind: domain.BroadcastNotification, UserID: n.UserID, NotificationID: n.ID})
			}
		}
		if len(list) == 0 {
			jobs = nil
			return nil
		}
		jobs, err = c.addJobs(ctx, ns[0].CreatedAt, list)
		return err
	})
	return jobs, err
}
