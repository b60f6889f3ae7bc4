package settings

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// Settings say how the app is to run.
type Settings struct {
	URL      string        // APP_URL, with which the app is reached
	Key      []byte        // APP_KEY; nil if none is set
	Lifetime time.Duration // SESSION_LIFETIME

	Database Database
	RedisURL string // "" to embed one

	Realtime     bool   // MESSAGING_REALTIME
	Broadcast    string // BROADCAST_CONNECTION: reverb, log or null
	Sync         bool   // QUEUE_CONNECTION is sync
	PollInterval time.Duration
	Reverb       Reverb
	LogLevel     slog.Level
}

// Database says where everything is kept.
type Database struct {
	Connection string // as Laravel names it: sqlite, pgsql or mysql
	Path       string // of the SQLite file
	DSN        string // of the others, as their drivers want it
	IsEmbedded bool   // nobody asked for a database, so this one is for trying things
}

// Reverb says where the websocket server is, for us and for browsers.
type Reverb struct {
	ID, Key, Secret string // "" if they are not set
	Server          Address
	Browser         Address
	HasBrowser      bool // somebody has said what Browser is, by a name that begins with VITE_
	MaxRequestSize  int
	// Listen is where a server in this process is to listen.
	Listen Address
}

// Address is where something can be reached.
type Address struct {
	Host   string // "" for the page's own
	Port   int
	Scheme string // http or https
	Path   string // in front of everything else
}

// Folder is where the embedded database and what belongs to it are kept.
const Folder = "messaging-data"

// Load reads the settings.
func Load(environ []string, dotenv string) (Settings, error) {
	e, err := open(environ, dotenv)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{
		URL:      e.text("APP_URL", ""),
		Lifetime: time.Duration(e.number("SESSION_LIFETIME", 120, 1)) * time.Minute,
		Realtime: e.truth("MESSAGING_REALTIME", true), Broadcast: e.choice("BROADCAST_CONNECTION", "reverb", "log", "null"),
		Sync:         e.choice("QUEUE_CONNECTION", "redis", "sync") == "sync",
		PollInterval: time.Duration(e.number("MESSAGING_POLL_INTERVAL_MS", 3000, 250)) * time.Millisecond,
		Reverb:       e.reverb(),
		RedisURL:     e.redis(),
	}
	s.LogLevel = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError}[e.choice("LOG_LEVEL", "info", "debug", "warning", "error")]
	s.Key = e.key()
	s.Database = e.database()
	return s, e.err
}

// database reads DB_URL, or DB_CONNECTION and what goes with it.
func (e *env) database() Database {
	if raw := e.text("DB_URL", ""); raw != "" {
		return e.databaseURL(raw)
	}
	_, asked := e.lookup("DB_CONNECTION")
	connection := e.choice("DB_CONNECTION", "sqlite", "pgsql", "mysql", "mariadb")
	d := server{
		host: e.text("DB_HOST", "127.0.0.1"), name: e.text("DB_DATABASE", ""),
		user: e.text("DB_USERNAME", "root"), password: e.text("DB_PASSWORD", ""), sslMode: e.text("DB_SSLMODE", "prefer"),
	}
	switch connection {
	case "pgsql":
		d.port = e.number("DB_PORT", 5432, 1)
		e.require(d.name != "", "DB_DATABASE", "the name of the database")
		return Database{Connection: connection, DSN: d.postgres()}
	case "mysql", "mariadb":
		d.port = e.number("DB_PORT", 3306, 1)
		e.require(d.name != "", "DB_DATABASE", "the name of the database")
		return Database{Connection: "mysql", DSN: d.mysql()}
	}
	path := d.name
	if path == "" {
		path = filepath.Join(Folder, "messaging.sqlite")
	}
	return Database{Connection: "sqlite", Path: path, IsEmbedded: !asked && d.name == ""}
}

// reverb reads where the websocket server is. The names that begin with VITE_ are those which a Laravel app gives to
// its page.
func (e *env) reverb() Reverb {
	r := Reverb{
		ID: e.text("REVERB_APP_ID", ""), Key: e.text("REVERB_APP_KEY", ""), Secret: e.text("REVERB_APP_SECRET", ""),
		MaxRequestSize: e.number("REVERB_MAX_REQUEST_SIZE", 10_000, 2000),
		Listen:         Address{Host: e.text("REVERB_SERVER_HOST", ""), Port: e.number("REVERB_SERVER_PORT", 8080, 0), Scheme: "http", Path: e.text("REVERB_SERVER_PATH", "")},
	}
	r.Server = Address{Host: e.text("REVERB_HOST", ""), Scheme: "https", Path: r.Listen.Path}
	port := 443
	if r.Server.Host == "" { // Laravel has no default; ours is what "reverb-go start" does
		r.Server.Host, r.Server.Scheme, port = "127.0.0.1", "http", 8080
	}
	r.Server.Scheme = e.choice("REVERB_SCHEME", r.Server.Scheme, "http", "https")
	r.Server.Port = e.number("REVERB_PORT", port, 1)
	r.Browser = Address{
		Host: e.text("VITE_REVERB_HOST", pageHost(r.Server.Host)), Port: e.number("VITE_REVERB_PORT", r.Server.Port, 1),
		Scheme: e.choice("VITE_REVERB_SCHEME", r.Server.Scheme, "http", "https"), Path: r.Server.Path,
	}
	for _, name := range []string{"VITE_REVERB_HOST", "VITE_REVERB_PORT", "VITE_REVERB_SCHEME"} {
		_, ok := e.lookup(name)
		r.HasBrowser = r.HasBrowser || ok
	}
	return r
}

// pageHost is what a browser is told of a host: what is local to us is, for a browser, where the page comes from.
func pageHost(host string) string {
	switch host {
	case "localhost", "127.0.0.1", "::1", "0.0.0.0":
		return ""
	}
	return host
}

// HasApp reports whether an app of the websocket server is set.
func (r Reverb) HasApp() bool { return r.ID != "" && r.Key != "" && r.Secret != "" }

// Problem is what is wrong with the settings, and what helps.
func problem(sentence, hint string) *config.Problem {
	return &config.Problem{Sentence: sentence, Hint: hint}
}
