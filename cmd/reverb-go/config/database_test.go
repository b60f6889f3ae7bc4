package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAppTable(t *testing.T) {
	const cache = "bootstrap/cache/config.php"
	cached := `<?php return array('reverb' => array('apps' => array('provider' => 'config', 'apps' => array())), 'database' => array(
		'default' => 'pgsql', 'connections' => array('pgsql' => array('driver' => 'pgsql', 'url' => NULL, 'host' => 'db.internal', 'port' => '5433',
		'database' => 'app', 'username' => 'laravel', 'password' => 'p@ss/word', 'charset' => 'utf8'))));`
	for _, tt := range []struct {
		name    string
		files   map[string]string
		sources Sources
		want    string
	}{
		{"flag", nil, Sources{Flags: map[string]string{"apps-dsn": "sqlite:a"}, Environ: []string{"REVERB_GO_APPS_DSN=sqlite:b"}}, "sqlite:a"},
		{"variable", map[string]string{".env": "REVERB_GO_APPS_DSN=sqlite:b\nDB_CONNECTION=mysql\n"}, Sources{}, "sqlite:b"},
		{"file", map[string]string{"reverb.yaml": "apps:\n  dsn: sqlite:c\n"}, Sources{File: "reverb.yaml"}, "sqlite:c"},
		{"Laravel's URL", map[string]string{".env": "DB_CONNECTION=mysql\nDB_URL=pgsql://u:p@h/d\n"}, Sources{}, "pgsql://u:p@h/d"},
		{
			"Laravel's MySQL", map[string]string{".env": "DB_CONNECTION=mariadb\nDB_HOST=::1\nDB_DATABASE=app\nDB_USERNAME=root\nDB_PASSWORD=\"p@ss/word\"\n"},
			Sources{}, "mysql://root:p%40ss%2Fword@[::1]:3306/app",
		},
		{
			"Laravel's MySQL on a socket", map[string]string{".env": "DB_CONNECTION=mysql\nDB_DATABASE=app\nDB_SOCKET=/run/mysqld.sock\n"},
			Sources{}, "mysql://127.0.0.1:3306/app?unix_socket=%2Frun%2Fmysqld.sock",
		},
		{"Laravel's cached PostgreSQL", map[string]string{cache: cached, ".env": "DB_CONNECTION=sqlite\n"}, Sources{}, "postgres://laravel:p%40ss%2Fword@db.internal:5433/app"},
		{"Laravel's SQLite", map[string]string{".env": "DB_CONNECTION=sqlite\n"}, Sources{}, "sqlite:database/database.sqlite"},
		{"Laravel's SQLite elsewhere", map[string]string{"app/.env": "DB_CONNECTION=sqlite\n"}, Sources{Laravel: "app"}, "sqlite:app/database/database.sqlite"},
		{"Laravel's SQLite file", map[string]string{".env": "DB_CONNECTION=sqlite\nDB_DATABASE=\"/srv/my app.sqlite\"\n"}, Sources{}, "sqlite:/srv/my%20app.sqlite"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.files == nil {
				tt.files = map[string]string{}
			}
			place(t, tt.files)
			c := mustLoad(t, tt.sources)
			got, err := c.AppTable.DatabaseURL()
			if got != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if c.AppTable.Provider != AppsFromConfig || c.AppTable.TTL != 30*time.Second {
				t.Errorf("got %s, %s", c.AppTable.Provider, c.AppTable.TTL)
			}
			for _, s := range c.Settings {
				if v, _ := s.Value.(string); strings.Contains(v, "p@ss") || s.Name == "apps.dsn" && v != "" && v != "••••" {
					t.Errorf("%s shows %q", s.Name, v)
				}
			}
		})
	}
}

func TestAppTableErrors(t *testing.T) {
	for name, want := range map[string]string{"": "no database of apps is named", "sqlsrv": "not supported: sqlsrv"} {
		_, err := AppTable{Laravel: Database{Driver: name}}.DatabaseURL()
		var p *Problem
		if !errors.As(err, &p) || !strings.Contains(p.Sentence, want) || p.Hint == "" {
			t.Errorf("%q: got %v, want %q and a hint", name, err, want)
		}
	}
	place(t, map[string]string{})
	_, err := Load(Sources{Environ: []string{"REVERB_GO_APPS_PROVIDER=database"}})
	if err == nil || !strings.Contains(err.Error(), `apps.provider is "database"`) {
		t.Errorf("got %v", err)
	}
}

// A provider of the application's own hides nothing that reverb-go can do.
func TestAppProvider(t *testing.T) {
	const cache = "bootstrap/cache/config.php"
	place(t, map[string]string{cache: `<?php return array('reverb' => array('apps' => array('provider' => 'App\\Apps')));`})
	c := mustLoad(t, Sources{})
	if c.AppTable.Provider != AppsFromConfig || len(c.Warnings) == 0 {
		t.Errorf("got %q, warnings %v", c.AppTable.Provider, c.Warnings)
	}
	c = mustLoad(t, Sources{Environ: []string{"REVERB_GO_APPS_PROVIDER=sql"}})
	wantSetting(t, c, "apps.provider", "sql", "environment REVERB_GO_APPS_PROVIDER")
}
