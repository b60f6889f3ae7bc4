package services

import (
	"net"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

var postgres = &kind{
	scheme: "postgres", user: "postgres", debian: "postgresql", driver: "pgx", start: startPostgres,
	dsn: func(addr string) string { return "postgres://postgres@" + addr + "/postgres" },
}

// Postgres returns a new database of PostgreSQL.
func Postgres(t testing.TB) Database {
	t.Helper()
	return postgres.database(t)
}

func startPostgres(k *kind) (*Server, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, nil
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := tempDir("postgres")
	if err != nil {
		return nil, err
	}
	addr := FreeAddr()
	data := filepath.Join(dir, "data")
	if err := prepare(dir, "postgres", filepath.Join(bin, "initdb"),
		"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(addr)
	return program{
		dir: dir, addr: addr, user: "postgres", isReady: k.ping(addr),
		path: filepath.Join(bin, "postgres"), args: []string{"-D", data, "-h", host, "-p", port, "-k", dir, "-F"},
	}.start()
}
