package store

import (
	"context"
	"errors"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// MarkRead implements domain.Messages.
func (s *Store) MarkRead(ctx context.Context, r domain.Read) (marker domain.ReadMarker, unread int, jobs []domain.Job, err error) {
	r.At = instant(r.At)
	err = s.write(ctx, func(c conn) (err error) {
		jobs = nil
		l, err := c.lockFor(ctx, r.UserID, r.ConversationID)
		if err != nil {
			return err
		}
		if err := c.mustContain(ctx, r.ConversationID, r.MessageID); err != nil {
			return err
		}
		if r.MessageID > l.self.lastRead {
			if jobs, err = c.moveMarker(ctx, r, l); err != nil {
				return err
			}
		}
		marker, unread, err = c.marker(ctx, r.UserID, r.ConversationID)
		return err
	})
	return marker, unread, jobs, err
}

func (c conn) mustContain(ctx context.Context, conversationID, messageID int64) error {
	_, err := one(ctx, c, scanValue[int64], "SELECT id FROM messages WHERE id = ? AND conversation_id = ?", messageID, conversationID)
	if errors.Is(err, domain.ErrNotFound) {
		return &domain.Invalid{Field: "message_id", Message: "The selected message id is invalid."}
	}
	return err
}

// moveMarker moves a marker forward and tells the others, and the user's other devices.
func (c conn) moveMarker(ctx context.Context, r domain.Read, l locked) ([]domain.Job, error) {
	if err := c.moveTo(ctx, r, l.self.lastRead); err != nil {
		return nil, err
	}
	return c.addJobs(ctx, r.At, []domain.Job{
		{Kind: domain.BroadcastRead, ConversationID: l.id, UserID: r.UserID, SocketID: r.SocketID},
		{Kind: domain.BroadcastSummary, ConversationID: l.id, UserID: r.UserID, SocketID: r.SocketID},
	})
}

// moveTo stores the marker, what is left to read behind it, and a receipt for every message of others on its
// way from old.
func (c conn) moveTo(ctx context.Context, r domain.Read, old int64) error {
	d := c.store.dialect
	_, err := c.exec(ctx, d.insertIgnore+` INTO message_reads (message_id, user_id, read_at)
		SELECT id, `+c.parameter("BIGINT")+", "+c.parameter("TIMESTAMPTZ")+` FROM messages
		WHERE conversation_id = ? AND id > ? AND id <= ? AND sender_id <> ?`+d.onConflict,
		r.UserID, r.At, r.ConversationID, old, r.MessageID, r.UserID)
	if err != nil {
		return err
	}
	unread, err := one(ctx, c, scanValue[int], `SELECT COUNT(*) FROM messages
		WHERE conversation_id = ? AND id > ? AND sender_id <> ? AND deleted_at IS NULL`, r.ConversationID, r.MessageID, r.UserID)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, `UPDATE conversation_participants SET last_read_message_id = ?, last_read_at = ?, unread_count = ?
		WHERE conversation_id = ? AND user_id = ?`, r.MessageID, r.At, unread, r.ConversationID, r.UserID)
	return err
}

// parameter is a placeholder in a place where PostgreSQL could not tell its type.
func (c conn) parameter(kind string) string {
	if c.store.dialect.numbered {
		return "CAST(? AS " + kind + ")"
	}
	return "?"
}

type markerRow struct {
	message int64
	at      *time.Time
	unread  int
}

func scanMarker(row scanner) (m markerRow, err error) {
	err = row.Scan(&m.message, maybeAt{&m.at}, &m.unread)
	return m, err
}

func (c conn) marker(ctx context.Context, userID, conversationID int64) (domain.ReadMarker, int, error) {
	m, err := one(ctx, c, scanMarker, `SELECT last_read_message_id, last_read_at, unread_count FROM conversation_participants
		WHERE conversation_id = ? AND user_id = ?`, conversationID, userID)
	return domain.ReadMarker{ConversationID: conversationID, UserID: userID, MessageID: m.message, At: m.at}, m.unread, err
}
