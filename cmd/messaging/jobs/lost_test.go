package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
	"github.com/reverb-go/reverb-go/internal/services"
)

// wantEachOnce checks that every message was heard, and none twice.
func (f *fixture) wantEachOnce(messages []domain.Message) {
	f.t.Helper()
	heard := f.messages()
	for _, m := range messages {
		if heard[m.ID] != 1 {
			f.t.Errorf("message %d was heard %d times, want once", m.ID, heard[m.ID])
		}
	}
	if len(heard) != len(messages) {
		f.t.Errorf("%d messages were heard, want %d", len(heard), len(messages))
	}
}

// The process dies after the commit: nobody ever calls Dispatch.
func TestCrashBetweenCommitAndEnqueue(t *testing.T) {
	f := newFixture(t, "")
	var sent []domain.Message
	for range 5 {
		m, _ := f.send(0, "hello")
		sent = append(sent, m)
	}
	if n := f.sweep(0); n != 0 {
		t.Errorf("%d jobs were taken from whoever is about to queue them", n)
	}
	want := 5 * (1 + 3 + 1)
	if n := f.sweep(sweepAge + time.Second); n != want {
		t.Errorf("%d jobs were swept up, want %d", n, want)
	}
	if n := f.sweep(sweepAge + time.Second); n != 0 {
		t.Errorf("%d jobs were queued twice", n)
	}
	f.work()
	f.settle()
	f.wantEachOnce(sent)
	f.wantNotifications(1, 5)
}

// The sweep goes through more jobs than it takes at once, though the first ones are all in their queue.
func TestSweepGoesThroughAll(t *testing.T) {
	f := newFixture(t, "")
	for range sweepLimit/5 + 1 {
		f.send(0, "hello")
	}
	s := &Sweeper{Store: f.store, Queue: f.queue, Log: discard}
	later := time.Now().Add(time.Minute)
	total := 0
	for range 3 {
		n, err := s.Sweep(f.ctx, later)
		f.check(err)
		total += n
	}
	if want := (sweepLimit/5 + 1) * 5; total != want {
		t.Errorf("%d jobs were swept up, want %d", total, want)
	}
}

// Redis is killed with jobs in it, comes back empty, and messages are sent meanwhile.
func TestRedisKilled(t *testing.T) {
	server := services.Redis(t)
	f := newFixture(t, "redis://"+server.Addr)
	var sent []domain.Message
	send := func(n int) {
		for range n {
			m, jobs := f.send(0, "hello")
			f.queue.Dispatch(jobs)
			sent = append(sent, m)
		}
	}
	send(5)
	eventually(t, "jobs are in Redis", func() bool { return f.length("broadcasts", "pending") == 5*4 })
	server.Stop()
	send(5)
	if err := f.client.Ping(f.ctx).Err(); err == nil {
		t.Fatal("Redis is still there")
	}
	services.RedisAt(t, server.Addr)
	h := f.work()
	send(5)
	f.settle()
	f.wantEachOnce(sent)
	f.wantNotifications(2, 15)
	eventually(t, "the dashboard sees the queues again", func() bool {
		stats, err := h.Stats(f.ctx)
		return err == nil && len(stats.Workers) == 3
	})
}

// Redis is killed under running workers, which go on when it is back.
func TestRedisKilledUnderWorkers(t *testing.T) {
	server := services.Redis(t)
	f := newFixture(t, "redis://"+server.Addr)
	f.work()
	var sent []domain.Message
	for i := range 60 {
		switch i {
		case 20:
			server.Stop()
		case 40:
			services.RedisAt(t, server.Addr)
		}
		m, jobs := f.send(0, "hello")
		f.queue.Dispatch(jobs)
		sent = append(sent, m)
	}
	f.settle()
	f.wantEachOnce(sent)
	f.wantNotifications(1, 60)
}

// length of one of asynq's lists.
func (f *fixture) length(queue, state string) int64 {
	return f.client.LLen(f.ctx, "asynq:{"+queue+"}:"+state).Val()
}

// fakeServer stands for the websocket server. It holds the first request until it is told to go on.
type fakeServer struct {
	addr    string
	arrived chan struct{} // closed when the first request is there
	goOn    chan struct{}

	mu    sync.Mutex
	ids   map[int64]int // how often each message was published; guarded by mu
	first sync.Once
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	s := &fakeServer{addr: services.FreeAddr(), arrived: make(chan struct{}), goOn: make(chan struct{}), ids: map[int64]int{}}
	server := &fasthttp.Server{Handler: s.handle}
	go server.ListenAndServe(s.addr)
	t.Cleanup(func() { server.Shutdown() })
	return s
}

func (s *fakeServer) handle(ctx *fasthttp.RequestCtx) {
	var body struct{ Name, Data string }
	json.Unmarshal(ctx.PostBody(), &body)
	var m struct{ ID int64 }
	json.Unmarshal([]byte(body.Data), &m)
	if body.Name == "message.created" {
		s.mu.Lock()
		s.ids[m.ID]++
		s.mu.Unlock()
	}
	s.first.Do(func() {
		close(s.arrived)
		<-s.goOn
	})
	ctx.SetBodyString("{}")
}

