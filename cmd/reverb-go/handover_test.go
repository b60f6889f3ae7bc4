//go:build linux

package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHandover restarts a server under load, again and again, each time the moment clients have heard something since.
// Every client knows each message it must hear, and in which order; and whom it must see come and go.
// HANDOVERS says how often.
func TestHandover(t *testing.T) {
	srv := startHandoverServers(t, 1)[0]
	playHandovers(t, []*loadServer{srv}, func(int) { srv.restart(t) })
}

// TestHandoverInCluster restarts two nodes of a cluster in turns.
func TestHandoverInCluster(t *testing.T) {
	// The usual lease, because a machine that is busy with tests may be slow.
	servers := startHandoverServers(t, 2, append(startRedis(t), "REVERB_GO_LEASE=10s")...)
	playHandovers(t, servers, func(round int) { servers[round%2].restart(t) })
	for _, s := range servers {
		if strings.Contains(s.output.String(), "taken for dead") {
			t.Errorf("a node was taken for dead:\n%s", s.output.String())
		}
	}
}

func handovers() int {
	if n, err := strconv.Atoi(os.Getenv("HANDOVERS")); err == nil {
		return n
	}
	return 3
}

// playHandovers has clients on all servers, and calls restart with the number of each round.
func playHandovers(t *testing.T, servers []*loadServer, restart func(round int)) {
	a := newAudience(t, servers)
	a.join()
	watchDoor := a.openDoor()
	stop := a.perform()
	for round := range handovers() {
		a.waitForMore()
		restart(round)
		if t.Failed() {
			break
		}
	}
	a.waitForMore()
	stop()
	watchDoor()
	a.check()
	t.Logf("%d clients on %d nodes, %d events and %d client events published, %d messages heard over %d handovers",
		len(a.clients), len(servers), a.published.Load(), a.whispered.Load(), a.heard.Load(), handovers())
	for _, s := range servers {
		for _, pause := range s.pauses() {
			t.Logf("clients waited for %v", pause)
		}
	}
}

// startHandoverServers returns servers with a control socket of their own, each with its own copy of the program.
func startHandoverServers(t *testing.T, n int, env ...string) []*loadServer {
	t.Helper()
	var servers []*loadServer
	for range n {
		dir := t.TempDir()
		more := append([]string{"REVERB_GO_CONTROL=" + filepath.Join(dir, "control"), "REVERB_GO_RESTART_TIMEOUT=20s"}, env...)
		servers = append(servers, startLoadServers(t, linkSelf(t), 1, more...)...)
	}
	return servers
}

// order gives the server an order as a person would.
func (s *loadServer) order(t *testing.T, program, name string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, name, "--port="+strconv.Itoa(s.port))
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *loadServer) restart(t *testing.T) {
	t.Helper()
	out, err := s.order(t, s.binary, "restart")
	if err != nil {
		t.Errorf("restart: %v\n%s\nThe server said:\n%s", err, out, s.output.String())
	}
}

var pauseText = regexp.MustCompile(`clients waited for ([0-9.µmns]+)\.`)

// pauses returns how long clients were not served, by each restart.
func (s *loadServer) pauses() (all []time.Duration) {
	for _, m := range pauseText.FindAllStringSubmatch(s.output.String(), -1) {
		d, _ := time.ParseDuration(m[1])
		all = append(all, d)
	}
	return all
}

const (
	handoverPatience   = time.Minute
	handoverClients    = 200
	handoverRooms      = 10
	handoverPublishers = 4
	handoverPace       = 10 * time.Millisecond // of each publisher and each client that speaks, unless for long
	handoverSpeakers   = 10
)

// An audience are the clients of one or more servers, and who publishes to them.
type audience struct {
	t       *testing.T
	servers []*loadServer
	clients []*listener
	http    *http.Client
	pace    time.Duration // of each source
	all     []string      // channels of everybody, besides the rooms

	published, whispered, heard atomic.Int64
	last                        [handoverPublishers + handoverSpeakers]atomic.Int64 // number that each has published
}

// A listener is a client that keeps what it has heard.
type listener struct {
	*loadClient
	room int

	mu     sync.Mutex            // guards what follows
	heard  map[string]*course    // by source and channel
	people map[string]([]string) // "added" and "removed" by user
	closed string                // how the connection has ended
}

// A course is what has come of events that are numbered from 1.
type course struct {
	count int
	fault string // the first
}

