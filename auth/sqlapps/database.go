package sqlapps

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// schemaTemplate is the table, with words in capitals for what databases call differently.
//
//go:embed schema.sql
var schemaTemplate string

var (
	postgresSchema = schemaWith("key  ", "TIMESTAMP(0)", "JSONB", "")
	mysqlSchema    = schemaWith("`key`", "DATETIME", "JSON", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	sqliteSchema   = schemaWith("key  ", "DATETIME", "TEXT", "")
)

func schemaWith(key, time, json, options string) string {
	return strings.NewReplacer("KEY  ", key, " TIME", " "+time, " JSON", " "+json, ")OPTIONS", ")"+options).Replace(schemaTemplate)
}

// database is one of the supported databases.
type database struct {
	*sql.DB
	schema     string
	isPostgres bool
	file       string // of SQLite
	masked     *strings.Replacer
}

// exec runs a statement, written as for MySQL, and returns the number of rows that it is about.
func (d *database) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := d.ExecContext(ctx, d.rewrite(statement), args...)
	if err != nil {
		return 0, d.mask(err)
	}
	return result.RowsAffected()
}

// query calls row for each row that the statement finds.
func (d *database) query(ctx context.Context, row func(*sql.Rows) error, statement string, args ...any) error {
	rows, err := d.QueryContext(ctx, d.rewrite(statement), args...)
	if err != nil {
		return d.mask(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return d.mask(rows.Err())
}

// rewrite makes the statement one of PostgreSQL, where that is needed. SQLite takes MySQL's notation.
func (d *database) rewrite(statement string) string {
	if !d.isPostgres {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, c := range statement {
		switch c {
		case '`':
			b.WriteByte('"')
		case '?':
			n++
			b.WriteString("$" + strconv.Itoa(n))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// mask makes one line of an error. It hides the password of the database, which no driver is known to show, and
// whatever a driver can tell beyond its message, which may be a row.
func (d *database) mask(err error) error {
	if err == nil {
		return nil
	}
	text := d.masked.Replace(strings.Join(strings.Fields(err.Error()), " "))
	switch {
	case isDuplicate(err):
		return ErrExists
	case isNoTable(err):
		return ErrNoTable
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in time"
	}
	return errors.New(text)
}

// create makes the table, unless there is one. SQLite's file is made too, readable by its owner only.
func (d *database) create(ctx context.Context) error {
	if d.file != "" {
		f, err := os.OpenFile(d.file, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		f.Close()
	}
	_, err := d.ExecContext(ctx, d.schema)
	return d.mask(err)
}

// ErrExists says that another app has the id or the key.
var ErrExists = errors.New("an app with this id or key exists already")

// ErrNoTable says that the database has no table of apps.
var ErrNoTable = errors.New(`the database has no table reverb_apps; hint: "reverb-go apps migrate" creates it`)

func isDuplicate(err error) bool {
	code := code(err)
	return code == "23505" || code == "1062" || code == strconv.Itoa(sqlite3.SQLITE_CONSTRAINT_UNIQUE) ||
		code == strconv.Itoa(sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func isNoTable(err error) bool {
	code := code(err)
	return code == "42P01" || code == "1146" || code == strconv.Itoa(sqlite3.SQLITE_ERROR) && strings.Contains(err.Error(), "no such table")
}

// code returns what the database calls an error. The codes of the three differ in length.
func code(err error) string {
	var postgres *pgconn.PgError
	var maria *mysql.MySQLError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &postgres):
		return postgres.Code
	case errors.As(err, &maria):
		return strconv.Itoa(int(maria.Number))
	case errors.As(err, &lite):
		return strconv.Itoa(lite.Code())
	}
	return ""
}

// limitConnections keeps the pool small: lookups are few, and a storm of new clients is not to be passed on.
func limitConnections(db *sql.DB) {
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(2)
	db.SetConnMaxIdleTime(time.Minute)
	db.SetConnMaxLifetime(10 * time.Minute)
}
