package store

import (
	"context"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

const userColumns = "u.id, u.name, u.username, u.avatar_url, u.is_admin, u.created_at"

// userFields are what userColumns are read into.
func userFields(u *domain.User) []any {
	return []any{&u.ID, &u.Name, &u.Username, &u.AvatarURL, &u.IsAdmin, at{&u.CreatedAt}}
}

func scanUser(row scanner) (u domain.User, err error) {
	err = row.Scan(userFields(&u)...)
	return u, err
}

func scanUserWithPassword(row scanner) (u domain.User, err error) {
	err = row.Scan(append(userFields(&u), &u.PasswordHash)...)
	return u, err
}

// User returns a user without the password.
func (s *Store) User(ctx context.Context, id int64) (domain.User, error) {
	return one(ctx, s.conn, scanUser, "SELECT "+userColumns+" FROM users u WHERE u.id = ?", id)
}

// UserByUsername returns a user with the password's hash.
func (s *Store) UserByUsername(ctx context.Context, username string) (domain.User, error) {
	return one(ctx, s.conn, scanUserWithPassword,
		"SELECT "+userColumns+", u.password_hash FROM users u WHERE u.username = ?", strings.ToLower(username))
}

// SearchUsers implements domain.Users. Each of the two ways to begin is a range of an index, and the ranges are
// joined here: a database asked for both at once reads all rows.
func (s *Store) SearchUsers(ctx context.Context, self int64, prefix string, limit int) ([]domain.User, error) {
	prefix = strings.ToLower(prefix)
	end := prefix + "\U0010FFFF"
	users, err := all(ctx, s.conn, scanUser, "SELECT "+userColumns+` FROM users u
		WHERE u.search_name >= ? AND u.search_name < ? ORDER BY u.search_name LIMIT ?`, prefix, end, limit+1)
	if err != nil {
		return nil, err
	}
	more, err := all(ctx, s.conn, scanUser, "SELECT "+userColumns+` FROM users u
		WHERE u.username >= ? AND u.username < ? ORDER BY u.username LIMIT ?`, prefix, end, limit+1)
	if err != nil {
		return nil, err
	}
	return uniqueUsers(append(users, more...), self, limit), nil
}

func uniqueUsers(users []domain.User, self int64, limit int) []domain.User {
	seen := map[int64]bool{self: true}
	var list []domain.User
	for _, u := range users {
		if !seen[u.ID] && len(list) < limit {
			seen[u.ID] = true
			list = append(list, u)
		}
	}
	return list
}
