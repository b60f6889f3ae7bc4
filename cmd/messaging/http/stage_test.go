package http

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
	"golang.org/x/crypto/bcrypt"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
	"github.com/reverb-go/reverb-go/cmd/messaging/jobs"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime/realtimetest"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
	"github.com/reverb-go/reverb-go/internal/services"
)

func TestMain(m *testing.M) { services.Main(m) }

// backend is a database and a Redis to run on.
type backend struct {
	name string
	open func(t testing.TB) (database, dsn, redisURL string)
}

var backends = []backend{
	{"sqlite", func(t testing.TB) (string, string, string) {
		embedded, err := ephemeral.Embed()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(embedded.Close)
		return "sqlite", store.SQLite(filepath.Join(t.TempDir(), "db")), embedded.URL()
	}},
	{"pgsql", func(t testing.TB) (string, string, string) {
		return "pgsql", services.Postgres(t).DSN(), "redis://" + services.Redis(t).Addr
	}},
}

// stage is a whole app, whose broadcasts are kept to be looked at and whose clock can be moved.
type stage struct {
	t       testing.TB
	store   *store.Store
	live    *ephemeral.Redis
	server  *Server
	ln      *fasthttputil.InmemoryListener
	users   map[string]int64
	heard   *realtimetest.Server
	sweeper *jobs.Sweeper
	ahead   atomic.Int64 // of time.Now
}

const password = "correct horse"

// people are the users there are. Ada is an admin, and mallory is in no conversation.
var people = []string{"alice", "bob", "carol", "mallory", "ada"}

var discard = slog.New(slog.DiscardHandler)

func newStage(t testing.TB, b backend) *stage {
	t.Helper()
	s := &stage{t: t, users: map[string]int64{}, heard: &realtimetest.Server{}, ln: fasthttputil.NewInmemoryListener()}
	database, dsn, url := b.open(t)
	var err error
	s.store, err = store.Open(t.Context(), database, dsn)
	s.check(err)
	t.Cleanup(func() { s.store.Close() })
	_, err = s.store.Migrate(t.Context())
	s.check(err)
	s.addPeople()
	client, err := ephemeral.Dial(url)
	s.check(err)
	t.Cleanup(func() { client.Close() })
	s.live = ephemeral.New(client, s.now)
	queue := jobs.NewQueue(client, discard)
	queue.Start()
	t.Cleanup(queue.Stop)
	horizon := jobs.NewHorizon(jobs.HorizonConfig{Store: s.store, Redis: client, Enqueue: queue.Enqueue, Now: time.Now})
	runner := &jobs.Runner{Store: s.store, Publisher: s.heard, Presence: s.live, Queue: queue, Now: time.Now}
	// One worker for each queue, so that what is told is told in the order in which it happened.
	w, err := jobs.NewWorker(jobs.WorkerConfig{Redis: client, Runner: runner, Horizon: horizon, Queues: domain.Queues, Concurrency: 1, Tries: 1, Log: discard})
	s.check(err)
	s.check(w.Start())
	t.Cleanup(w.Stop)
	s.sweeper = &jobs.Sweeper{Store: s.store, Queue: queue, Log: discard}
	s.server = New(s.config(queue, horizon))
	var done sync.WaitGroup
	done.Go(func() { s.server.Serve(s.ln) })
	t.Cleanup(func() { s.server.Shutdown(context.Background()); done.Wait() })
	return s
}

func (s *stage) config(queue Dispatcher, horizon Dashboard) Config {
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "1", "app-key", "app-secret"
	app, err := auth.NewApp(a)
	s.check(err)
	return Config{
		Store: s.store, Live: s.live, Publisher: s.heard, Gatekeeper: &realtime.Gatekeeper{App: app, Rooms: s.store},
		Queue: queue, Dashboard: horizon, Page: fstest.MapFS{
			"index.html": {Data: []byte("<p>page")}, "assets/a.js": {Data: []byte("1")}, ".gitkeep": {},
		},
		Checks: map[string]Check{"database": s.store.Ping, "redis": s.live.Ping, "websocket": s.heard.Ping},
		Key:    []byte("0123456789abcdef"), Lifetime: 2 * time.Hour, Registry: prometheus.NewRegistry(), Log: discard, Now: s.now,
		Public: api.Config{Realtime: true, Key: "app-key", Port: 8080, Scheme: "http", PollIntervalMS: 3000},
	}
}

