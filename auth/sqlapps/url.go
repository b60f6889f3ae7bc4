package sqlapps

import (
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// open makes a database of its URL. Nothing is connected yet. The error shows nothing of the URL, which may
// hold a password.
func open(address string) (*database, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the URL of the apps database cannot be read; hint: special characters in a password are written as %40 for @ and so on")
	}
	var d *database
	switch strings.ToLower(u.Scheme) {
	case "postgres", "postgresql", "pgsql":
		d, err = openPostgres(u)
	case "mysql", "mariadb":
		d, err = openMySQL(u)
	case "sqlite", "sqlite3":
		d, err = openSQLite(u)
	default:
		err = errors.New("the URL of the apps database names no database that is supported; hint: it starts with postgres://, mysql:// or sqlite://")
	}
	if err != nil {
		return nil, err
	}
	limitConnections(d.DB)
	d.masked = maskOf(u)
	return d, nil
}

// maskOf replaces the password wherever it stands, as it is and as it is written in a URL.
func maskOf(u *url.URL) *strings.Replacer {
	var pairs []string
	password, _ := u.User.Password()
	_, written, _ := strings.Cut(u.User.String(), ":")
	for _, s := range []string{password, written, u.Query().Get("password")} {
		if s != "" {
			pairs = append(pairs, s, "••••")
		}
	}
	return strings.NewReplacer(pairs...)
}

// openPostgres takes the options of libpq in the URL's query, such as sslmode.
func openPostgres(u *url.URL) (*database, error) {
	copied := *u
	copied.Scheme = "postgres"
	cfg, err := pgx.ParseConfig(copied.String())
	if err != nil {
		return nil, errors.New("the URL of the apps database is none of PostgreSQL; hint: write postgres://user:password@host:5432/database?sslmode=require")
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	if !u.Query().Has("default_query_exec_mode") {
		// One round trip, no prepared statement that PgBouncer or an ALTER TABLE would break.
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return &database{DB: stdlib.OpenDB(*cfg), schema: postgresSchema, isPostgres: true}, nil
}

// openMySQL takes the options of the Go driver in the URL's query, such as tls and charset, and Laravel's unix_socket.
func openMySQL(u *url.URL) (*database, error) {
	query := u.Query()
	socket := query.Get("unix_socket")
	query.Del("unix_socket")
	if !query.Has("tls") {
		query.Set("tls", "preferred")
	}
	const hint = "; hint: write mysql://user:password@host:3306/database?tls=true"
	cfg, err := mysql.ParseDSN("/?" + query.Encode())
	if err != nil {
		return nil, errors.New("the URL of the apps database has an option that MySQL's driver does not take" + hint)
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	cfg.Net, cfg.Addr = "tcp", u.Host
	switch {
	case socket != "":
		cfg.Net, cfg.Addr = "unix", socket
	case u.Hostname() == "":
		cfg.Addr = net.JoinHostPort("127.0.0.1", "3306")
	case u.Port() == "":
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.ClientFoundRows = true // a change that changes nothing has found its row
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errors.New("the URL of the apps database is none of MySQL" + hint)
	}
	return &database{DB: sql.OpenDB(connector), schema: mysqlSchema}, nil
}

// openSQLite takes sqlite:///an/absolute/path and sqlite:a/relative/one. The file has to be there.
func openSQLite(u *url.URL) (*database, error) {
	path, err := url.PathUnescape(u.Opaque)
	if u.Opaque == "" {
		path = u.Host + u.Path
	}
	if err != nil || path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("the URL of the apps database names no file; hint: write sqlite:///path/to/database.sqlite")
	}
	options := url.Values{"mode": {"rw"}, "_busy_timeout": {"1000"}, "_time_format": {"datetime"}, "_timezone": {"UTC"}}
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	return &database{DB: db, schema: sqliteSchema, file: path}, nil
}
