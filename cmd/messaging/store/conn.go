package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// conn runs queries, in a transaction or outside. Queries have ? for their arguments.
type conn struct {
	run interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
	store   *Store
	writing bool // in a transaction of Store.write
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

func (c conn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, args = c.store.dialect.rebind(query), c.store.dialect.bind(args)
	if c.store.observe != nil {
		c.store.observe(query, args)
	}
	return c.run.QueryContext(ctx, query, args...)
}

// exec returns how many rows it met.
func (c conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	query, args = c.store.dialect.rebind(query), c.store.dialect.bind(args)
	if c.store.observe != nil {
		c.store.observe(query, args)
	}
	if c.store.dialect.oneWriter && !c.writing {
		c.store.writing.Lock()
		defer c.store.writing.Unlock()
	}
	result, err := c.run.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insert returns the id of the new row.
func (c conn) insert(ctx context.Context, query string, args ...any) (int64, error) {
	d := c.store.dialect
	if d.returning {
		return one(ctx, c, scanValue[int64], query+" RETURNING id", args...)
	}
	result, err := c.run.ExecContext(ctx, query, d.bind(args)...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// all returns every row.
func all[T any](ctx context.Context, c conn, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// one returns the first row, or domain.ErrNotFound.
func one[T any](ctx context.Context, c conn, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return none, err
	}
	defer rows.Close()
	if !rows.Next() {
		return none, orNotFound(rows.Err())
	}
	item, err := scan(rows)
	if err != nil {
		return none, err
	}
	return item, rows.Err()
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return domain.ErrNotFound
}

func scanValue[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

// in is a list of n placeholders.
func in(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")" }

// tuples is n rows of placeholders for VALUES.
func tuples(n, columns int) string {
	return strings.TrimSuffix(strings.Repeat(in(columns)+", ", n), ", ")
}

// nullable is NULL for what is not given.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// text reads a string that may be NULL.
type text struct{ s *string }

func (t text) Scan(v any) error {
	var n sql.NullString
	err := n.Scan(v)
	*t.s = n.String
	return err
}

// at reads a time, however the database keeps it.
type at struct{ t *time.Time }

func (a at) Scan(v any) error {
	t, err := parseTime(v)
	if err == nil && t != nil {
		*a.t = *t
	}
	return err
}

// maybeAt reads a time that may be NULL.
type maybeAt struct{ t **time.Time }

func (a maybeAt) Scan(v any) (err error) {
	*a.t, err = parseTime(v)
	return err
}

func parseTime(v any) (*time.Time, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		v = instant(v)
		return &v, nil
	case string:
		t, err := time.Parse(timeText, v)
		return &t, err
	}
	return nil, fmt.Errorf("read a time from %T", v)
}
