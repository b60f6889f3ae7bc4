package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// dialect is what the databases do not agree about.
type dialect struct {
	name         string // Laravel's, as in DB_CONNECTION
	driver       string // of database/sql
	goose        goose.Dialect
	lock         string // ends a SELECT whose row nobody else is to write until commit
	insertIgnore string // begins an INSERT that skips rows which are there
	onConflict   string // ends it
	numbered     bool   // placeholders are $1, $2
	returning    bool   // an INSERT can say what id it gave
	textTime     bool   // times are kept as text
	oneWriter    bool   // a second writer would only be told to come back later
	isolation    bool   // levels can be chosen
}

var dialects = map[string]dialect{
	"sqlite": {
		name: "sqlite", driver: "sqlite", goose: goose.DialectSQLite3,
		insertIgnore: "INSERT", onConflict: " ON CONFLICT DO NOTHING",
		returning: true, textTime: true, oneWriter: true,
	},
	"pgsql": {
		name: "pgsql", driver: "pgx", goose: goose.DialectPostgres,
		// Weaker than FOR UPDATE, which the foreign keys of others would have to wait for.
		lock:         " FOR NO KEY UPDATE",
		insertIgnore: "INSERT", onConflict: " ON CONFLICT DO NOTHING",
		numbered: true, returning: true, isolation: true,
	},
	"mysql": {
		name: "mysql", driver: "mysql", goose: goose.DialectMySQL,
		lock:         " FOR UPDATE",
		insertIgnore: "INSERT IGNORE",
		isolation:    true,
	},
}

// rebind writes placeholders as the database wants them. Our queries have no question marks in strings.
func (d dialect) rebind(query string) string {
	if !d.numbered || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// timeText sorts as the times do.
const timeText = "2006-01-02 15:04:05.000000"

// bind turns times into what the database keeps. All are in UTC and have microseconds.
func (d dialect) bind(args []any) []any {
	for i, a := range args {
		switch t := a.(type) {
		case time.Time:
			args[i] = d.time(t)
		case *time.Time:
			if t == nil {
				args[i] = nil
			} else {
				args[i] = d.time(*t)
			}
		}
	}
	return args
}

func (d dialect) time(t time.Time) any {
	t = instant(t)
	if d.textTime {
		return t.Format(timeText)
	}
	return t
}

// instant is t as every database can keep it.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// isConflict reports whether err is another transaction's fault, so that trying again helps.
func isConflict(err error) bool {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &pg):
		return pg.Code == "40001" || pg.Code == "40P01" // serialization_failure, deadlock_detected
	case errors.As(err, &my):
		return my.Number == 1213 || my.Number == 1205 || my.Number == 1020 // deadlock, lock wait, record has changed
	case errors.As(err, &lite):
		return lite.Code()&0xff == sqlitelib.SQLITE_BUSY
	}
	return false
}

// isDuplicate reports whether err is about a unique key.
func isDuplicate(err error) bool {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &pg):
		return pg.Code == "23505"
	case errors.As(err, &my):
		return my.Number == 1062
	case errors.As(err, &lite):
		return lite.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}
