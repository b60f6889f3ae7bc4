//go:build linux

package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	rollNodes      = 3
	rollClients    = 60
	rollPublishers = 3
	rollPace       = 5 * time.Millisecond // of each publisher
)

// TestRollingRestart restarts three nodes one after the other while clients come back at once, as pusher-js does, to whatever
// node answers, and publishers go on with another node. It prints what that costs. Nobody may hear anything twice on one
// connection, or miss anything while connected; and in the end all are there.
func TestRollingRestart(t *testing.T) {
	// The usual lease, because a machine that is busy with tests may be slow; a shorter one where it is waited for.
	tests := []struct {
		name    string
		lease   string
		restart func(*testing.T, *loadServer)
		mayLose bool // what the node had taken
		isQuiet bool // nobody is disconnected
	}{
		{"drained with SIGTERM", "10s", func(t *testing.T, s *loadServer) {
			if err := errors.Join(s.stop(), s.start(t.Context())); err != nil {
				t.Errorf("%v\nThe server said:\n%s", err, s.output.String())
			}
		}, false, false},
		{"killed", "5s", func(t *testing.T, s *loadServer) {
			s.kill()
			if err := s.start(t.Context()); err != nil {
				t.Errorf("%v\nThe server said:\n%s", err, s.output.String())
			}
		}, true, false},
		{"handed over", "10s", func(t *testing.T, s *loadServer) { s.restart(t) }, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoll(t, tt.lease)
			for _, s := range r.servers {
				began := time.Now()
				tt.restart(t, s)
				t.Logf("a node was restarted in %.1f s", time.Since(began).Seconds())
				r.waitForMore()
			}
			r.finish()
			sum := r.judge()
			t.Logf("%d events; %d clients with %d connections: %d events doubled, %d missed while connected and %d while not, %d times told that a member has left",
				sum.sent, rollClients, sum.lives, sum.doubled, sum.lost, sum.missed, sum.removed)
			if sum.doubled > 0 || sum.lost > 0 && !tt.mayLose || sum.removed > 0 {
				t.Errorf("want none doubled, none missed while connected, and nobody gone")
			}
			if tt.isQuiet && (sum.lives > rollClients || sum.missed > 0) {
				t.Errorf("want nobody disconnected")
			}
		})
	}
}

// A roll is three nodes with traffic.
type roll struct {
	t          *testing.T
	servers    []*loadServer
	roamers    []*roamer
	publishers [rollPublishers]rollPublisher
	http       *http.Client

	stop    chan struct{} // ends the publishers
	traffic sync.WaitGroup
	isOver  atomic.Bool // the roamers are to end
	roaming sync.WaitGroup
}

type rollPublisher struct {
	last atomic.Int64 // number

	mu      sync.Mutex
	unknown map[int]bool // numbers that a node may have taken or not
}

func newRoll(t *testing.T, lease string) *roll {
	servers := startHandoverServers(t, rollNodes, append(startRedis(t), "REVERB_GO_LEASE="+lease)...)
	r := &roll{t: t, servers: servers, http: &http.Client{}, stop: make(chan struct{})}
	for i := range rollClients {
		m := &roamer{roll: r, user: fmt.Sprint("user-", i), home: i % rollNodes}
		r.roamers = append(r.roamers, m)
		r.roaming.Go(m.roam)
	}
	t.Cleanup(func() {
		r.isOver.Store(true)
		for _, m := range r.roamers {
			m.hangUp()
		}
		r.roaming.Wait()
	})
	r.await("all to be there", r.isComplete)
	for i := range r.publishers {
		r.publishers[i].unknown = make(map[int]bool)
		r.traffic.Go(func() { r.publish(i) })
	}
	r.waitForMore()
	return r
}

// publish publishes to one node after the other, as long as each takes it.
func (r *roll) publish(source int) {
	p := &r.publishers[source]
	at := source
	tick := time.NewTicker(rollPace)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		number := int(p.last.Load()) + 1
		err := r.servers[at%rollNodes].tryToPublish(r.http, fmt.Sprintf(`{"name":"n","channel":"all","data":"%d:%d"}`, source, number))
		if err != nil {
			at++
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue // it was not taken
		}
		if err != nil {
			p.mu.Lock()
			p.unknown[number] = true
			p.mu.Unlock()
		}
		p.last.Store(int64(number))
	}
}

func (r *roll) await(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.After(handoverPatience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("in vain waited for %s; a server has said:\n%s", what, r.servers[0].output.String())
		}
	}
}

// isComplete reports whether each node says that all are there, and nobody else.
func (r *roll) isComplete() bool {
	return !slices.ContainsFunc(r.servers, func(s *loadServer) bool {
		return s.countOf("presence-hall", "user_count") != rollClients || s.countOf("all", "subscription_count") != rollClients
	})
}

// countOf asks a node for a number of a channel.
func (s *loadServer) countOf(channel, info string) (n int) {
	path := "/apps/app-id/channels/" + channel
	query := s.app.SignRequest("GET", path, url.Values{"info": {info}}, nil, time.Now())
	_, rest, _ := strings.Cut(bodyOf(s.url()+path+"?"+query), `"`+info+`":`)
	fmt.Sscan(rest, &n)
	return n
}