func (c *course) note(number int) {
	if c.count++; number != c.count && c.fault == "" {
		c.fault = fmt.Sprintf("number %d in place of %d", number, c.count)
	}
}

func newAudience(t *testing.T, servers []*loadServer) *audience {
	return &audience{
		t: t, servers: servers, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		pace: handoverPace, all: []string{"all"},
	}
}

func room(i int) string { return fmt.Sprintf("presence-room-%d", i) }

// join connects the clients, each to the channels of all and to a room, before anybody reads on.
func (a *audience) join() {
	for i := range handoverClients {
		s := a.servers[i%len(a.servers)]
		l := &listener{loadClient: s.join(a.t, room(i%handoverRooms), fmt.Sprint("user-", i)), room: i % handoverRooms}
		_ = l.conn.SetDeadline(time.Time{}) // waitFor has the patience
		l.heard, l.people = make(map[string]*course), make(map[string][]string)
		for _, channel := range a.all {
			l.say(`{"event":"pusher:subscribe","data":` + s.subscription(channel, l.id, fmt.Sprint("user-", i)) + `}`)
		}
		a.clients = append(a.clients, l)
	}
	for _, l := range a.clients {
		for subscribed := 0; subscribed < len(a.all) && !a.t.Failed(); {
			text := l.hear()
			switch l.note(text); { // others may have joined its room meanwhile
			case strings.Contains(text, "subscription_succeeded"):
				subscribed++
			case !strings.HasPrefix(text, "{") || strings.Contains(text, "subscription_error"):
				a.t.Errorf("a client that subscribes heard %s", text)
			}
		}
		go a.listen(l)
	}
}

var (
	eventText  = regexp.MustCompile(`^\{"event":"(?:client-)?n","(?:channel":"[^"]*","data|data)":"(\d+):(\d+)"`)
	channelKey = regexp.MustCompile(`"channel":"([^"]*)"`)
	memberText = regexp.MustCompile(`member_(added|removed)".*user_id\\":\\?"([^"\\]*)`)
)

func (a *audience) listen(l *listener) {
	for {
		text := l.hear()
		if !strings.HasPrefix(text, "{") {
			l.mu.Lock()
			l.closed = text
			l.mu.Unlock()
			return
		}
		a.heard.Add(1)
		l.note(text)
	}
}

func (l *listener) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := eventText.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[2])
		key := m[1] + " " + channelKey.FindStringSubmatch(text)[1]
		if l.heard[key] == nil {
			l.heard[key] = new(course)
		}
		l.heard[key].note(n)
	} else if m := memberText.FindStringSubmatch(text); m != nil && !strings.Contains(text, `"channel":"presence-cache-`) {
		l.people[m[2]] = append(l.people[m[2]], m[1])
	}
}

// perform publishes until stop is called: some over HTTP to all and to a room, some clients to their
// rooms. Who is refused a connection tries again; nothing else may fail.
func (a *audience) perform() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	act := func(source int, do func(n int)) {
		wg.Go(func() {
			tick := time.NewTicker(a.pace)
			defer tick.Stop()
			for n := 1; ; n++ {
				select {
				case <-done:
					return
				case <-tick.C:
				}
				do(n)
				a.last[source].Store(int64(n))
			}
		})
	}
	for p := range handoverPublishers {
		act(p, func(n int) { a.publish(p, n) })
	}
	for i := range handoverSpeakers {
		speaker, source := a.clients[i*7], handoverPublishers+i
		act(source, func(n int) {
			speaker.say(fmt.Sprintf(`{"event":"client-n","channel":%q,"data":"%d:%d"}`, room(speaker.room), source, n))
			a.whispered.Add(1)
		})
	}
	return func() { close(done); wg.Wait() }
}

func (a *audience) publish(source, n int) {
	channels, _ := json.Marshal(append([]string{room(source)}, a.all...)) // strings always can be
	body := fmt.Sprintf(`{"name":"n","channels":%s,"data":"%d:%d"}`, channels, source, n)
	s := a.servers[source%len(a.servers)]
	const path = "/apps/app-id/events"
	for {
		query := s.app.SignRequest("POST", path, nil, []byte(body), time.Now())
		resp, err := a.http.Post(s.url()+path+"?"+query, "application/json", bytes.NewReader([]byte(body)))
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		if err != nil {
			a.t.Errorf("publish: %v", err)
			return
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			a.t.Errorf("publish: %s %s", resp.Status, answer)
		}
		a.published.Add(1)
		return
	}
}

