//go:build linux

package main_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// A soak is everything at once and for long: two nodes with an audience of which no one may lose, get twice or get out of order
// anything, on channels of every kind; users who come and go; and one disturbance after the other. One node is restarted again and again, the
// other never is, so that it shows what grows.
const (
	soakPace     = 100 * time.Millisecond // of each source
	soakVictims  = 50                     // connections that are killed at once
	soakSettling = 5                      // the part of the time, from the beginning, in which things may grow: one of so many

	soakMemory = 16 << 20 // by which the process may have grown afterwards, bytes
	soakSpare  = 50       // goroutines and files, likewise
)

// soakChannels has one of each kind, besides the rooms, which are presence channels.
var soakChannels = []string{"all", "private-all", "private-encrypted-all", "cache-all", "private-cache-all", "private-encrypted-cache-all", "presence-cache-all"}

// TestSoak goes on for as long as SOAK says: make soak.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK says for how long: make soak")
	}
	s := startSoak(t)
	a := newAudience(t, []*loadServer{s.restarted.loadServer, s.steady.loadServer})
	a.pace, a.all = soakPace, soakChannels
	a.join()
	watchDoor := a.openDoor()
	stop := a.perform()
	began := time.Now()
	for !t.Failed() && time.Since(began) < length {
		s.disturb()
		a.waitForMore()
		s.look(time.Since(began) < length/soakSettling)
		a.waitForMore() // most of the time is calm
	}
	stop()
	watchDoor()
	a.check()
	t.Logf("%v with %d clients: %d events and %d client events published, %d messages heard; %v",
		time.Since(began).Round(time.Second), len(a.clients), a.published.Load(), a.whispered.Load(), a.heard.Load(), s.times)
	s.check()
}

// A soak knows the servers, and how large one of them was.
type soak struct {
	t                 *testing.T
	restarted, steady *attacker
	random            *rand.Rand
	times             map[string]int // of each disturbance
	first, last       soakSize
	looks             int
}

func startSoak(t *testing.T) *soak {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	redis := append(startRedis(t), "REVERB_GO_LEASE=10s", "REVERB_GO_MAX_QUEUED=65536")
	node := func() *attacker {
		addr := services.FreeAddr()
		return &attacker{t: t, metricsAddr: addr, loadServer: startHandoverServers(t, 1, append(redis, metricsAt(addr))...)[0]}
	}
	return &soak{t: t, restarted: node(), steady: node(), random: rand.New(rand.NewPCG(seed, 0)), times: make(map[string]int)}
}

// disturb does one of what may happen to a server, to either of them.
func (s *soak) disturb() {
	either := []*attacker{s.restarted, s.steady}[s.random.IntN(2)]
	disturbances := []struct {
		name string
		do   func(*attacker)
		to   *attacker
	}{
		{"restarts", func(a *attacker) { a.restart(s.t) }, s.restarted},
		{"reloads", s.reload, either},
		{"crowds of slow readers", readSlowly, s.steady},
		{"crowds of killed sockets", killSockets, either},
		{"floods of handshakes", floodHandshakes, either},
		{"floods of huge frames", declareFrames, either},
		{"floods of huge requests", declareRequests, either},
	}
	d := disturbances[s.random.IntN(len(disturbances))]
	s.times[d.name]++
	d.do(d.to)
	d.to.stop()
}

// reload changes a limit that nobody reaches, and has the server read it.
func (s *soak) reload(a *attacker) {
	text := fmt.Sprintf("REVERB_GO_MAX_SUBSCRIPTIONS=%d\n", 1000+s.random.IntN(1000))
	if err := os.WriteFile(filepath.Join(a.dir, ".env"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if out, err := a.order(s.t, a.binary, "reload"); err != nil {
		s.t.Errorf("reload: %v\n%s", err, out)
	}
}

// killSockets has users in a presence channel whose connections are reset.
func killSockets(a *attacker) {
	a.crowd(soakVictims, func(i int) {
		if c := a.join(a.t, "presence-victims", fmt.Sprint("victim-", i)); c.conn != nil {
			_ = c.conn.(*net.TCPConn).SetLinger(0)
			c.conn.Close()
		}
	})
}

// A soakSize is how large a process is.
type soakSize struct{ memory, goroutines, files float64 }

func (z soakSize) String() string {
	return fmt.Sprintf("%.1f MB, %v goroutines, %v files", mega(int(z.memory)), z.goroutines, z.files)
}

// look measures the steady node, when those who disturbed it are gone. In the beginning it keeps the most of all.
func (s *soak) look(isBeginning bool) {
	connections := func() int { return int(scrape(s.t, s.steady.metricsAddr)[`reverb_connections{app="app-id"}`]) }
	const quiet = handoverClients/2 + 2 // the watcher at the door, and the visitor
	s.steady.await("the steady node to be calm", func() bool { return connections() <= quiet })
	all := scrape(s.t, s.steady.metricsAddr)
	s.last = soakSize{all["process_resident_memory_bytes"], all["go_goroutines"], all["process_open_fds"]}
	if s.looks++; isBeginning || s.looks == 1 {
		s.first.memory = max(s.first.memory, s.last.memory)
		s.first.goroutines = max(s.first.goroutines, s.last.goroutines)
		s.first.files = max(s.first.files, s.last.files)
	}
}

// check compares the sizes.
func (s *soak) check() {
	s.t.Logf("the node that was never restarted: at most %v in the first fifth, %v in the end", s.first, s.last)
	if s.last.memory > s.first.memory+soakMemory || s.last.goroutines > s.first.goroutines+soakSpare || s.last.files > s.first.files+soakSpare {
		s.t.Error("it has grown")
	}
}
