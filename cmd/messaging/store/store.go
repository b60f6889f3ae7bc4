package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

//go:embed migrations
var migrations embed.FS

// folders has the migrations of each dialect.
var folders = map[string]string{"sqlite": "migrations/sqlite", "pgsql": "migrations/postgres", "mysql": "migrations/mysql"}

// Store is a database. It may be used from any goroutine.
type Store struct {
	conn // outside of transactions

	db      *sql.DB
	dialect dialect
	writing sync.Mutex // held by the transaction of a database that takes one writer

	// observe is told of every query, for tests of their plans.
	observe func(query string, args []any)
}

var _ domain.Store = (*Store)(nil)

// Open connects to the database that Laravel calls name (sqlite, pgsql or mysql); dsn is as its driver wants
// it. See package config for what people write.
func Open(ctx context.Context, name, dsn string) (*Store, error) {
	d, ok := dialects[name]
	if !ok {
		return nil, fmt.Errorf("there is no database %q; hint: DB_CONNECTION is sqlite, pgsql or mysql", name)
	}
	db, err := sql.Open(d.driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s := &Store{db: db, dialect: d}
	s.conn = conn{run: db, store: s}
	if err := s.Ping(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return s, nil
}

// maxConns is far below what the databases allow for all their clients, and enough for short queries.
const maxConns = 16

// Close ends all connections.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// Migrate brings the tables up to date and returns how many steps that took.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	folder, err := fs.Sub(migrations, folders[s.dialect.name])
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.db, folder, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate the database: %w", err)
	}
	return len(results), nil
}

// maxTries of a transaction that others spoil.
const maxTries = 8

// write runs do in a transaction, again if another one got into its way.
func (s *Store) write(ctx context.Context, do func(conn) error) error {
	if s.dialect.oneWriter {
		s.writing.Lock()
		defer s.writing.Unlock()
	}
	for try := 1; ; try++ {
		err := s.transaction(ctx, do)
		if err == nil || try == maxTries || !isConflict(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Store) transaction(ctx context.Context, do func(conn) error) error {
	var options *sql.TxOptions
	if s.dialect.isolation {
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := s.db.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(conn{run: tx, store: s, writing: true}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone forgets that a transaction was over already: its context had ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// SQLite returns the DSN of a database file. Readers do not wait for the writer, and what was committed outlives the
// process (though the last moments not a power cut, for which PostgreSQL is the choice).
func SQLite(path string) string {
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}).String()
}
