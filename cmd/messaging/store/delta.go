package store

import (
	"context"
	"errors"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// position is where a conversation stands for a participant.
type position struct {
	change int64
	unread int
}

func scanPosition(row scanner) (p position, err error) {
	err = row.Scan(&p.change, &p.unread)
	return p, err
}

// Delta implements domain.Messages.
//
// It uses no transaction: the position is read before what it stands for, so that what happens in between is
// told twice rather than not at all.
func (s *Store) Delta(ctx context.Context, q domain.DeltaQuery) (d domain.Delta, err error) {
	now, err := one(ctx, s.conn, scanPosition, `SELECT c.change_seq, p.unread_count
		FROM conversation_participants p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.conversation_id = ? AND p.user_id = ? AND p.left_at IS NULL`, q.ConversationID, q.UserID)
	if err != nil {
		return d, err
	}
	list, err := all(ctx, s.conn, scanMessage, messageQuery+"m.conversation_id = ? AND m.id > ? ORDER BY m.id LIMIT ?",
		q.ConversationID, q.AfterMessage, q.Limit+1)
	if err != nil {
		return d, err
	}
	d.Unread = now.unread
	d.Messages, d.MoreMessage = cut(list, q.Limit)
	if err := s.addChanges(ctx, q, now.change, &d); err != nil {
		return d, err
	}
	people, err := s.participants(ctx, q.ConversationID)
	for _, p := range people {
		d.Markers = append(d.Markers, p.Marker())
	}
	return d, err
}

func (s *Store) addChanges(ctx context.Context, q domain.DeltaQuery, now int64, d *domain.Delta) error {
	after, err := s.changeBefore(ctx, q)
	if err != nil {
		return err
	}
	list, err := all(ctx, s.conn, scanMessage, messageQuery+"m.conversation_id = ? AND m.change_id > ? AND m.id <= ? ORDER BY m.change_id LIMIT ?",
		q.ConversationID, after, q.AfterMessage, q.Limit+1)
	if err != nil {
		return err
	}
	d.Changed, d.MoreChanged = cut(list, q.Limit)
	d.ChangeID = max(now, after)
	if d.MoreChanged {
		d.ChangeID = min(d.ChangeID, d.Changed[len(d.Changed)-1].ChangeID)
	}
	return nil
}

// changeBefore is the change after which the client may not know any.
func (s *Store) changeBefore(ctx context.Context, q domain.DeltaQuery) (int64, error) {
	if q.AfterChange != nil {
		return *q.AfterChange, nil
	}
	change, err := one(ctx, s.conn, scanValue[int64], `SELECT m.created_change FROM messages m
		WHERE m.conversation_id = ? AND m.id <= ? ORDER BY m.id DESC LIMIT 1`, q.ConversationID, q.AfterMessage)
	if errors.Is(err, domain.ErrNotFound) {
		return 0, nil
	}
	return change, err
}
