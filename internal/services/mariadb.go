package services

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver mysql
)

var mariadb = &kind{
	scheme: "mysql", user: "root", debian: "mariadb-server", driver: "mysql", start: startMariaDB,
	dsn: func(addr string) string { return "root@tcp(" + addr + ")/mysql" },
}

// MariaDB returns a new database of MariaDB.
func MariaDB(t testing.TB) Database {
	t.Helper()
	return mariadb.database(t)
}

func startMariaDB(k *kind) (*Server, error) {
	daemon, daemonErr := lookPath("mariadbd")
	install, installErr := lookPath("mariadb-install-db")
	if daemonErr != nil || installErr != nil {
		return nil, nil
	}
	dir, err := tempDir("mysql")
	if err != nil {
		return nil, err
	}
	addr := FreeAddr()
	data := "--datadir=" + filepath.Join(dir, "data")
	if err := prepare(dir, "mysql", install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(addr)
	return program{
		dir: dir, addr: addr, user: "mysql", isReady: k.ping(addr), path: daemon,
		args: []string{
			"--no-defaults", data, "--bind-address=" + host, "--port=" + port, "--innodb-flush-log-at-trx-commit=0",
			"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
		},
	}.start()
}

// lookPath also looks where daemons are.
func lookPath(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}
