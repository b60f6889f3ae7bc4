package jobs

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime/realtimetest"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
	"github.com/reverb-go/reverb-go/internal/services"
)

// fixture is an app without its HTTP side: a database with alice, bob and carol, a Redis, and what publishes.
type fixture struct {
	t      testing.TB
	ctx    context.Context
	dsn    string
	store  *store.Store
	client redis.UniversalClient
	redis  *ephemeral.Redis
	heard  *realtimetest.Server
	queue  *Queue
	runner *Runner
	users  []domain.User
	room   int64 // of all three
}

var discard = slog.New(slog.DiscardHandler)

// newFixture uses the Redis at a URL, or an embedded one.
func newFixture(t testing.TB, url string) *fixture {
	t.Helper()
	f := &fixture{t: t, ctx: t.Context(), dsn: store.SQLite(filepath.Join(t.TempDir(), "db")), heard: &realtimetest.Server{}}
	if url == "" {
		embedded, err := ephemeral.Embed()
		f.check(err)
		t.Cleanup(embedded.Close)
		url = embedded.URL()
	}
	f.open(url)
	_, err := f.store.Migrate(f.ctx)
	f.check(err)
	var users []domain.User
	for _, name := range []string{"Alice", "Bob", "Carol", "Mallory"} {
		users = append(users, domain.User{Name: name, Username: strings.ToLower(name), AvatarURL: "/a.svg", CreatedAt: time.Now()})
	}
	f.users, err = f.store.AddUsers(f.ctx, users)
	f.check(err)
	f.room, _, _, err = f.store.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: f.id(0), Others: []int64{f.id(1), f.id(2)}, Title: "room", At: time.Now()})
	f.check(err)
	f.clearOutbox()
	return f
}

func (f *fixture) open(url string) {
	f.t.Helper()
	var err error
	f.store, err = store.Open(f.ctx, "sqlite", f.dsn)
	f.check(err)
	f.t.Cleanup(func() { f.store.Close() })
	f.client, err = ephemeral.Dial(url)
	f.check(err)
	f.t.Cleanup(func() { f.client.Close() })
	f.redis = ephemeral.New(f.client, time.Now)
	f.queue = NewQueue(f.client, discard)
	f.queue.Start()
	f.t.Cleanup(f.queue.Stop)
	f.runner = &Runner{Store: f.store, Publisher: f.heard, Presence: f.redis, Queue: f.queue, Now: time.Now}
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) id(n int) int64 { return f.users[n].ID }

// clearOutbox forgets what the preparation wanted to tell.
func (f *fixture) clearOutbox() {
	f.t.Helper()
	for _, j := range f.lost() {
		f.check(f.store.FinishJob(f.ctx, j.ID))
	}
}

func (f *fixture) lost() []domain.Job {
	f.t.Helper()
	jobs, err := f.store.LostJobs(f.ctx, "", time.Now().Add(time.Hour), time.Time{}, 10_000)
	f.check(err)
	return jobs
}

// send stores a message and returns the jobs, which are not queued.
func (f *fixture) send(sender int, body string) (domain.Message, []domain.Job) {
	f.t.Helper()
	sent, err := f.store.Send(f.ctx, domain.NewMessage{ConversationID: f.room, SenderID: f.id(sender), Body: body, At: time.Now()})
	f.check(err)
	return sent.Message, sent.Jobs
}

// work starts workers for all queues.
func (f *fixture) work() *Horizon {
	f.t.Helper()
	h := NewHorizon(HorizonConfig{Store: f.store, Redis: f.client, Enqueue: f.queue.Enqueue, Now: time.Now})
	w, err := NewWorker(WorkerConfig{Redis: f.client, Runner: f.runner, Horizon: h, Queues: domain.Queues, Concurrency: 4, Tries: 1, Log: discard})
	f.check(err)
	f.check(w.Start())
	f.t.Cleanup(w.Stop)
	return h
}

