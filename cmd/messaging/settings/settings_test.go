package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func load(t *testing.T, environ ...string) (Settings, error) {
	t.Helper()
	t.Chdir(t.TempDir()) // where no .env is
	return Load(environ, "")
}

func TestDefaults(t *testing.T) {
	s, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	if s.Database != (Database{Connection: "sqlite", Path: filepath.Join(Folder, "messaging.sqlite"), IsEmbedded: true}) {
		t.Errorf("database: got %+v", s.Database)
	}
	if s.RedisURL != "" || s.Key != nil || !s.Realtime || s.Sync || s.Broadcast != "reverb" || s.Lifetime != 2*time.Hour {
		t.Errorf("got %+v", s)
	}
	if want := (Address{Host: "127.0.0.1", Port: 8080, Scheme: "http"}); s.Reverb.Server != want {
		t.Errorf("server: got %+v, want %+v", s.Reverb.Server, want)
	}
	if want := (Address{Port: 8080, Scheme: "http"}); s.Reverb.Browser != want || s.Reverb.HasApp() {
		t.Errorf("browser: got %+v, want %+v", s.Reverb.Browser, want)
	}
}

func TestDatabase(t *testing.T) {
	for _, tt := range []struct {
		environ string
		want    Database
	}{
		{"DB_CONNECTION=pgsql DB_DATABASE=nova DB_USERNAME=u DB_PASSWORD=p@ss/w", Database{Connection: "pgsql", DSN: "postgres://u:p%40ss%2Fw@127.0.0.1:5432/nova?sslmode=prefer"}},
		{"DB_CONNECTION=pgsql DB_HOST=db DB_PORT=6000 DB_DATABASE=nova DB_USERNAME=u DB_SSLMODE=require", Database{Connection: "pgsql", DSN: "postgres://u@db:6000/nova?sslmode=require"}},
		{"DB_URL=postgres://u:p@db/nova", Database{Connection: "pgsql", DSN: "postgres://u:p@db:5432/nova?sslmode=prefer"}},
		{"DB_CONNECTION=mariadb DB_DATABASE=nova DB_PASSWORD=p", Database{Connection: "mysql", DSN: "root:p@tcp(127.0.0.1:3306)/nova?parseTime=true&charset=utf8mb4&time_zone=%27%2B00%3A00%27"}},
		{"DB_URL=mysql://u:p@db:3307/nova", Database{Connection: "mysql", DSN: "u:p@tcp(db:3307)/nova?parseTime=true&charset=utf8mb4&time_zone=%27%2B00%3A00%27"}},
		{"DB_URL=sqlite:///var/lib/m.sqlite", Database{Connection: "sqlite", Path: "/var/lib/m.sqlite"}},
		{"DB_CONNECTION=sqlite", Database{Connection: "sqlite", Path: filepath.Join(Folder, "messaging.sqlite")}},
	} {
		s, err := load(t, strings.Fields(tt.environ)...)
		if err != nil || s.Database != tt.want {
			t.Errorf("%s:\ngot  %+v %v\nwant %+v", tt.environ, s.Database, err, tt.want)
		}
	}
}

func TestRedis(t *testing.T) {
	for environ, want := range map[string]string{
		"REDIS_HOST=127.0.0.1":                                          "redis://127.0.0.1:6379/0",
		"REDIS_HOST=127.0.0.1 REDIS_PASSWORD=null REDIS_DB=2":           "redis://127.0.0.1:6379/2",
		"REDIS_HOST=r REDIS_PORT=1 REDIS_PASSWORD=p@ss":                 "redis://:p%40ss@r:1/0",
		"REDIS_HOST=tls://r REDIS_USERNAME=u REDIS_PASSWORD=p":          "rediss://u:p@r:6379/0",
		"REDIS_HOST=r REDIS_URL=redis://other:7000/3":                   "redis://other:7000/3",
		"REDIS_HOST=r REDIS_SCHEME=tls REDIS_USERNAME= REDIS_PASSWORD=": "rediss://r:6379/0",
	} {
		s, err := load(t, strings.Fields(environ)...)
		if err != nil || s.RedisURL != want {
			t.Errorf("%s: got %s %v, want %s", environ, s.RedisURL, err, want)
		}
	}
}

func TestReverb(t *testing.T) {
	for _, tt := range []struct {
		environ         string
		server, browser Address
	}{
		{"REVERB_HOST=ws.example.org", Address{"ws.example.org", 443, "https", ""}, Address{"ws.example.org", 443, "https", ""}},
		{"REVERB_HOST=localhost REVERB_PORT=8080 REVERB_SCHEME=http", Address{"localhost", 8080, "http", ""}, Address{"", 8080, "http", ""}},
		{"REVERB_HOST=127.0.0.1 REVERB_PORT=8080 REVERB_SCHEME=http VITE_REVERB_HOST=example.org VITE_REVERB_PORT=443 VITE_REVERB_SCHEME=https REVERB_SERVER_PATH=/ws",
			Address{"127.0.0.1", 8080, "http", "/ws"}, Address{"example.org", 443, "https", "/ws"}},
	} {
		s, err := load(t, strings.Fields(tt.environ)...)
		if err != nil || s.Reverb.Server != tt.server || s.Reverb.Browser != tt.browser {
			t.Errorf("%s:\ngot  %+v %+v %v\nwant %+v %+v", tt.environ, s.Reverb.Server, s.Reverb.Browser, err, tt.server, tt.browser)
		}
	}
}

// The environment wins over .env, and words mean what they mean to PHP.
func TestEnvFile(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "APP_URL=https://example.org\nBROADCAST_CONNECTION=null\nMESSAGING_REALTIME=(false)\nQUEUE_CONNECTION=sync\nREVERB_APP_KEY=\"from ${APP_URL}\"\n"
	if err := os.WriteFile(".env", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load([]string{"QUEUE_CONNECTION=redis"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "https://example.org" || s.Broadcast != "null" || s.Realtime || s.Sync || s.Reverb.Key != "from https://example.org" {
		t.Errorf("got %+v", s)
	}
}

func TestProblems(t *testing.T) {
	for environ, want := range map[string]string{
		"DB_CONNECTION=oracle":               `DB_CONNECTION is "oracle"`,
		"DB_CONNECTION=pgsql":                "DB_DATABASE is not set",
		"DB_URL=oracle://x":                  "DB_URL begins with oracle://",
		"DB_URL=:secret":                     "DB_URL is no URL",
		"SESSION_LIFETIME=soon":              `SESSION_LIFETIME is "soon"`,
		"MESSAGING_REALTIME=perhaps":         `MESSAGING_REALTIME is "perhaps"`,
		"QUEUE_CONNECTION=database":          `QUEUE_CONNECTION is "database"`,
		"APP_KEY=short":                      "APP_KEY is too short, or no base64",
		"APP_KEY=base64:!!!!!!!!!!!!!!!!!!!": "APP_KEY is too short, or no base64",
	} {
		_, err := load(t, environ)
		var problem *config.Problem
		if !errors.As(err, &problem) || problem.Sentence != want || problem.Hint == "" {
			t.Errorf("%s: got %v, want %q and a hint", environ, err, want)
		}
	}
}
