package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/internal/services"
)

func TestMain(m *testing.M) { services.Main(m) }

var databases = []struct {
	name string
	dsn  func(testing.TB) string
}{
	{"sqlite", func(t testing.TB) string { return SQLite(filepath.Join(t.TempDir(), "messaging.sqlite")) }},
	{"pgsql", func(t testing.TB) string { return services.Postgres(t).DSN() }},
	{"mysql", func(t testing.TB) string { return services.MariaDB(t).DSN() }},
}

// onEach runs a test on a new database of each kind.
func onEach(t *testing.T, test func(*testing.T, *fixture)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { test(t, newFixture(t, d.name, d.dsn(t))) })
	}
}

// fixture is a database with users. Time stands still unless a test moves it.
type fixture struct {
	*Store
	t     testing.TB
	ctx   context.Context
	now   time.Time
	users []domain.User // alice, bob, carol, dave
}

func newFixture(t testing.TB, name, dsn string) *fixture {
	t.Helper()
	s, err := Open(t.Context(), name, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := &fixture{Store: s, t: t, ctx: t.Context(), now: time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)}
	var users []domain.User
	for _, name := range []string{"Alice", "Bob", "Carol", "Dave"} {
		users = append(users, domain.User{Name: name + " Émile", Username: fmt.Sprintf("%s.e", string(name[0]|0x20)+name[1:]), AvatarURL: "/a.svg", PasswordHash: "hash", CreatedAt: f.now})
	}
	if f.users, err = s.AddUsers(f.ctx, users); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) id(n int) int64 { return f.users[n].ID }

// check ends the test on an error.
func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) conversation(title string, owner int, others ...int) int64 {
	f.t.Helper()
	n := domain.NewConversation{CreatedBy: f.id(owner), Title: title, At: f.now}
	for _, o := range others {
		n.Others = append(n.Others, f.id(o))
	}
	id, _, _, err := f.CreateConversation(f.ctx, n)
	f.check(err)
	return id
}

func (f *fixture) send(conversation int64, sender int, body string) domain.Message {
	f.t.Helper()
	f.now = f.now.Add(time.Second)
	sent, err := f.Send(f.ctx, domain.NewMessage{ConversationID: conversation, SenderID: f.id(sender), Body: body, At: f.now})
	f.check(err)
	return sent.Message
}

func (f *fixture) change(m domain.Message, body string) domain.Message {
	f.t.Helper()
	f.now = f.now.Add(time.Second)
	got, _, err := f.Change(f.ctx, domain.Change{ConversationID: m.ConversationID, MessageID: m.ID, UserID: m.Sender.ID, Body: body, At: f.now})
	f.check(err)
	return got
}

func (f *fixture) read(conversation int64, user int, message int64) (domain.ReadMarker, int, []domain.Job) {
	f.t.Helper()
	marker, unread, jobs, err := f.MarkRead(f.ctx, domain.Read{ConversationID: conversation, UserID: f.id(user), MessageID: message, At: f.now})
	f.check(err)
	return marker, unread, jobs
}

func (f *fixture) unreadTotal(user int) int {
	f.t.Helper()
	n, err := f.UnreadTotal(f.ctx, f.id(user))
	f.check(err)
	return n
}

// count is for what has no method since nothing but tests asks.
func (f *fixture) count(query string, args ...any) int {
	f.t.Helper()
	n, err := one(f.ctx, f.conn, scanValue[int], query, args...)
	f.check(err)
	return n
}

func wantEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantError(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func wantInvalid(t testing.TB, what string, err error, field string) {
	t.Helper()
	var invalid *domain.Invalid
	if !errors.As(err, &invalid) || invalid.Field != field {
		t.Errorf("%s: got error %v, want one about %s", what, err, field)
	}
}

func kinds(jobs []domain.Job) string {
	counts := map[domain.JobKind]int{}
	for _, j := range jobs {
		counts[j.Kind]++
	}
	return fmt.Sprint(counts)
}

func newUUID() string { return uuid.Must(uuid.NewV7()).String() }
