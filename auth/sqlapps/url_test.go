package sqlapps

import (
	"os"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"postgres://u:p@db:5433/apps?sslmode=disable", ""},
		{"postgresql://db/apps", ""},
		{"pgsql://u:p@db/apps?search_path=public", ""},
		{"mysql://u:p@db/apps", ""},
		{"mariadb://u:p@db:3307/apps?charset=utf8mb4&collation=utf8mb4_bin&tls=true", ""},
		{"mysql://u@/apps?unix_socket=/run/mysqld/mysqld.sock", ""},
		{"sqlite:///var/lib/apps.sqlite", ""},
		{"sqlite:database/database.sqlite", ""},
		{"sqlite://database/database.sqlite", ""},

		{"", "starts with postgres://"},
		{"db.example.com", "starts with postgres://"},
		{"redis://db", "starts with postgres://"},
		{"mysql://u:p%zz@db/apps", "special characters"},
		{"postgres://db:port/apps", "special characters"},
		{"postgres://db/apps?sslmode=perhaps", "sslmode=require"},
		{"mysql://db/apps?parseTime=perhaps", "option"},
		{"sqlite://", "no file"},
		{"sqlite::memory:", "no file"},
		{"sqlite://:memory:", "no file"},
	} {
		s, err := Open(tt.url)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.url, err)
				continue
			}
			s.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "; hint: ") {
			t.Errorf("%s: got %v, want %q and a hint", tt.url, err, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct{ column, text, want string }{
		{"max_connections", "100", "100"},
		{"max_connections", "many", "error"},
		{"ping_interval", "90", "1m30s"},
		{"ping_interval", "2m", "2m0s"},
		{"ping_interval", "1500ms", "error"},
		{"ping_interval", "soon", "error"},
		{"subscription_count", "true", "true"},
		{"subscription_count", "yes", "error"},
		{"allowed_origins", " example.com, *.example.com,", "example.com,*.example.com"},
		{"allowed_origins", ",", "error"},
		{"accept_client_events_from", "all", "all"},
		{"accept_client_events_from", "some", "error"},
		{"compression", "auto", "auto"},
		{"compression", "on", "error"},
	} {
		for _, s := range NewRecord().Settings() {
			if s.Column != tt.column {
				continue
			}
			got := "error"
			if err := s.Value.Set(tt.text); err == nil {
				got = s.Value.String()
			}
			if got != tt.want {
				t.Errorf("%s %q: got %s, want %s", tt.column, tt.text, got, tt.want)
			}
		}
	}
}

// The documentation shows the tables as they are made.
func TestDocumentedSchemas(t *testing.T) {
	docs, err := os.ReadFile("../../docs/apps.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{postgresSchema, mysqlSchema, sqliteSchema} {
		if !strings.Contains(string(docs), "```sql\n"+schema+"```\n") {
			t.Errorf("docs/apps.md does not contain:\n%s", schema)
		}
	}
	for _, s := range NewRecord().Settings() {
		if !strings.Contains(string(docs), "| `"+s.Column+"` |") {
			t.Errorf("docs/apps.md does not explain %s", s.Column)
		}
	}
}
