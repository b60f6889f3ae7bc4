package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// Every query that the app makes is explained by the database, which must find what it asks for by an index
// and must not sort more than it returns.
func TestPlans(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		fillUp(t, f)
		explain := explainers[f.dialect.name]
		for _, q := range queriesOfEverything(f) {
			plan, bad := explain(f, q)
			if bad != "" {
				t.Errorf("%s: %s\n%s", strings.Join(strings.Fields(q.text), " "), bad, plan)
			}
		}
	})
}

type observed struct {
	text string
	args []any
}

// queriesOfEverything calls every method that reads and returns the queries it made.
func queriesOfEverything(f *fixture) []observed {
	var mu sync.Mutex
	var list []observed
	seen := map[string]bool{}
	f.observe = func(query string, args []any) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(query, "SELECT") && !seen[query] {
			seen[query] = true
			list = append(list, observed{query, args})
		}
	}
	readEverything(f)
	f.observe = nil
	return list
}

func readEverything(f *fixture) {
	ctx, now, user := f.ctx, f.now, f.id(0)
	list, _, err := f.Conversations(ctx, user, 20, 0)
	f.check(err)
	c, last := list[0].ID, list[0].LastMessageID
	hash := strings.Repeat("a", 64)
	for _, ask := range []func() error{
		func() error { _, err := f.User(ctx, user); return err },
		func() error { _, err := f.UserByUsername(ctx, "alice.e"); return err },
		func() error { _, err := f.SearchUsers(ctx, user, "b", 20); return err },
		func() error { f.Session(ctx, domain.CookieSession, hash, now, time.Minute); return nil },
		func() error { _, err := f.Conversation(ctx, user, c); return err },
		func() error { _, err := f.Participants(ctx, user, c); return err },
		func() error { _, err := f.UnreadTotal(ctx, user); return err },
		func() error { _, _, err := f.History(ctx, user, c, last, 50); return err },
		func() error {
			_, err := f.Delta(ctx, domain.DeltaQuery{ConversationID: c, UserID: user, AfterMessage: last - 50, Limit: 100})
			return err
		},
		func() error {
			sent, err := f.Send(ctx, domain.NewMessage{ConversationID: c, SenderID: user, Body: "x", ClientTempID: "t", UUID: newUUID(), At: now})
			last = sent.Message.ID
			return err
		},
		func() error {
			_, _, _, err := f.MarkRead(ctx, domain.Read{ConversationID: c, UserID: user, MessageID: last, At: now})
			return err
		},
		func() error { _, err := f.Unreached(ctx, c, last); return err },
		func() error { _, _, err := f.Notifications(ctx, user, 20, 0); return err },
		func() error { f.Notification(ctx, user, newUUID()); return nil },
		func() error { _, err := f.UnreadNotifications(ctx, user); return err },
		func() error { _, err := f.LostJobs(ctx, "", now.Add(-time.Hour), now.Add(-time.Hour), 100); return err },
		func() error { _, _, err := f.HasJob(ctx, newUUID()); return err },
		func() error { _, err := f.WaitingJobs(ctx); return err },
		func() error { _, _, err := f.FailedJobs(ctx, "", 20, 0); return err },
		func() error { _, _, err := f.FailedJobs(ctx, domain.QueueBroadcasts, 20, 0); return err },
		func() error { _, err := f.CountFailedJobs(ctx, domain.QueueBroadcasts); return err },
		func() error { f.RetryJob(ctx, newUUID()); return nil },
		func() error { _, err := f.SnapshotsSince(ctx, now.Add(195*time.Minute)); return err },
		func() error {
			_, _, _, err := f.CreateConversation(ctx, domain.NewConversation{CreatedBy: user, Others: []int64{f.id(1)}, At: now})
			return err
		},
	} {
		f.check(ask())
	}
}

