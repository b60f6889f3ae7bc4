package store

import (
	"context"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const participantQuery = `SELECT p.conversation_id, p.role, p.joined_at, p.last_read_message_id, p.last_read_at, p.muted_at, ` + userColumns + `
	FROM conversation_participants p JOIN users u ON u.id = p.user_id
	WHERE p.left_at IS NULL AND `

func scanParticipant(row scanner) (p domain.Participant, err error) {
	err = row.Scan(append([]any{&p.ConversationID, &p.Role, at{&p.JoinedAt}, &p.LastReadID, maybeAt{&p.LastReadAt}, maybeAt{&p.MutedAt}},
		userFields(&p.User)...)...)
	return p, err
}

// participants returns those of one conversation, in the order of their user ids.
func (c conn) participants(ctx context.Context, conversationID int64) ([]domain.Participant, error) {
	return all(ctx, c, scanParticipant, participantQuery+"p.conversation_id = ? ORDER BY p.user_id", conversationID)
}

// Participants implements domain.Conversations.
func (s *Store) Participants(ctx context.Context, userID, id int64) ([]domain.Participant, error) {
	list, err := s.participants(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.ID == userID {
			return list, nil
		}
	}
	return nil, domain.ErrNotFound
}

// IsParticipant implements domain.Conversations.
func (s *Store) IsParticipant(ctx context.Context, userID, id int64) (bool, error) {
	n, err := one(ctx, s.conn, scanValue[int], `SELECT COUNT(*) FROM conversation_participants
		WHERE conversation_id = ? AND user_id = ? AND left_at IS NULL`, id, userID)
	return n == 1, err
}

// UnreadTotal implements domain.Conversations.
func (s *Store) UnreadTotal(ctx context.Context, userID int64) (int, error) {
	return one(ctx, s.conn, scanValue[int], `SELECT COALESCE(SUM(unread_count), 0) FROM conversation_participants
		WHERE user_id = ? AND unread_count > 0 AND left_at IS NULL`, userID)
}

// SetMuted implements domain.Conversations.
func (s *Store) SetMuted(ctx context.Context, userID, id int64, when *time.Time) error {
	return s.write(ctx, func(c conn) error {
		if _, err := c.lockFor(ctx, userID, id); err != nil {
			return err
		}
		_, err := c.exec(ctx, "UPDATE conversation_participants SET muted_at = ? WHERE conversation_id = ? AND user_id = ?", when, id, userID)
		return err
	})
}

// locked is a conversation that nobody else writes to until commit.
type locked struct {
	id           int64
	lastMessage  int64
	change       int64
	participants []member
	self         member
}

// member is what a writer needs to know of a participant.
type member struct {
	userID   int64
	lastRead int64
}

// lockFor locks a conversation that the user is in.
func (c conn) lockFor(ctx context.Context, userID, id int64) (locked, error) {
	l, err := one(ctx, c, scanLocked, "SELECT id, COALESCE(last_message_id, 0), change_seq FROM conversations WHERE id = ?"+c.store.dialect.lock, id)
	if err != nil {
		return locked{}, err
	}
	l.participants, err = all(ctx, c, scanMember, `SELECT user_id, last_read_message_id FROM conversation_participants
		WHERE conversation_id = ? AND left_at IS NULL ORDER BY user_id`, id)
	if err != nil {
		return locked{}, err
	}
	for _, m := range l.participants {
		if m.userID == userID {
			l.self = m
			return l, nil
		}
	}
	return locked{}, domain.ErrNotFound
}

func scanLocked(row scanner) (l locked, err error) {
	err = row.Scan(&l.id, &l.lastMessage, &l.change)
	return l, err
}

func scanMember(row scanner) (m member, err error) {
	err = row.Scan(&m.userID, &m.lastRead)
	return m, err
}