func (s *stage) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *stage) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) addPeople() {
	s.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	s.check(err)
	var list []domain.User
	for _, name := range people {
		list = append(list, domain.User{
			Name: strings.ToUpper(name[:1]) + name[1:], Username: name, AvatarURL: "/avatars/" + strings.ToUpper(name[:1]) + ".svg",
			PasswordHash: string(hash), IsAdmin: name == "ada", CreatedAt: time.Now(),
		})
	}
	list, err = s.store.AddUsers(s.t.Context(), list)
	s.check(err)
	for _, u := range list {
		s.users[u.Username] = u.ID
	}
}

// settle waits until all jobs have run. On a busy machine Redis may be too slow for some to be queued at once, which is what
// sweeping is for.
func (s *stage) settle() {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range 12_000 {
		if i%100 == 99 {
			_, err := s.sweeper.Sweep(s.t.Context(), time.Now().Add(11*time.Second))
			s.check(err)
		}
		n, err := s.store.WaitingJobs(s.t.Context())
		s.check(err)
		if n == 0 {
			return
		}
		<-tick.C
	}
	s.t.Fatal("jobs never came to their end")
}

// actor is a browser or a program.
type actor struct {
	stage   *stage
	client  fasthttp.Client
	cookies map[string]string
	bearer  string
	headers map[string]string // of the next request
	noToken bool              // the next request shows no CSRF token
}

func (s *stage) newActor() *actor {
	a := &actor{stage: s, cookies: map[string]string{}, headers: map[string]string{}}
	a.client.Dial = func(string) (net.Conn, error) { return s.ln.Dial() }
	return a
}

// do sends a request as a browser would.
func (a *actor) do(method, path, body string) *fasthttp.Response {
	a.stage.t.Helper()
	request, response := fasthttp.AcquireRequest(), &fasthttp.Response{}
	defer fasthttp.ReleaseRequest(request)
	request.Header.SetMethod(method)
	request.SetRequestURI("http://app" + path)
	if body != "" {
		request.Header.SetContentType("application/json")
		request.SetBodyString(body)
	}
	for name, value := range a.cookies {
		request.Header.SetCookie(name, value)
	}
	if a.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+a.bearer)
	} else if !a.noToken {
		request.Header.Set("X-CSRF-TOKEN", a.cookies[csrfCookie])
	}
	for name, value := range a.headers {
		request.Header.Set(name, value)
	}
	clear(a.headers)
	a.noToken = false
	a.stage.check(a.client.Do(request, response))
	a.keepCookies(response)
	return response
}

func (a *actor) keepCookies(response *fasthttp.Response) {
	for name, line := range response.Header.Cookies() {
		var c fasthttp.Cookie
		a.stage.check(c.ParseBytes(line))
		if len(c.Value()) == 0 {
			delete(a.cookies, string(name))
		} else {
			a.cookies[string(name)] = string(c.Value())
		}
	}
}

// signIn begins a session, with the token that a first request gives to guests.
func (a *actor) signIn(name string) {
	a.stage.t.Helper()
	a.do("GET", "/api/messages/config", "")
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, name, password)
	if r := a.do("POST", "/login", body); r.StatusCode() != fasthttp.StatusOK {
		a.stage.t.Fatalf("sign in as %s: %d %s", name, r.StatusCode(), r.Body())
	}
}

// newDirect is a conversation of two.
func newDirect(a, b int64) domain.NewConversation {
	return domain.NewConversation{CreatedBy: a, Others: []int64{b}, At: time.Now()}
}

// addr is an address as a connection has it.
func addr(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1234} }
