package config

import (
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// AppTable says whether apps come from a table, and from which database.
type AppTable struct {
	Provider string // AppsFromConfig or AppsFromSQL
	URL      string // of the database; "" is Laravel's
	TTL      time.Duration
	Laravel  Database

	dir string // of the Laravel app
}

// Where apps come from.
const (
	AppsFromConfig = "config"
	AppsFromSQL    = "sql"
)

// Database is Laravel's default database connection.
type Database struct {
	Driver, URL, Host, Port, Name, Username, Password, Socket string
}

const databasePath = "apps.database"

// appTableKeys are the settings of the table of apps, stored in t.
func appTableKeys(t *AppTable) []key {
	return []key{
		{name: "apps.provider", env: "REVERB_GO_APPS_PROVIDER", def: AppsFromConfig, to: oneOf(&t.Provider, AppsFromConfig, AppsFromSQL)},
		{name: "apps.dsn", env: "REVERB_GO_APPS_DSN", flag: "apps-dsn", def: "", to: text(&t.URL), secret: true},
		{name: "apps.ttl", env: "REVERB_GO_APPS_TTL", def: "30s", to: duration(&t.TTL, time.Second)},
		{name: databasePath + ".driver", env: "DB_CONNECTION", def: "", to: text(&t.Laravel.Driver)},
		{name: databasePath + ".url", env: "DB_URL", def: "", to: text(&t.Laravel.URL), secret: true},
		{name: databasePath + ".host", env: "DB_HOST", def: "127.0.0.1", to: text(&t.Laravel.Host)},
		{name: databasePath + ".port", env: "DB_PORT", def: "", to: text(&t.Laravel.Port)},
		{name: databasePath + ".database", env: "DB_DATABASE", def: "", to: text(&t.Laravel.Name)},
		{name: databasePath + ".username", env: "DB_USERNAME", def: "", to: text(&t.Laravel.Username)},
		{name: databasePath + ".password", env: "DB_PASSWORD", def: "", to: text(&t.Laravel.Password), secret: true},
		{name: databasePath + ".unix_socket", env: "DB_SOCKET", def: "", to: text(&t.Laravel.Socket)},
	}
}

// DatabaseURL returns where the table is.
func (t AppTable) DatabaseURL() (string, error) {
	for _, u := range []string{t.URL, t.Laravel.URL} {
		if u != "" {
			return u, nil
		}
	}
	d := t.Laravel
	switch d.Driver {
	case "pgsql":
		return d.serverURL("postgres", "5432"), nil
	case "mysql", "mariadb":
		return d.serverURL("mysql", "3306"), nil
	case "sqlite":
		return d.fileURL(t.dir), nil
	case "":
		return "", &Problem{"no database of apps is named", "set REVERB_GO_APPS_DSN to a URL like mysql://user:password@host/database, or have it read Laravel's DB_CONNECTION"}
	}
	return "", &Problem{"the database of apps is of a kind that is not supported: " + d.Driver, "set REVERB_GO_APPS_DSN to a URL that starts with postgres://, mysql:// or sqlite://"}
}

func (d Database) serverURL(scheme, port string) string {
	if d.Port != "" {
		port = d.Port
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(d.Host, port), Path: "/" + d.Name}
	if d.Username != "" {
		u.User = url.UserPassword(d.Username, d.Password)
	}
	if d.Socket != "" && scheme == "mysql" {
		u.RawQuery = url.Values{"unix_socket": {d.Socket}}.Encode()
	}
	return u.String()
}

// fileURL is Laravel's file, which stands in the folder database unless DB_DATABASE says otherwise.
func (d Database) fileURL(dir string) string {
	name := d.Name
	if name == "" {
		name = filepath.Join(dir, "database", "database.sqlite")
	}
	return (&url.URL{Scheme: "sqlite", Opaque: (&url.URL{Path: name}).EscapedPath()}).String()
}

// withDatabase gives the apps the database that a cached configuration has by default.
func withDatabase(reverb, root *laravel.Map) *laravel.Map {
	name, _ := root.Get("database.default")
	word, _ := scalar(name.V)
	connection, isThere := root.Get("database.connections." + word)
	if apps := reverb.Map("apps"); apps != nil && isThere {
		apps.Set("database", connection)
	}
	return reverb
}