func (s *fakeServer) publisher() *realtime.Pusher {
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "1", "key", "secret"
	app, err := auth.NewApp(a)
	if err != nil {
		panic(err)
	}
	host, port, _ := strings.Cut(s.addr, ":")
	n, _ := strconv.Atoi(port)
	return realtime.New(realtime.Settings{App: app, Host: host, Port: n, Scheme: "http", MaxRequestSize: 10_000, Timeout: time.Minute})
}

// A worker is killed with jobs in its hands: published, perhaps, but not written down as such.
func TestWorkerKilledInTheMiddle(t *testing.T) {
	redis := services.Redis(t)
	f := newFixture(t, "redis://"+redis.Addr)
	server := newFakeServer(t)
	f.runner.Publisher = server.publisher()
	var sent []domain.Message
	for range 10 {
		m, jobs := f.send(0, "hello")
		f.queue.Dispatch(jobs)
		sent = append(sent, m)
	}
	worker := startWorkerProcess(t, f.dsn, "redis://"+redis.Addr, server.addr)
	<-server.arrived
	worker.Process.Kill()
	worker.Wait()
	close(server.goOn)

	f.work()
	eventually(t, "the living worker has nothing to do", func() bool {
		return f.length("broadcasts", "pending") == 0 && f.length("notifications", "pending") == 0 &&
			f.length("broadcasts", "active") <= 2 && f.length("notifications", "active") <= 2
	})
	if f.waiting() == 0 {
		t.Fatal("the worker had nothing in its hands")
	}
	if n := f.sweep(stale + time.Minute); n == 0 {
		t.Error("nothing was swept up")
	}
	f.settle()
	for _, m := range sent {
		// Twice is what clients must bear, and do, since they merge by id.
		if n := server.ids[m.ID]; n < 1 || n > 2 {
			t.Errorf("message %d was published %d times, want 1 or 2", m.ID, n)
		}
	}
	f.wantNotifications(1, 10)
	f.wantNotifications(2, 10)
}

// A presence that is away decides nothing: nobody is notified who may be there, and nobody forgotten who is not.
func TestPresenceAway(t *testing.T) {
	f := newFixture(t, "")
	_, jobs := f.send(0, "hello")
	f.runner.Presence = absent{}
	if err := f.runner.Run(f.ctx, jobs[len(jobs)-1]); !errors.Is(err, errUndecided) {
		t.Errorf("got %v, want %v", err, errUndecided)
	}
	f.wantNotifications(1, 0)
	f.runner.Presence = f.redis
	f.sweep(stale + time.Minute)
	f.work()
	f.settle()
	f.wantNotifications(1, 1)
}

type absent struct{}

func (absent) Online(context.Context, []int64) (map[int64]bool, error) {
	return nil, errors.New("connection refused")
}

// A worker that was thought dead comes back after another has done its job: nothing is left that could be done again.
func TestLateWorker(t *testing.T) {
	f := newFixture(t, "")
	_, jobs := f.send(0, "hello")
	now := time.Now()
	ok, err := f.store.StartJob(f.ctx, jobs[0].ID, now, now.Add(-stale))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	f.runner.Now = func() time.Time { return now.Add(stale + time.Second) }
	f.runAll(jobs[:1])
	f.check(f.store.FailJob(f.ctx, jobs[0].ID, "too late", now))
	f.runAll(jobs[:1])
	if n := len(f.heard.Events()); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

const workerEnv = "MESSAGING_TEST_WORKER"

func isWorkerProcess() bool {
	settings := os.Getenv(workerEnv)
	if settings == "" {
		return false
	}
	if err := runWorkerProcess(strings.Split(settings, " ")); err != nil {
		panic(err)
	}
	return true
}

func startWorkerProcess(t *testing.T, settings ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+strings.Join(settings, " "))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// runWorkerProcess works until it is killed, or whoever started it can wait no longer.
func runWorkerProcess(settings []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s, err := store.Open(ctx, "sqlite", settings[0])
	if err != nil {
		return err
	}
	client, err := ephemeral.Dial(settings[1])
	if err != nil {
		return err
	}
	queue := NewQueue(client, discard)
	queue.Start()
	server := &fakeServer{addr: settings[2]}
	runner := &Runner{Store: s, Publisher: server.publisher(), Presence: ephemeral.New(client, time.Now), Queue: queue, Now: time.Now}
	h := NewHorizon(HorizonConfig{Store: s, Redis: client, Enqueue: queue.Enqueue, Now: time.Now})
	w, err := NewWorker(WorkerConfig{Redis: client, Runner: runner, Horizon: h, Queues: domain.Queues, Concurrency: 2, Tries: 1, Log: discard})
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return errors.New("nobody killed this worker")
}