// fillUp makes tables large enough for a planner to prefer an index.
func fillUp(t testing.TB, f *fixture) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var users []domain.User
	for i := range 500 {
		users = append(users, domain.User{Name: fmt.Sprint("User ", i), Username: fmt.Sprint("user", i), AvatarURL: "/a.svg", CreatedAt: f.now})
	}
	users, err := f.AddUsers(f.ctx, users)
	f.check(err)
	for i := range 200 {
		other := users[i]
		id, _, _, err := f.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: f.id(i % 4), Others: []int64{other.ID}, At: f.now})
		f.check(err)
		var lines []Line
		for n := range 20 + random.IntN(30) {
			lines = append(lines, Line{Sender: other.ID, Body: "x", UUID: newUUID(), At: f.now.Add(time.Duration(n) * time.Second)})
		}
		f.check(f.AddHistory(f.ctx, id, lines, map[int64]int{f.id(i % 4): i % 3}))
	}
	busy := f.conversation("busy", 0, 1, 2, 3)
	var lines []Line
	for n := range 5000 {
		lines = append(lines, Line{Sender: f.id(n % 4), Body: "x", UUID: newUUID(), At: f.now.Add(time.Hour)})
	}
	f.check(f.AddHistory(f.ctx, busy, lines, nil))
	_, err = f.exec(f.ctx, "UPDATE messages SET change_id = id WHERE conversation_id = ? AND id % 5 = 0", busy)
	f.check(err)
	_, err = f.exec(f.ctx, "UPDATE conversations SET change_seq = last_message_id WHERE id = ?", busy)
	f.check(err)
	for i := range 200 {
		_, err := f.Notify(f.ctx, []domain.Notification{{ID: uuid.NewString(), UserID: f.id(i % 4), Type: "t", Data: []byte("{}"), CreatedAt: f.now}})
		f.check(err)
		f.check(f.AddSnapshots(f.ctx, []domain.Snapshot{{Queue: "default", At: f.now.Add(time.Duration(i) * time.Minute)}}))
	}
	_, err = f.exec(f.ctx, "UPDATE outbox SET started_at = created_at, failed_at = created_at WHERE id IN (SELECT id FROM (SELECT id FROM outbox ORDER BY id LIMIT 40) first_jobs)")
	f.check(err)
	analyze := map[string]string{"sqlite": "ANALYZE", "pgsql": "ANALYZE", "mysql": "ANALYZE TABLE users, conversations, conversation_participants, messages, notifications, outbox, queue_snapshots"}
	f.check(each(f, analyze[f.dialect.name], nil, func(scanner) error { return nil }))
}

// each runs a query on one connection, which is then given up, and calls see for each row.
func each(f *fixture, query string, args []any, see func(scanner) error, before ...string) error {
	c, err := f.db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	for _, b := range before {
		if _, err := c.ExecContext(f.ctx, b); err != nil {
			return err
		}
	}
	rows, err := c.QueryContext(f.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := see(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

var explainers = map[string]func(*fixture, observed) (plan, bad string){
	"sqlite": explainSQLite, "pgsql": explainPostgres, "mysql": explainMySQL,
}

// sortsFew matches queries that may sort, since all they sort they return: participants, of whom there are few, the page that
// an inner query has cut, or all snapshots of a time.
var sortsFew = regexp.MustCompile(`ORDER BY (p\.(conversation_id, p\.)?)?user_id|ORDER BY p\.activity_at DESC, p\.conversation_id DESC$|ORDER BY at$`)

// stopsSoon matches queries that read a table from its start and no further than a limit.
var stopsSoon = regexp.MustCompile(`FROM (outbox|users)(\s+WHERE failed_at IS NULL)? ORDER BY id LIMIT`)

func explainSQLite(f *fixture, q observed) (plan, bad string) {
	f.check(each(f, "EXPLAIN QUERY PLAN "+q.text, q.args, func(row scanner) error {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		plan += detail + "\n"
		switch {
		case strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "USING") && !isDerived(detail) && !stopsSoon.MatchString(q.text):
			bad = "reads a whole table"
		case strings.Contains(detail, "TEMP B-TREE FOR ORDER BY") && !sortsFew.MatchString(q.text):
			bad = "sorts"
		}
		return err
	}))
	return plan, bad
}

// isDerived reports whether a scan is of an inner query's few rows.
func isDerived(detail string) bool {
	switch strings.TrimPrefix(detail, "SCAN ") {
	case "p", "unread", "failed", "waiting", "first_user", "(subquery-1)", "CONSTANT ROW":
		return true
	}
	return false
}

func explainPostgres(f *fixture, q observed) (plan, bad string) {
	f.check(each(f, "EXPLAIN "+q.text, q.args, func(row scanner) error {
		var line string
		err := row.Scan(&line)
		plan += line + "\n"
		return err
	}, "SET enable_seqscan = off", "SET enable_mergejoin = off", "SET enable_hashjoin = off"))
	switch {
	case strings.Contains(plan, "Seq Scan"):
		bad = "reads a whole table"
	case strings.Contains(plan, "Sort Key") && !sortsFew.MatchString(q.text):
		bad = "sorts"
	}
	return plan, bad
}

func explainMySQL(f *fixture, q observed) (plan, bad string) {
	f.check(each(f, "EXPLAIN "+q.text, q.args, func(row scanner) error {
		cells := make([]*string, 10)
		dest := make([]any, len(cells))
		for i := range cells {
			dest[i] = &cells[i]
		}
		err := row.Scan(dest...)
		for _, c := range cells {
			if c == nil {
				plan += "- "
			} else {
				plan += *c + " "
			}
		}
		plan += "\n"
		table, access, extra := deref(cells[2]), deref(cells[3]), deref(cells[9])
		switch {
		case access == "ALL" && !strings.HasPrefix(table, "<derived"):
			bad = "reads a whole table"
		case strings.Contains(extra, "filesort") && !sortsFew.MatchString(q.text):
			bad = "sorts"
		}
		return err
	}))
	return plan, bad
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
