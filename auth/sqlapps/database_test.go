package sqlapps

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/internal/services"
)

func TestMain(m *testing.M) { services.Main(m) }

// onEach runs a test on an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	for _, kind := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"SQLite", func(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "apps 100%?.sqlite") }},
		{"PostgreSQL", func(t testing.TB) string { return services.Postgres(t).URL() }},
		{"MariaDB", func(t testing.TB) string { return services.MariaDB(t).URL() }},
	} {
		t.Run(kind.name, func(t *testing.T) { test(t, escaped(kind.url(t))) })
	}
}

// escaped writes what a path may hold and a URL may not.
func escaped(url string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", " ", "%20").Replace(url)
}

func openStore(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newStore returns a store with an empty table.
func newStore(t *testing.T, url string) *Store {
	t.Helper()
	s := openStore(t, url)
	for range 2 { // the second changes nothing
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func add(t *testing.T, s *Store, r Record) {
	t.Helper()
	if err := s.Add(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
}

// full is an app that has no setting's default.
func full() Record {
	return Record{
		App: auth.App{
			ID: "1", Key: "key-1", Secret: "sécret '\"\\-1", PreviousSecret: "secret-0", IsDisabled: true,
			AllowedOrigins: []string{"example.com", "*.éxample.com"}, PingInterval: 7 * time.Second, ActivityTimeout: 8 * time.Second,
			MaxConnections: 0, MaxConnectionsPerIP: 10, MaxMessageSize: 0, MaxMessages: 11, MaxSubscriptions: 12,
			ClientEvents: auth.ClientEventsNone, MaxClientEvents: 13, MaxClientEventSize: 21,
			RateLimit:    auth.RateLimit{Enabled: true, MaxAttempts: 14, Decay: 15 * time.Second, Terminate: true},
			MaxAPIEvents: 16, MaxAPIReads: 17, TimestampTolerance: 0, MaxMembers: 18, MaxMemberSize: 19,
			CountSubscriptions: true, AuthTimeout: 20 * time.Second, CacheTTL: time.Hour, Compression: auth.CompressionAuto,
		},
		PreviousSecretExpiresAt: time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func TestStoreRoundTrip(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		want := []Record{full(), row("2", "key-2", "secret-2")}
		for _, r := range want {
			add(t, s, r)
		}
		got, err := s.List(t.Context())
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %v, %v, want %d apps", got, err, len(want))
		}
		for i := range want {
			if age := time.Since(got[i].CreatedAt); age < -time.Second || age > time.Minute || !got[i].UpdatedAt.Equal(got[i].CreatedAt) {
				t.Errorf("created %s, updated %s", got[i].CreatedAt, got[i].UpdatedAt)
			}
			if !got[i].isSame(&want[i]) {
				t.Errorf("got  %s\nwant %s", fields(got[i].App), fields(want[i].App))
			}
		}
	})
}

// TestTableOfBefore adds to a table that lacks a column: an app that has the default there, and one that has not.
func TestTableOfBefore(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		if _, err := s.db.exec(t.Context(), "ALTER TABLE reverb_apps DROP COLUMN compression"); err != nil {
			t.Fatal(err)
		}
		add(t, s, row("2", "key-2", "secret-2"))
		if found, err := s.find(t.Context(), byID, "2"); err != nil || found == nil || found.Key != "key-2" {
			t.Errorf("got %v, %v", found, err)
		}
		r := full()
		if err := s.Add(t.Context(), &r); err == nil {
			t.Error("what cannot be stored was added")
		}
	})
}

// fields shows an app, secrets included, which it does not do by itself.
func fields(a auth.App) string {
	var b strings.Builder
	v := reflect.ValueOf(a)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			fmt.Fprintf(&b, "%s=%v ", f.Name, v.Field(i).Interface())
		}
	}
	return b.String()
}

// Nothing but the credentials is written when everything else has its default, so that a later default applies.
func TestStoreDefaultsAreNull(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		add(t, s, row("1", "key-1", "secret-1"))
		err := s.db.query(t.Context(), func(rows *sql.Rows) error {
			names, err := rows.Columns()
			if err != nil {
				return err
			}
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				return err
			}
			written := map[string]bool{"id": true, "key": true, "secret": true, "enabled": true, "created_at": true, "updated_at": true}
			for i, name := range names {
				if isNull := *values[i].(*any) == nil; isNull == written[name] {
					t.Errorf("%s: null is %t", name, isNull)
				}
			}
			if got, want := len(names), len(NewRecord().columns()); got != want {
				t.Errorf("the table has %d columns, want %d", got, want)
			}
			return nil
		}, "SELECT * FROM reverb_apps")
		if err != nil {
			t.Error(err)
		}
	})
}

func TestStoreAddRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		add(t, s, row("1", "key-1", "secret-1"))
		for _, taken := range []Record{row("1", "key-2", "s"), row("2", "key-1", "s")} {
			if err := s.Add(t.Context(), &taken); !errors.Is(err, ErrExists) {
				t.Errorf("%v: got %v, want %v", taken, err, ErrExists)
			}
		}
	})
	for _, tt := range []struct {
		r    Record
		want string
	}{
		{row("", "k", "s"), "its id"},
		{row("1", strings.Repeat("k", 101), "s"), "its key"},
		{row("1", "a\nb", "s"), "its key"},
		{row("1", "k", ""), "secret is empty"},
	} {
		if err := check(&tt.r); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

// Databases take Key-1 for key-1 under many collations, and some "key-1 " too.
func TestFindIsExact(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := openStore(t, url)
		if s.db.file != "" {
			newStore(t, url)
			mustExec(t, s, "DROP TABLE reverb_apps")
		}
		collation := map[string]string{"sqlite": "COLLATE NOCASE", "mysql": "COLLATE utf8mb4_general_ci"}[scheme(url)]
		mustExec(t, s, "CREATE TABLE reverb_apps (id VARCHAR(50) "+collation+" PRIMARY KEY, `key` VARCHAR(50) "+collation+", secret VARCHAR(50), note VARCHAR(50))")
		mustExec(t, s, "INSERT INTO reverb_apps VALUES ('a', 'key-1', 'secret-1', 'a column of the application')")
		source := NewSource(s, Options{})
		defer source.Close()
		for name, want := range map[string]bool{"key-1": true, "KEY-1": false, "key-1 ": false, "a": false} {
			a, err := source.ByKey(name)
			if err != nil || (a != nil) != want {
				t.Errorf("by key %q: got %v, %v, want found %t", name, a, err, want)
			}
		}
		a, err := source.ByID("a")
		if err != nil || a == nil || a.MaxConnections != -1 || a.PingInterval != time.Minute || a.IsDisabled {
			t.Errorf("got %v, %v, want an app with the defaults", a, err)
		}
		if a, err := source.ByID("A"); a != nil || err != nil {
			t.Errorf("by id in another case: got %v, %v", a, err)
		}
	})
}

func scheme(url string) string {
	name, _, _ := strings.Cut(url, ":")
	return name
}

func mustExec(t *testing.T, s *Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.db.exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestRotateKey(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		add(t, s, row("1", "key-1", "secret-1"))
		if err := s.RotateKey(t.Context(), "1", "secret-2", time.Hour); err != nil {
			t.Fatal(err)
		}
		r, err := s.find(t.Context(), byID, "1")
		if err != nil {
			t.Fatal(err)
		}
		left := time.Until(r.PreviousSecretExpiresAt)
		if r.Secret != "secret-2" || r.PreviousSecret != "secret-1" || left < 59*time.Minute || left > time.Hour || r.Key != "key-1" {
			t.Errorf("got %q, before %q for %s", r.Secret, r.PreviousSecret, left)
		}
		if err := s.RotateKey(t.Context(), "1", "secret-3", 0); err != nil {
			t.Fatal(err)
		}
		r, err = s.find(t.Context(), byID, "1")
		if err != nil || r.Secret != "secret-3" || r.PreviousSecret != "" || !r.PreviousSecretExpiresAt.IsZero() {
			t.Errorf("got %q, before %q, %v", r.Secret, r.PreviousSecret, err)
		}
		if err := s.RotateKey(t.Context(), "2", "secret", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want %v", err, ErrNotFound)
		}
	})
}

func TestSetEnabled(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		add(t, s, row("1", "key-1", "secret-1"))
		for _, want := range []bool{false, false, true} { // what changes nothing is no error
			if err := s.SetEnabled(t.Context(), "1", want); err != nil {
				t.Fatal(err)
			}
			if r, err := s.find(t.Context(), byKey, "key-1"); err != nil || r.IsDisabled == want {
				t.Errorf("got %v, disabled %t", err, r.IsDisabled)
			}
		}
		if err := s.SetEnabled(t.Context(), "2", true); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want %v", err, ErrNotFound)
		}
	})
}

func TestNoTable(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := openStore(t, url)
		if s.db.file != "" {
			if _, err := s.List(t.Context()); err == nil {
				t.Error("a file that is not there is no error")
			}
			if err := os.WriteFile(s.db.file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.List(t.Context()); !errors.Is(err, ErrNoTable) {
			t.Errorf("got %v, want %v", err, ErrNoTable)
		}
	})
}

// What is wrong in a column is said without what stands there.
func TestUnusableRows(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		add(t, s, row("1", "key-1", "secret-1"))
		source := NewSource(s, Options{})
		defer source.Close()
		for _, tt := range []struct{ set, want string }{
			{"allowed_origins = '{\"a\": 1}'", "allowed_origins"},
			{"allowed_origins = NULL, accept_client_events_from = 'nobody'", "accept_client_events_from"},
			{"accept_client_events_from = NULL, ping_interval = 0", "ping_interval"},
			{"ping_interval = NULL, secret = ''", "secret"},
		} {
			mustExec(t, s, "UPDATE reverb_apps SET "+tt.set)
			source.Expire()
			_, err := source.ByKey("key-1")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret-1") {
				t.Errorf("%s: got %v", tt.set, err)
			}
		}
		mustExec(t, s, "UPDATE reverb_apps SET secret = 'secret-2'")
		source.Expire()
		if a, err := source.ByKey("key-1"); err != nil || a.Secret != "secret-2" {
			t.Errorf("got %v, %v", a, err)
		}
	})
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apps.sqlite")
	newStore(t, "sqlite://"+path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file of mode 600", info, err)
	}
}
