package store

import (
	"context"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// Change implements domain.Messages.
func (s *Store) Change(ctx context.Context, n domain.Change) (m domain.Message, jobs []domain.Job, err error) {
	n.At = instant(n.At)
	err = s.write(ctx, func(c conn) (err error) {
		m, jobs, err = c.change(ctx, n)
		return err
	})
	return m, jobs, err
}

func (c conn) change(ctx context.Context, n domain.Change) (domain.Message, []domain.Job, error) {
	l, err := c.lockFor(ctx, n.UserID, n.ConversationID)
	if err != nil {
		return domain.Message{}, nil, err
	}
	m, err := c.message(ctx, n.ConversationID, n.MessageID)
	if err != nil {
		return m, nil, err
	}
	switch deletes := n.Body == ""; {
	case m.Sender.ID != n.UserID:
		return domain.Message{}, nil, domain.ErrForbidden
	case m.DeletedAt != nil && deletes, m.DeletedAt == nil && m.Body == n.Body:
		return m, nil, nil
	case m.DeletedAt != nil:
		return domain.Message{}, nil, domain.ErrNotFound
	}
	return c.storeChange(ctx, n, l)
}

func (c conn) storeChange(ctx context.Context, n domain.Change, l locked) (domain.Message, []domain.Job, error) {
	var err error
	event := "message.updated"
	if n.Body != "" {
		_, err = c.exec(ctx, "UPDATE messages SET body = ?, edited_at = ?, change_id = ? WHERE id = ?", n.Body, n.At, l.change+1, n.MessageID)
	} else {
		event = "message.deleted"
		_, err = c.exec(ctx, "UPDATE messages SET body = '', deleted_at = ?, change_id = ? WHERE id = ?", n.At, l.change+1, n.MessageID)
		if err == nil {
			// Who had not read it has one less to read.
			_, err = c.exec(ctx, `UPDATE conversation_participants SET unread_count = unread_count - 1
				WHERE conversation_id = ? AND user_id <> ? AND last_read_message_id < ? AND unread_count > 0`, l.id, n.UserID, n.MessageID)
		}
	}
	if err != nil {
		return domain.Message{}, nil, err
	}
	if _, err := c.exec(ctx, "UPDATE conversations SET change_seq = ?, updated_at = ? WHERE id = ?", l.change+1, n.At, l.id); err != nil {
		return domain.Message{}, nil, err
	}
	jobs := []domain.Job{{Kind: domain.BroadcastMessage, ConversationID: l.id, MessageID: n.MessageID, Event: event, SocketID: n.SocketID}}
	if n.Body == "" || n.MessageID == l.lastMessage {
		jobs = append(jobs, summaryJobs(l, n.SocketID)...)
	}
	if jobs, err = c.addJobs(ctx, n.At, jobs); err != nil {
		return domain.Message{}, nil, err
	}
	m, err := c.message(ctx, l.id, n.MessageID)
	return m, jobs, err
}