// bodyOf returns what a GET is answered with, or what went wrong.
func bodyOf(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// waitForMore waits until everybody is connected and hears what is published.
func (r *roll) waitForMore() {
	r.t.Helper()
	var from [rollPublishers]int
	for i := range r.publishers {
		from[i] = int(r.publishers[i].last.Load())
	}
	r.await("everybody to hear more", func() bool {
		return !slices.ContainsFunc(r.roamers, func(m *roamer) bool { return !m.hasMoreThan(from) })
	})
}

// finish ends the traffic when all is known to be well, and waits until what was published has arrived.
func (r *roll) finish() {
	r.t.Helper()
	r.await("all to be there, once", r.isComplete)
	r.waitForMore()
	close(r.stop)
	r.traffic.Wait()
	for i := range r.publishers {
		end := int(r.publishers[i].last.Add(1))
		if err := r.servers[0].tryToPublish(r.http, fmt.Sprintf(`{"name":"n","channel":"all","data":"%d:%d"}`, i, end)); err != nil {
			r.t.Fatal(err)
		}
		r.await("the end", func() bool {
			return !slices.ContainsFunc(r.roamers, func(m *roamer) bool { return !slices.Contains(m.numbers(i), end) })
		})
	}
}

// A rollSum is what has become of what was published.
type rollSum struct{ sent, lives, doubled, lost, missed, removed int }

func (r *roll) judge() (sum rollSum) {
	for i := range r.publishers {
		sum.sent += int(r.publishers[i].last.Load())
	}
	for _, m := range r.roamers {
		m.mu.Lock()
		sum.lives += len(m.lives)
		for _, l := range m.lives {
			sum.removed += l.removed
		}
		for i := range r.publishers {
			m.judgeLocked(i, &r.publishers[i], &sum)
		}
		m.mu.Unlock()
	}
	return sum
}

// A roamer is a client that connects again whenever it is disconnected.
type roamer struct {
	roll *roll
	user string
	home int // the node it tries first

	mu    sync.Mutex // guards what follows
	now   *loadClient
	lives []*rollLife // one for each connection
}

// A rollLife is what a client hears on one connection.
type rollLife struct {
	heard   [rollPublishers][]int
	removed int // times it was told that a member has left
}

func (m *roamer) roam() {
	for at := m.home; !m.roll.isOver.Load(); at++ {
		s := m.roll.servers[at%rollNodes]
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err != nil {
			continue
		}
		c := &loadClient{t: m.roll.t, conn: conn, reader: bufio.NewReader(conn)}
		if !isEstablished(c.greet()) {
			conn.Close()
			continue
		}
		m.mu.Lock()
		m.now = c
		life := new(rollLife)
		m.lives = append(m.lives, life)
		m.mu.Unlock()
		for _, channel := range []string{"all", "presence-hall"} {
			_ = c.send(`{"event":"pusher:subscribe","data":` + s.subscription(channel, c.id, m.user) + `}`) // then it hears why
		}
		m.listen(c, life)
		conn.Close()
		at = m.home - 1
	}
}

func (m *roamer) listen(c *loadClient, life *rollLife) {
	for {
		text := c.hear()
		if !strings.HasPrefix(text, "{") {
			return // closed
		}
		m.mu.Lock()
		var source, number int
		if event := eventText.FindStringSubmatch(text); event != nil {
			fmt.Sscan(event[1], &source)
			fmt.Sscan(event[2], &number)
			life.heard[source] = append(life.heard[source], number)
		} else if member := memberText.FindStringSubmatch(text); member != nil && member[1] == "removed" {
			life.removed++
		}
		m.mu.Unlock()
	}
}

func (m *roamer) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		m.now.conn.Close()
	}
}

// numbers are all that it has heard of a publisher.
func (m *roamer) numbers(source int) (all []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lives {
		all = append(all, l.heard[source]...)
	}
	return all
}

// hasMoreThan reports whether its connection has brought later numbers.
func (m *roamer) hasMoreThan(from [rollPublishers]int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.lives) == 0 {
		return false
	}
	for i, heard := range m.lives[len(m.lives)-1].heard {
		if len(heard) == 0 || heard[len(heard)-1] < from[i]+10 {
			return false
		}
	}
	return true
}

// judgeLocked counts what the client has heard of a publisher on each connection, and in all.
func (m *roamer) judgeLocked(source int, p *rollPublisher, sum *rollSum) {
	all := make(map[int]bool)
	missed := 0
	for _, l := range m.lives {
		heard := make(map[int]bool)
		for _, n := range l.heard[source] {
			if heard[n] {
				sum.doubled++
			}
			heard[n], all[n] = true, true
		}
		if len(heard) == 0 {
			continue
		}
		for n := slices.Min(l.heard[source]); n < slices.Max(l.heard[source]); n++ {
			if !heard[n] && !p.unknown[n] {
				missed++
				all[n] = true
			}
		}
	}
	sum.lost += missed
	first := slices.Min(m.lives[0].heard[source])
	for n := first; n <= int(p.last.Load()); n++ {
		if !all[n] && !p.unknown[n] {
			sum.missed++
		}
	}
}
