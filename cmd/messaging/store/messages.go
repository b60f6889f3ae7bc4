package store

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const messageQuery = `SELECT m.id, m.uuid, m.conversation_id, m.client_temp_id, m.body, m.created_at, m.edited_at, m.deleted_at,
	COALESCE(m.change_id, 0), ` + userColumns + `
	FROM messages m JOIN users u ON u.id = m.sender_id
	WHERE `

func scanMessage(row scanner) (m domain.Message, err error) {
	err = row.Scan(append([]any{&m.ID, &m.UUID, &m.ConversationID, text{&m.ClientTempID}, &m.Body,
		at{&m.CreatedAt}, maybeAt{&m.EditedAt}, maybeAt{&m.DeletedAt}, &m.ChangeID}, userFields(&m.Sender)...)...)
	return m, err
}

// Message implements domain.Messages.
func (s *Store) Message(ctx context.Context, conversationID, id int64) (domain.Message, error) {
	return s.message(ctx, conversationID, id)
}

func (c conn) message(ctx context.Context, conversationID, id int64) (domain.Message, error) {
	return one(ctx, c, scanMessage, messageQuery+"m.id = ? AND m.conversation_id = ?", id, conversationID)
}

func (c conn) messagesByID(ctx context.Context, ids []any) (map[int64]domain.Message, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := all(ctx, c, scanMessage, messageQuery+"m.id IN "+in(len(ids)), ids...)
	byID := make(map[int64]domain.Message, len(list))
	for _, m := range list {
		byID[m.ID] = m
	}
	return byID, err
}

// History implements domain.Messages.
func (s *Store) History(ctx context.Context, userID, conversationID, before int64, limit int) ([]domain.Message, bool, error) {
	if err := s.mustParticipate(ctx, userID, conversationID); err != nil {
		return nil, false, err
	}
	if before <= 0 {
		before = 1<<63 - 1
	}
	list, err := all(ctx, s.conn, scanMessage, messageQuery+"m.conversation_id = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?",
		conversationID, before, limit+1)
	if err != nil {
		return nil, false, err
	}
	list, more := cut(list, limit)
	slices.Reverse(list)
	return list, more, nil
}

func (s *Store) mustParticipate(ctx context.Context, userID, conversationID int64) error {
	ok, err := s.IsParticipant(ctx, userID, conversationID)
	if err == nil && !ok {
		err = domain.ErrNotFound
	}
	return err
}

// Send implements domain.Messages.
func (s *Store) Send(ctx context.Context, n domain.NewMessage) (sent domain.Sent, err error) {
	send := func() error {
		return s.write(ctx, func(c conn) (err error) {
			sent, err = c.send(ctx, n)
			return err
		})
	}
	if err = send(); isDuplicate(err) {
		// The name was given away meanwhile, in a conversation whose lock we did not wait for.
		err = send()
	}
	return sent, err
}

func (c conn) send(ctx context.Context, n domain.NewMessage) (domain.Sent, error) {
	n.At = instant(n.At)
	l, err := c.lockFor(ctx, n.SenderID, n.ConversationID)
	if err != nil {
		return domain.Sent{}, err
	}
	before, err := c.sentBefore(ctx, n)
	if err == nil {
		return domain.Sent{Message: before}, nil
	}
	if !errors.Is(err, domain.ErrNotFound) {
		return domain.Sent{}, err
	}
	id, err := c.storeMessage(ctx, n, l)
	if err != nil {
		return domain.Sent{}, err
	}
	jobs, err := c.addJobs(ctx, n.At, sentJobs(n, l, id))
	if err != nil {
		return domain.Sent{}, err
	}
	m, err := c.message(ctx, n.ConversationID, id)
	return domain.Sent{Message: m, Stored: true, Jobs: jobs}, err
}

// sentBefore finds the message that the sender has given this name.
func (c conn) sentBefore(ctx context.Context, n domain.NewMessage) (domain.Message, error) {
	m, err := domain.Message{}, domain.ErrNotFound
	field := "uuid"
	if n.UUID != "" {
		m, err = one(ctx, c, scanMessage, messageQuery+"m.uuid = ?", n.UUID)
	}
	if n.ClientTempID != "" && errors.Is(err, domain.ErrNotFound) {
		field = "client_temp_id"
		m, err = one(ctx, c, scanMessage, messageQuery+"m.sender_id = ? AND m.client_temp_id = ?", n.SenderID, n.ClientTempID)
	}
	if err == nil && (m.Sender.ID != n.SenderID || m.ConversationID != n.ConversationID) {
		// Another's message must not be shown, and one of another conversation is not what was sent here.
		return domain.Message{}, &domain.Invalid{Field: field, Message: "The " + fieldWords[field] + " has already been taken."}
	}
	return m, err
}

var fieldWords = map[string]string{"uuid": "uuid", "client_temp_id": "client temp id"}

// storeMessage adds the message and what repeats of it elsewhere.
func (c conn) storeMessage(ctx context.Context, n domain.NewMessage, l locked) (int64, error) {
	if n.UUID == "" {
		n.UUID = uuid.Must(uuid.NewV7()).String()
	}
	id, err := c.insert(ctx, `INSERT INTO messages (conversation_id, sender_id, uuid, client_temp_id, body, created_change, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, l.id, n.SenderID, n.UUID, nullable(n.ClientTempID), n.Body, l.change, n.At)
	if err != nil {
		return 0, err
	}
	if _, err := c.exec(ctx, "UPDATE conversations SET last_message_id = ?, last_message_at = ?, updated_at = ? WHERE id = ?", id, n.At, n.At, l.id); err != nil {
		return 0, err
	}
	_, err = c.exec(ctx, `UPDATE conversation_participants
		SET activity_at = ?, unread_count = unread_count + CASE WHEN user_id = ? THEN 0 ELSE 1 END
		WHERE conversation_id = ?`, n.At, n.SenderID, l.id)
	return id, err
}

// sentJobs tells the room, every inbox, and those who are away. The sender's inbox is told too, for the
// other devices.
func sentJobs(n domain.NewMessage, l locked, id int64) []domain.Job {
	jobs := []domain.Job{{Kind: domain.BroadcastMessage, ConversationID: l.id, MessageID: id, Event: "message.created", SocketID: n.SocketID}}
	jobs = append(jobs, summaryJobs(l, n.SocketID)...)
	return append(jobs, domain.Job{Kind: domain.NotifyOffline, ConversationID: l.id, MessageID: id})
}

func summaryJobs(l locked, socketID string) []domain.Job {
	jobs := make([]domain.Job, len(l.participants))
	for i, m := range l.participants {
		jobs[i] = domain.Job{Kind: domain.BroadcastSummary, ConversationID: l.id, UserID: m.userID, SocketID: socketID}
	}
	return jobs
}
