package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// IsEmpty reports whether there are no users yet.
func (s *Store) IsEmpty(ctx context.Context) (bool, error) {
	n, err := one(ctx, s.conn, scanValue[int], "SELECT COUNT(*) FROM (SELECT 1 AS one FROM users ORDER BY id LIMIT 1) first_user")
	return n == 0, err
}

// rowsPerInsert keeps statements below what any of the databases takes.
const rowsPerInsert = 500

// AddUsers stores users that are not there yet and returns all of them with their ids, in the same order.
func (s *Store) AddUsers(ctx context.Context, users []domain.User) ([]domain.User, error) {
	list := make([]domain.User, 0, len(users))
	for len(users) > 0 {
		n := min(len(users), rowsPerInsert)
		added, err := s.addUsers(ctx, users[:n])
		if err != nil {
			return nil, err
		}
		list, users = append(list, added...), users[n:]
	}
	return list, nil
}

func (s *Store) addUsers(ctx context.Context, users []domain.User) ([]domain.User, error) {
	d := s.dialect
	var args, names []any
	for _, u := range users {
		args = append(args, u.Name, strings.ToLower(u.Name), u.Username, u.AvatarURL, u.PasswordHash, u.IsAdmin, u.CreatedAt)
		names = append(names, u.Username)
	}
	_, err := s.exec(ctx, d.insertIgnore+" INTO users (name, search_name, username, avatar_url, password_hash, is_admin, created_at) VALUES "+
		tuples(len(users), 7)+d.onConflict, args...)
	if err != nil {
		return nil, err
	}
	found, err := all(ctx, s.conn, scanUser, "SELECT "+userColumns+" FROM users u WHERE u.username IN "+in(len(names)), names...)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]domain.User, len(found))
	for _, u := range found {
		byName[u.Username] = u
	}
	list := make([]domain.User, len(users))
	for i, u := range users {
		list[i] = byName[u.Username]
	}
	return list, nil
}

// Line is something that was said in the past.
type Line struct {
	Sender int64
	Body   string
	UUID   string
	At     time.Time
}

// AddHistory stores what was said in a conversation, nothing of which is told to anybody. Of unread, each
// participant but the last sender has that many lines left to read.
func (s *Store) AddHistory(ctx context.Context, id int64, lines []Line, unread map[int64]int) error {
	for start := 0; start < len(lines); start += rowsPerInsert {
		chunk := lines[start:min(start+rowsPerInsert, len(lines))]
		err := s.write(ctx, func(c conn) error { return c.addLines(ctx, id, chunk) })
		if err != nil {
			return err
		}
	}
	return s.write(ctx, func(c conn) error { return c.settleHistory(ctx, id, lines[len(lines)-1], unread) })
}

func (c conn) addLines(ctx context.Context, id int64, lines []Line) error {
	var args []any
	for _, l := range lines {
		args = append(args, id, l.Sender, l.UUID, l.Body, l.At)
	}
	_, err := c.exec(ctx, "INSERT INTO messages (conversation_id, sender_id, uuid, body, created_at) VALUES "+tuples(len(lines), 5), args...)
	return err
}

func (c conn) settleHistory(ctx context.Context, id int64, last Line, unread map[int64]int) error {
	l, err := one(ctx, c, scanLocked, "SELECT id, COALESCE(last_message_id, 0), change_seq FROM conversations WHERE id = ?"+c.store.dialect.lock, id)
	if err != nil {
		return err
	}
	for user, n := range unread {
		if err := c.readAllBut(ctx, l, user, n, last.At); err != nil {
			return err
		}
	}
	newest, err := c.fromNewest(ctx, id, 0)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "UPDATE conversations SET last_message_id = ?, last_message_at = ?, updated_at = ? WHERE id = ?", newest, last.At, last.At, id)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "UPDATE conversation_participants SET activity_at = ? WHERE conversation_id = ?", last.At, id)
	return err
}

// readAllBut has the user read everything but the newest n messages.
func (c conn) readAllBut(ctx context.Context, l locked, user int64, n int, when time.Time) error {
	id, err := c.fromNewest(ctx, l.id, n)
	if err != nil && !errors.Is(err, domain.ErrNotFound) { // then nothing is read
		return err
	}
	return c.moveTo(ctx, domain.Read{ConversationID: l.id, UserID: user, MessageID: id, At: when}, 0)
}

// fromNewest returns the id of the message that n newer ones follow.
func (c conn) fromNewest(ctx context.Context, id int64, n int) (int64, error) {
	return one(ctx, c, scanValue[int64], "SELECT id FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?", id, n)
}