func (f *fixture) sweep(later time.Duration) int {
	f.t.Helper()
	n, err := (&Sweeper{Store: f.store, Queue: f.queue, Log: discard}).Sweep(f.ctx, time.Now().Add(later))
	f.check(err)
	return n
}

// runAll runs jobs here and now, in their order.
func (f *fixture) runAll(jobs []domain.Job) {
	f.t.Helper()
	for _, j := range jobs {
		f.check(f.runner.Run(f.ctx, j))
	}
}

// settle waits until all jobs have run. On a busy machine Redis may be too slow for some to be queued at once, which is what
// sweeping is for.
func (f *fixture) settle() {
	f.t.Helper()
	eventually(f.t, "all jobs have run", func() bool {
		f.sweep(sweepAge + time.Second)
		return f.waiting() == 0
	})
}

func (f *fixture) waiting() int64 {
	f.t.Helper()
	n, err := f.store.WaitingJobs(f.ctx)
	f.check(err)
	return n
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("it never came true that ", what)
		}
	}
}

// count returns how many events of a name, or of any for "", were heard on a channel.
func (f *fixture) count(channel, name string) int {
	n := 0
	for _, e := range f.heard.Events() {
		if e.Channel == channel && (name == "" || e.Name == name) {
			n++
		}
	}
	return n
}

// messages returns how often each message.created was heard.
func (f *fixture) messages() map[int64]int {
	ids := map[int64]int{}
	for _, e := range f.heard.Events() {
		if e.Name == api.MessageCreated {
			ids[e.Payload.(api.Message).ID]++
		}
	}
	return ids
}

func (f *fixture) wantNotifications(user, want int) {
	f.t.Helper()
	list, _, err := f.store.Notifications(f.ctx, f.id(user), 100, 0)
	f.check(err)
	if len(list) != want {
		f.t.Errorf("%s has %d notifications, want %d", f.users[user].Name, len(list), want)
	}
}

func TestMain(m *testing.M) {
	if isWorkerProcess() {
		return
	}
	ephemeral.LogTo(discard) // servers are killed here
	services.Main(m)
}

func TestSendIsTold(t *testing.T) {
	f := newFixture(t, "")
	f.work()
	m, jobs := f.send(0, "hello")
	f.queue.Dispatch(jobs)
	f.settle()
	room := realtime.ConversationChannel(f.room)
	if n := f.messages()[m.ID]; n != 1 {
		t.Errorf("message.created was heard %d times, want once", n)
	}
	if n := f.count(room, ""); n != 1 {
		t.Errorf("the room heard %d events, want 1", n)
	}
	for _, user := range []int{0, 1, 2} {
		if n := f.count(realtime.UserChannel(f.id(user)), api.ConversationUpdatedEvent); n != 1 {
			t.Errorf("%s heard %d summaries, want 1", f.users[user].Name, n)
		}
	}
	if n := f.count(realtime.UserChannel(f.id(3)), ""); n != 0 {
		t.Errorf("a stranger heard %d events", n)
	}
}

func TestSummaryIsTheRecipientsOwn(t *testing.T) {
	f := newFixture(t, "")
	_, jobs := f.send(0, "one")
	f.runAll(jobs)
	for _, e := range f.heard.Events() {
		if e.Name != api.ConversationUpdatedEvent {
			continue
		}
		p := e.Payload.(api.ConversationUpdated)
		want := 1
		if e.Channel == realtime.UserChannel(f.id(0)) {
			want = 0
		}
		if p.Conversation.UnreadCount != want || p.Summary.UnreadTotal != want {
			t.Errorf("%s: got unread %d of %d, want %d", e.Channel, p.Conversation.UnreadCount, p.Summary.UnreadTotal, want)
		}
	}
}

