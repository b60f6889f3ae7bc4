package settings

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// server is a database server, as Laravel describes one.
type server struct {
	host           string
	port           int
	name           string
	user, password string
	sslMode        string
}

func (s server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

func (s server) postgres() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(s.user, s.password), Host: s.address(), Path: "/" + s.name}
	if s.password == "" {
		u.User = url.User(s.user)
	}
	u.RawQuery = url.Values{"sslmode": {s.sslMode}}.Encode()
	return u.String()
}

func (s server) mysql() string {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = s.user, s.password, "tcp", s.address(), s.name
	c.ParseTime = true
	c.Params = map[string]string{"time_zone": "'+00:00'", "charset": "utf8mb4"}
	return c.FormatDSN()
}

// databaseURL reads DB_URL, which says everything in one line.
func (e *env) databaseURL(raw string) Database {
	const form = "like pgsql://user:password@host:5432/database, mysql://…, or sqlite:///path"
	u, err := url.Parse(raw)
	if err != nil {
		e.err = problem("DB_URL is no URL", "DB_URL is "+form) // which may have a password in it
		return Database{}
	}
	password, _ := u.User.Password()
	d := server{host: u.Hostname(), name: strings.TrimPrefix(u.Path, "/"), user: u.User.Username(), password: password, sslMode: "prefer"}
	if mode := u.Query().Get("sslmode"); mode != "" {
		d.sslMode = mode
	}
	port := func(usual int) int {
		if n, err := strconv.Atoi(u.Port()); err == nil {
			return n
		}
		return usual
	}
	switch u.Scheme {
	case "pgsql", "postgres", "postgresql":
		d.port = port(5432)
		return Database{Connection: "pgsql", DSN: d.postgres()}
	case "mysql", "mariadb":
		d.port = port(3306)
		return Database{Connection: "mysql", DSN: d.mysql()}
	case "sqlite":
		return Database{Connection: "sqlite", Path: u.Path}
	}
	if e.err == nil {
		e.err = problem("DB_URL begins with "+u.Scheme+"://", "DB_URL is "+form)
	}
	return Database{}
}

// redis reads REDIS_URL, or REDIS_HOST and what goes with it; "" if neither is set.
func (e *env) redis() string {
	if raw := e.text("REDIS_URL", ""); raw != "" {
		return raw
	}
	host := e.text("REDIS_HOST", "")
	if host == "" {
		return ""
	}
	u := url.URL{
		Scheme: "redis", Path: "/" + e.text("REDIS_DB", "0"),
		Host: net.JoinHostPort(strings.TrimPrefix(host, "tls://"), strconv.Itoa(e.number("REDIS_PORT", 6379, 1))),
	}
	if strings.HasPrefix(host, "tls://") || e.text("REDIS_SCHEME", "tcp") == "tls" {
		u.Scheme = "rediss"
	}
	if password := e.text("REDIS_PASSWORD", ""); password != "" {
		u.User = url.UserPassword(e.text("REDIS_USERNAME", ""), password)
	}
	return u.String()
}
