package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const conversationColumns = `c.id, c.type, c.title, c.created_by, c.created_at, c.updated_at,
	COALESCE(c.last_message_id, 0), c.last_message_at, c.change_seq, p.unread_count, p.muted_at`

func scanConversation(row scanner) (v domain.Conversation, err error) {
	err = row.Scan(&v.ID, &v.Type, text{&v.Title}, &v.CreatedBy, at{&v.CreatedAt}, at{&v.UpdatedAt},
		&v.LastMessageID, maybeAt{&v.LastMessageAt}, &v.ChangeID, &v.Unread, maybeAt{&v.MutedAt})
	return v, err
}

// Conversation implements domain.Conversations.
func (s *Store) Conversation(ctx context.Context, userID, id int64) (domain.Conversation, error) {
	v, err := one(ctx, s.conn, scanConversation, "SELECT "+conversationColumns+`
		FROM conversation_participants p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.conversation_id = ? AND p.user_id = ? AND p.left_at IS NULL`, id, userID)
	if err != nil {
		return v, err
	}
	list := []domain.Conversation{v}
	err = s.complete(ctx, list)
	return list[0], err
}

// Conversations implements domain.Conversations.
func (s *Store) Conversations(ctx context.Context, userID int64, limit, offset int) ([]domain.Conversation, bool, error) {
	list, err := all(ctx, s.conn, scanConversation, "SELECT "+conversationColumns+`
		FROM (SELECT conversation_id, unread_count, muted_at, activity_at FROM conversation_participants
			WHERE user_id = ? AND left_at IS NULL ORDER BY activity_at DESC, conversation_id DESC LIMIT ? OFFSET ?) p
		JOIN conversations c ON c.id = p.conversation_id
		ORDER BY p.activity_at DESC, p.conversation_id DESC`, userID, limit+1, offset)
	if err != nil {
		return nil, false, err
	}
	list, more := cut(list, limit)
	return list, more, s.complete(ctx, list)
}

// cut takes off the row that was asked for only to know whether there is one more.
func cut[T any](list []T, limit int) ([]T, bool) {
	if len(list) > limit {
		return list[:limit], true
	}
	return list, false
}

// complete adds participants and last messages.
func (c conn) complete(ctx context.Context, list []domain.Conversation) error {
	if len(list) == 0 {
		return nil
	}
	var ids, last []any
	for _, v := range list {
		ids = append(ids, v.ID)
		if v.LastMessageID != 0 {
			last = append(last, v.LastMessageID)
		}
	}
	people, err := all(ctx, c, scanParticipant, participantQuery+"p.conversation_id IN "+in(len(ids))+" ORDER BY p.conversation_id, p.user_id", ids...)
	if err != nil {
		return err
	}
	messages, err := c.messagesByID(ctx, last)
	if err != nil {
		return err
	}
	for i := range list {
		v := &list[i]
		for _, p := range people {
			if p.ConversationID == v.ID {
				v.Participants = append(v.Participants, p)
			}
		}
		if m, ok := messages[v.LastMessageID]; ok {
			v.LastMessage = &m
		}
	}
	return nil
}

// CreateConversation implements domain.Conversations.
func (s *Store) CreateConversation(ctx context.Context, n domain.NewConversation) (int64, bool, []domain.Job, error) {
	n.At = instant(n.At)
	n.Others = others(n.Others, n.CreatedBy)
	if err := checkNew(n); err != nil {
		return 0, false, nil, err
	}
	key := directKey(n)
	var id int64
	var created bool
	var jobs []domain.Job
	err := s.write(ctx, func(c conn) (err error) {
		id, created, jobs, err = c.findOrCreate(ctx, n, key)
		return err
	})
	if key != "" && isDuplicate(err) {
		// Another request made it meanwhile; it can be seen now.
		err = s.write(ctx, func(c conn) (err error) {
			id, created, jobs, err = c.findOrCreate(ctx, n, key)
			return err
		})
	}
	return id, created, jobs, err
}

