package sqlapps

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Store reads and changes the table of apps. It may be used from any goroutine.
type Store struct{ db *database }

// Open returns the store at a URL that starts with postgres://, mysql:// or sqlite://. It connects when it is first
// used.
func Open(url string) (*Store, error) {
	db, err := open(url)
	if err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

// Close ends all connections.
func (s *Store) Close() error { return s.db.Close() }

// Schema is the SQL that makes the table in this database.
func (s *Store) Schema() string { return s.db.schema }

// Migrate makes the table, unless there is one, and SQLite's file.
func (s *Store) Migrate(ctx context.Context) error { return s.db.create(ctx) }

// List returns all apps, ordered by id.
func (s *Store) List(ctx context.Context) ([]*Record, error) {
	var all []*Record
	err := s.db.query(ctx, func(rows *sql.Rows) error {
		r, err := scan(rows)
		all = append(all, r)
		return err
	}, "SELECT * FROM reverb_apps ORDER BY id")
	return all, err
}

// column names what an app is found by.
type column string

const (
	byID  column = "id"
	byKey column = "key"
)

// find returns nil if there is no such app. The comparison is exact, whatever the column's collation says.
func (s *Store) find(ctx context.Context, c column, value string) (*Record, error) {
	var found *Record
	err := s.db.query(ctx, func(rows *sql.Rows) error {
		r, err := scan(rows)
		if err == nil && (c == byID && r.ID == value || c == byKey && r.Key == value) {
			found = r
		}
		return err
	}, "SELECT * FROM reverb_apps WHERE `"+string(c)+"` = ?", value)
	return found, err
}

// Add inserts an app. It fails with ErrExists if its id or key is taken.
func (s *Store) Add(ctx context.Context, r *Record) error {
	if err := check(r); err != nil {
		return err
	}
	r.CreatedAt = now()
	r.UpdatedAt = r.CreatedAt
	var names []string
	var values []any
	for name, column := range r.columns() {
		value, err := driver.DefaultParameterConverter.ConvertValue(column)
		if err != nil {
			return fmt.Errorf("app %q: its %s cannot be stored", r.ID, name)
		}
		if value == nil {
			continue // the default, for which a table of before need not have the column
		}
		names, values = append(names, "`"+name+"`"), append(values, value)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
	_, err := s.db.exec(ctx, fmt.Sprintf("INSERT INTO reverb_apps (%s) VALUES (%s)", strings.Join(names, ", "), marks), values...)
	return err
}

// check refuses what no server could serve, or could never find.
func check(r *Record) error {
	for _, c := range []struct{ what, value string }{{"id", r.ID}, {"key", r.Key}} {
		if !isPlausible(c.value) {
			return fmt.Errorf("app %q: its %s has a length or characters that cannot be stored; hint: take up to %d letters and digits", r.ID, c.what, maxName)
		}
	}
	_, _, err := r.apps()
	return err
}

// maxName is the length of ids and keys.
const maxName = 100

// isPlausible reports whether there can be an app with the id or key. Asking a database for what cannot be a text of it
// fails, and clients could make that happen as often as they like.
func isPlausible(name string) bool {
	return name != "" && len(name) <= maxName*utf8.UTFMax && utf8.ValidString(name) &&
		utf8.RuneCountInString(name) <= maxName && !strings.ContainsFunc(name, unicode.IsControl)
}

// ErrNotFound says that there is no app with the id.
var ErrNotFound = errors.New("there is no such app")

// RotateKey gives an app a new secret. The key stays, since browsers have it. The old secret is accepted for the
// grace period, in which everybody who signs can be told; 0 ends it at once.
func (s *Store) RotateKey(ctx context.Context, id, secret string, grace time.Duration) error {
	if secret == "" {
		return errors.New("the new secret is empty; hint: leave it out to have one made up")
	}
	// MySQL carries out the assignments from left to right, so the old secret is saved first.
	keep, args := "previous_secret = NULL, previous_secret_expires_at = NULL", []any{}
	if grace > 0 {
		keep, args = "previous_secret = secret, previous_secret_expires_at = ?", []any{now().Add(grace)}
	}
	args = append(args, secret, now(), id)
	return s.change(ctx, "UPDATE reverb_apps SET "+keep+", secret = ?, updated_at = ? WHERE id = ?", args...)
}

// SetEnabled lets an app be served, or not.
func (s *Store) SetEnabled(ctx context.Context, id string, enabled bool) error {
	return s.change(ctx, "UPDATE reverb_apps SET enabled = ?, updated_at = ? WHERE id = ?", enabled, now(), id)
}

func (s *Store) change(ctx context.Context, statement string, args ...any) error {
	n, err := s.db.exec(ctx, statement, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// now is the time as the table can hold it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
