package services

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// Database is an empty database of a test's own. Its user needs no password and may do everything.
type Database struct {
	Scheme string // postgres or mysql
	User   string
	Addr   string // host:port
	Name   string
}

// URL is the database as postgres://user@host:port/name or mysql://user@host:port/name.
func (d Database) URL() string { return fmt.Sprintf("%s://%s@%s/%s", d.Scheme, d.User, d.Addr, d.Name) }

// DSN is the database as Go's drivers want it.
func (d Database) DSN() string {
	if d.Scheme == "postgres" {
		return d.URL()
	}
	return d.User + "@tcp(" + d.Addr + ")/" + d.Name + "?parseTime=true&loc=UTC&time_zone=%27%2B00%3A00%27&charset=utf8mb4"
}

var databases atomic.Int64

// kind is a kind of server, of which one is started.
type kind struct {
	scheme, user, debian string

	driver string
	dsn    func(addr string) string     // of the database that is always there
	start  func(*kind) (*Server, error) // nil without an error is not installed

	once   sync.Once
	server *Server
	err    error
}

// database creates a database for a test.
func (k *kind) database(t testing.TB) Database {
	t.Helper()
	k.once.Do(func() { k.server, k.err = k.start(k) })
	if k.err != nil {
		t.Fatal(k.err)
	}
	if k.server == nil {
		missing(t, k.debian)
	}
	db, err := sql.Open(k.driver, k.dsn(k.server.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return Database{Scheme: k.scheme, User: k.user, Addr: k.server.Addr, Name: name}
}

func (k *kind) ping(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		db, err := sql.Open(k.driver, k.dsn(addr))
		if err != nil {
			return err
		}
		defer db.Close()
		return db.PingContext(ctx)
	}
}