// others returns ids sorted, each once, without self.
func others(ids []int64, self int64) []int64 {
	list := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == self })
	slices.Sort(list)
	return slices.Compact(list)
}

func checkNew(n domain.NewConversation) error {
	switch {
	case len(n.Others) == 0:
		return &domain.Invalid{Field: "participant_ids", Message: "The participant ids field must have somebody else in it."}
	case len(n.Others) >= domain.MaxParticipants:
		return &domain.Invalid{Field: "participant_ids", Message: fmt.Sprintf("The participant ids field must not have more than %d items.", domain.MaxParticipants-1)}
	}
	return nil
}

// directKey is the same for both participants of a direct conversation, and "" for a group.
func directKey(n domain.NewConversation) string {
	if len(n.Others) != 1 || n.Title != "" {
		return ""
	}
	return fmt.Sprintf("%d:%d", min(n.CreatedBy, n.Others[0]), max(n.CreatedBy, n.Others[0]))
}

func (c conn) findOrCreate(ctx context.Context, n domain.NewConversation, key string) (id int64, created bool, jobs []domain.Job, err error) {
	if key != "" {
		id, err = one(ctx, c, scanValue[int64], "SELECT id FROM conversations WHERE direct_key = ?", key)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return 0, false, nil, err
		}
	}
	if id == 0 {
		created = true
		if id, err = c.create(ctx, n, key); err != nil {
			return 0, false, nil, err
		}
	}
	jobs, err = c.announce(ctx, n, id, created)
	return id, created, jobs, err
}

// create stores the conversation and who is in it.
func (c conn) create(ctx context.Context, n domain.NewConversation, key string) (int64, error) {
	if err := c.checkUsers(ctx, n.Others); err != nil {
		return 0, err
	}
	kind := domain.Group
	if key != "" {
		kind = domain.Direct
	}
	id, err := c.insert(ctx, "INSERT INTO conversations (type, title, direct_key, created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
		kind, nullable(n.Title), nullable(key), n.CreatedBy, n.At, n.At)
	if err != nil {
		return 0, err
	}
	var args []any
	for _, user := range append([]int64{n.CreatedBy}, n.Others...) {
		role := domain.Member
		if user == n.CreatedBy {
			role = domain.Owner
		}
		args = append(args, id, user, role, n.At, n.At)
	}
	_, err = c.exec(ctx, "INSERT INTO conversation_participants (conversation_id, user_id, role, joined_at, activity_at) VALUES "+
		tuples(len(n.Others)+1, 5), args...)
	return id, err
}

func (c conn) checkUsers(ctx context.Context, ids []int64) error {
	var args []any
	for _, id := range ids {
		args = append(args, id)
	}
	n, err := one(ctx, c, scanValue[int], "SELECT COUNT(*) FROM users WHERE id IN "+in(len(ids)), args...)
	if err == nil && n != len(ids) {
		err = &domain.Invalid{Field: "participant_ids", Message: "The selected participant ids are invalid."}
	}
	return err
}

// announce sends the first message, if there is one, and tells the participants.
func (c conn) announce(ctx context.Context, n domain.NewConversation, id int64, created bool) ([]domain.Job, error) {
	if n.Body != "" {
		sent, err := c.send(ctx, domain.NewMessage{ConversationID: id, SenderID: n.CreatedBy, Body: n.Body, SocketID: n.SocketID, At: n.At})
		return sent.Jobs, err
	}
	if !created {
		return nil, nil
	}
	var jobs []domain.Job
	for _, user := range append([]int64{n.CreatedBy}, n.Others...) {
		jobs = append(jobs, domain.Job{Kind: domain.BroadcastSummary, ConversationID: id, UserID: user, SocketID: n.SocketID})
	}
	return c.addJobs(ctx, n.At, jobs)
}