// A job names ids, and whoever could make one up must learn nothing by it.
func TestJobsGiveNoRights(t *testing.T) {
	f := newFixture(t, "")
	m, jobs := f.send(0, "secret")
	f.runAll(jobs)
	own, _, _, err := f.store.CreateConversation(f.ctx, domain.NewConversation{CreatedBy: f.id(3), Others: []int64{f.id(1)}, At: time.Now()})
	f.check(err)
	before := len(f.heard.Events())
	for _, j := range []domain.Job{
		{Kind: domain.BroadcastSummary, ConversationID: f.room, UserID: f.id(3)},
		{Kind: domain.BroadcastRead, ConversationID: f.room, UserID: f.id(3)},
		{Kind: domain.BroadcastMessage, ConversationID: own, MessageID: m.ID, Event: api.MessageCreated},
		{Kind: domain.NotifyOffline, ConversationID: own, MessageID: m.ID},
		{Kind: domain.BroadcastNotification, UserID: f.id(3), NotificationID: "5b1b3c0e-8d0f-4a5e-9c39-2c1f2f0f6a11"},
	} {
		if err := f.runner.do(f.ctx, j); err == nil {
			t.Errorf("%+v: was done", j)
		}
	}
	if n := len(f.heard.Events()) - before; n != 0 {
		t.Errorf("%d events were heard", n)
	}
	f.wantNotifications(3, 0)
}

func TestNotifyOffline(t *testing.T) {
	f := newFixture(t, "")
	_, err := f.redis.Heartbeat(f.ctx, f.id(1), 0)
	f.check(err)
	_, jobs := f.send(0, "for carol only")
	f.runAll(jobs)
	f.wantNotifications(0, 0)
	f.wantNotifications(1, 0)
	f.wantNotifications(2, 1)
	eventually(t, "carol's notification waits to be told", func() bool { return f.waiting() == 1 })
	f.runAll(f.lost())
	if n := f.count(realtime.UserChannel(f.id(2)), api.NotificationCreated); n != 1 {
		t.Errorf("carol heard %d notifications, want 1", n)
	}
	list, _, err := f.store.Notifications(f.ctx, f.id(2), 1, 0)
	f.check(err)
	var data api.MessageReceived
	f.check(json.Unmarshal(list[0].Data, &data))
	if data.Excerpt != "for carol only" || data.Title != "room" || data.Sender.Name != "Alice" {
		t.Errorf("got %+v", data)
	}
}

func TestNotifyOfflineTwice(t *testing.T) {
	f := newFixture(t, "")
	_, jobs := f.send(0, "hello")
	notify := jobs[len(jobs)-1]
	f.check(f.runner.do(f.ctx, notify))
	f.check(f.runner.do(f.ctx, notify))
	f.wantNotifications(1, 1)
	f.wantNotifications(2, 1)
}

func TestNotifyOfflineNotIfMutedOrRead(t *testing.T) {
	f := newFixture(t, "")
	now := time.Now()
	f.check(f.store.SetMuted(f.ctx, f.id(1), f.room, &now))
	m, jobs := f.send(0, "hello")
	_, _, _, err := f.store.MarkRead(f.ctx, domain.Read{ConversationID: f.room, UserID: f.id(2), MessageID: m.ID, At: now})
	f.check(err)
	f.runAll(jobs)
	f.wantNotifications(1, 0)
	f.wantNotifications(2, 0)
}

func TestSyncRunsAtOnce(t *testing.T) {
	f := newFixture(t, "")
	s := &Sync{Runner: f.runner, Log: discard}
	f.runner.Queue = s
	_, jobs := f.send(0, "hello")
	s.Dispatch(jobs)
	if n := f.waiting(); n != 0 {
		t.Errorf("%d jobs wait, want none", n)
	}
	f.wantNotifications(1, 1)
	if n := f.count(realtime.UserChannel(f.id(1)), api.NotificationCreated); n != 1 {
		t.Errorf("bob heard %d notifications, want 1", n)
	}
}