// waitFor waits until a condition holds that must.
func (a *audience) waitFor(what string, holds func() bool) {
	deadline := time.After(handoverPatience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			a.t.Errorf("in vain waited for %s; a server has said:\n%s", what, a.servers[0].output.String())
			return
		}
	}
}

// waitForMore waits until every source has published some more.
func (a *audience) waitForMore() {
	var from [len(a.last)]int64
	for i := range a.last {
		from[i] = a.last[i].Load()
	}
	a.waitFor("more to be published", func() bool {
		for i := range a.last {
			if a.last[i].Load() < from[i]+10 {
				return false
			}
		}
		return true
	})
}

// sources returns which numbers the client must hear, by source and channel.
func (a *audience) sources(l *listener) map[string]int {
	want := make(map[string]int)
	for p := range handoverPublishers {
		last := int(a.last[p].Load())
		for _, channel := range a.all {
			want[fmt.Sprintf("%d %s", p, channel)] = last
		}
		if p == l.room {
			want[fmt.Sprintf("%d %s", p, room(p))] = last
		}
	}
	for i := range handoverSpeakers {
		if speaker := a.clients[i*7]; speaker != l && speaker.room == l.room {
			want[fmt.Sprintf("%d %s", handoverPublishers+i, room(l.room))] = int(a.last[handoverPublishers+i].Load())
		}
	}
	return want
}

func (l *listener) hasAll(want map[string]int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, last := range want {
		if l.heard[key] == nil || l.heard[key].count < last {
			return false
		}
	}
	return true
}

// check compares what each client has heard with what it must have.
func (a *audience) check() {
	for i, l := range a.clients {
		want := a.sources(l)
		a.waitFor(fmt.Sprintf("client %d to hear everything", i), func() bool { return l.hasAll(want) || a.t.Failed() })
	}
	for i, l := range a.clients {
		for _, fault := range append(l.faults(a.sources(l)), l.strangers(i)...) {
			a.t.Errorf("client %d %s", i, fault)
		}
	}
}

// strangers returns what client i has heard of others but that those of its room came once after it.
func (l *listener) strangers(i int) (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for user, changes := range l.people {
		n, _ := strconv.Atoi(strings.TrimPrefix(user, "user-"))
		if n <= i || len(changes) != 1 || changes[0] != "added" {
			all = append(all, fmt.Sprintf("heard of %s: %v", user, changes))
		}
	}
	return all
}

func (l *listener) faults(want map[string]int) (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != "" {
		all = append(all, "was disconnected: "+l.closed)
	}
	for key, last := range want {
		switch heard := l.heard[key]; {
		case heard == nil:
			all = append(all, fmt.Sprintf("heard from %s nothing, want %d events", key, last))
		case heard.fault != "":
			all = append(all, fmt.Sprintf("heard from %s %s", key, heard.fault))
		case heard.count != last:
			all = append(all, fmt.Sprintf("heard from %s %d events, want %d", key, heard.count, last))
		}
	}
	return all
}

// openDoor has a user come and go in a channel that somebody watches, who must hear of it in turns.
func (a *audience) openDoor() (check func()) {
	watcher := &listener{loadClient: a.servers[0].join(a.t, "presence-door", "watcher"), people: make(map[string][]string)}
	_ = watcher.conn.SetDeadline(time.Time{})
	go a.listen(watcher)
	done, left := make(chan struct{}), make(chan int)
	go func() {
		visits := 0
		for ; ; visits++ {
			select {
			case <-done:
				left <- visits
				return
			default:
			}
			s := a.servers[visits%len(a.servers)]
			s.join(a.t, "presence-door", "visitor").conn.Close()
			a.waitFor("the visitor to leave", func() bool { return len(watcher.heardOf("visitor")) == 2*(visits+1) || a.t.Failed() })
		}
	}()
	return func() {
		close(done)
		visits := <-left
		a.t.Logf("a user came and went %d times", visits)
		for i, change := range watcher.heardOf("visitor") {
			if want := []string{"added", "removed"}[i%2]; change != want {
				a.t.Errorf("change %d of the visitor is %s, want %s", i, change, want)
			}
		}
	}
}

func (l *listener) heardOf(user string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.people[user]
}
