//go:build linux

package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// An overload is something done to a server, of which those whom it serves already must notice nothing.
type overload struct {
	name  string
	env   []string
	files int                            // that the server may have open; 0 is as many as this process
	setUp func(*attacker) (env []string) // before the server starts; nil for nothing
	// attack returns when it has done enough. What it opens may stay open: it is closed afterwards.
	attack  func(*attacker)
	counted string          // a series of the metrics
	atLeast float64         // what that must have counted
	grows   int             // bytes of memory by which the process may grow
	after   func(*attacker) // waits until all is as before; nil if there is nothing but what is always looked at
}

const (
	overloadPatience = 100 * time.Second
	overloadMemory   = 64 << 20
	overloadEvents   = 50 // when calm, before and afterwards, and at least during the attack
)

// TestOverload attacks a server, each time in another way, whose other clients hear an event every 20 ms meanwhile. They must hear
// all of them. The attackers must be refused and counted, the process must stay within bounds, and in the end whoever comes must be
// served. It prints how long events took.
func TestOverload(t *testing.T) {
	if testing.Short() {
		t.Skip("a load test")
	}
	binary := buildBinary(t)
	for _, o := range overloads {
		t.Run(o.name, func(t *testing.T) { o.play(t, binary) })
	}
}

// play starts a server and attacks it.
func (o *overload) play(t *testing.T, binary string) {
	metricsAddr := services.FreeAddr()
	a := &attacker{t: t, metricsAddr: metricsAddr}
	env := append([]string{metricsAt(metricsAddr)}, o.env...)
	if o.setUp != nil {
		env = append(env, o.setUp(a)...)
	}
	a.loadServer = startLoadServers(t, withFiles(t, binary, o.files), 1, env...)[0]
	steady := newSteady(t, a.loadServer)
	for range overloadEvents {
		steady.publish(t)
	}
	calm := steady.latencies(t)
	before := a.residentBytes(t)

	done := make(chan struct{})
	go func() {
		defer close(done)
		o.attack(a)
	}()
	events := steady.publishUntil(t, done)
	during := steady.latencies(t)
	grown := a.memoryBytes(t, "VmHWM:") - before
	counted := scrape(t, metricsAddr)[o.counted]
	a.stop()
	a.wantServed()
	if o.after != nil {
		o.after(a)
	}
	for range overloadEvents {
		steady.publish(t)
	}
	after := steady.latencies(t)

	t.Logf("%s: %v; memory: %.1f MB before, at most %.1f MB more", o.counted, counted, mega(before), mega(grown))
	t.Logf("99 %% of the events within %v when calm, %v under attack (%d events), %v afterwards",
		quantile(calm, 0.99), quantile(during, 0.99), events, quantile(after, 0.99))
	if counted < o.atLeast {
		t.Errorf("%s is %v, want at least %v", o.counted, counted, o.atLeast)
	}
	if grown > o.grows {
		t.Errorf("the process has grown by %.1f MB, want at most %.1f MB", mega(grown), mega(o.grows))
	}
}

func metricsAt(addr string) string { return "REVERB_GO_METRICS_ADDR=" + addr }

// publishUntil publishes until done is closed, and returns how many events.
func (s *steady) publishUntil(t *testing.T, done <-chan struct{}) (events int) {
	t.Helper()
	for {
		select {
		case <-done:
			if events >= overloadEvents {
				return events
			}
		default:
		}
		s.publish(t)
		events++
	}
}

// withFiles returns a program that is binary with a limit of open files.
func withFiles(t *testing.T, binary string, files int) string {
	t.Helper()
	if files == 0 {
		return binary
	}
	name := filepath.Join(t.TempDir(), "limited")
	script := fmt.Sprintf("#!/bin/sh\nulimit -n %d\nexec %s \"$@\"\n", files, binary)
	if err := os.WriteFile(name, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// An attacker is whoever attacks a server. Its methods may be called from any goroutine, and so do not end the test.
type attacker struct {
	*loadServer
	t           *testing.T
	metricsAddr string
	redis       *os.Process // nil without
	group       string      // folder of the control group; "" without

	mu     sync.Mutex // guards what follows
	conns  []net.Conn // open until stop
	ending []func()   // done by stop
}

// keep keeps a connection open until the end of the attack.
func (a *attacker) keep(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, c)
}

// atEnd has something done at the end of the attack.
func (a *attacker) atEnd(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ending = append(a.ending, do)
}

// stop ends the attack.
func (a *attacker) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, do := range a.ending {
		do()
	}
	for _, c := range a.conns {
		c.Close()
	}
	a.conns, a.ending = nil, nil
}

// crowd does something n times, a few at once.
func (a *attacker) crowd(n int, do func(i int)) {
	const atOnce = 8
	var wg sync.WaitGroup
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < n; i += atOnce {
				do(i)
			}
		})
	}
	wg.Wait()
}

// await waits until something holds.
func (a *attacker) await(what string, holds func() bool) {
	deadline := time.After(overloadPatience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			a.t.Errorf("in vain waited for %s; the server has said:\n%s", what, a.output.String())
			return
		}
	}
}

// awaitCount waits until a series has its value.
func (a *attacker) awaitCount(series string, atLeast float64) {
	a.await(fmt.Sprintf("%s to be %v", series, atLeast), func() bool { return scrape(a.t, a.metricsAddr)[series] >= atLeast })
}

// publishAnew publishes over a new connection, as a backend of PHP does.
func (a *attacker) publishAnew() {
	transport := &http.Transport{DisableKeepAlives: true}
	if err := a.tryToPublish(&http.Client{Transport: transport, Timeout: overloadPatience}, `{"name":"n","channel":"other","data":"x"}`); err != nil {
		a.t.Errorf("publishing under attack: %v", err)
	}
}

// wantServed waits until new clients are accepted, over WebSocket and HTTP, and hear what is published.
func (a *attacker) wantServed() {
	a.await("a new client to be accepted", func() bool {
		c, told := knock(a.t, a.port, nil)
		if c.conn != nil {
			c.conn.Close()
		}
		return isEstablished(told)
	})
	if a.t.Failed() {
		return
	}
	c := a.dial(a.t, "late")
	if err := a.tryToPublish(http.DefaultClient, `{"name":"n","channel":"late","data":"x"}`); err != nil {
		a.t.Error(err)
	}
	if got := c.hear(); !strings.Contains(got, `"channel":"late"`) {
		a.t.Errorf("a new client heard %s", got)
	}
}
