//go:build linux

package main_test

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// A storm is what follows when a node comes back, or another one goes: everybody connects at once, and whoever is
// refused tries again a second later, as pusher-js does. The clients live in processes of their own, so that what is
// measured here is not their work; in several, because the race detector allows 8,128 goroutines in one.
const (
	stormClients  = 10_000
	stormParts    = 4                 // processes
	stormAttempts = 5                 // of each, then it gives up
	stormNodeMax  = 4_000             // connections
	stormRate     = 1_000             // handshakes in a second
	stormPerIP    = 200               // connections
	stormCrowd    = stormClients / 10 // clients that share an address
	stormMemory   = 96 << 20          // by which the process may grow, bytes

	steadyClients = 20
	steadyPause   = 20 * time.Millisecond // between two events they hear
	calmEvents    = 100
)

// TestStorm lets 10,000 clients loose on a node with limits, whose other clients are served meanwhile. It prints what
// it measured.
func TestStorm(t *testing.T) {
	metricsAddr := services.FreeAddr()
	srv := startLoadServers(t, buildBinary(t), 1, "REVERB_GO_METRICS_ADDR="+metricsAddr,
		fmt.Sprintf("REVERB_GO_MAX_CONNECTIONS=%d", stormNodeMax),
		fmt.Sprintf("REVERB_GO_MAX_HANDSHAKES_PER_SECOND=%d", stormRate),
		fmt.Sprintf("REVERB_GO_MAX_CONNECTIONS_PER_IP=%d", stormPerIP))[0]
	steady := newSteady(t, srv)
	for range calmEvents {
		steady.publish(t)
	}
	calm := steady.latencies(t)
	before := srv.residentBytes(t)

	began := time.Now()
	storm := startStorm(t, srv.port)
	events := 0
	for storm.isRunning() {
		steady.publish(t)
		events++
	}
	took := time.Since(began)
	during := steady.latencies(t)
	grown := srv.memoryBytes(t, "VmHWM:") - before

	accepted, refused := storm.counts(t)
	t.Logf("%d clients, %d handshakes in %.1f s: %d accepted, %d refused", stormClients, accepted+refused, took.Seconds(), accepted, refused)
	counted := countRefused(t, metricsAddr)
	t.Logf("counted as refused: %v", counted)
	t.Logf("memory of the process: %.1f MB before, at most %.1f MB more", mega(before), mega(grown))
	t.Logf("an event every %v for %d others: median %v and 99 %% within %v when calm, %v and %v in the storm (%d events)",
		steadyPause, steadyClients, quantile(calm, 0.5), quantile(calm, 0.99), quantile(during, 0.5), quantile(during, 0.99), events)

	total := 0
	for _, reason := range []string{"handshake_rate", "node_full", "address"} {
		if counted[reason] == 0 {
			t.Errorf("nobody was refused for the reason %s", reason)
		}
		total += counted[reason]
	}
	if total != refused {
		t.Errorf("%d refusals are counted, %d clients were refused", total, refused)
	}
	if accepted == 0 || accepted > stormNodeMax-steadyClients {
		t.Errorf("%d clients were accepted, want at most %d", accepted, stormNodeMax-steadyClients)
	}
	if grown > stormMemory {
		t.Errorf("the process has grown by %.1f MB, want at most %.1f MB", mega(grown), mega(stormMemory))
	}
}

// TestStormShortOfMemory has clients come while memory is short, which it is when a hundredth of it may be used: all are
// refused, and told to come back.
func TestStormShortOfMemory(t *testing.T) {
	metricsAddr := services.FreeAddr()
	srv := startLoadServers(t, linkSelf(t), 1, "REVERB_GO_METRICS_ADDR="+metricsAddr, "REVERB_GO_MEMORY_LIMIT=1%")[0]
	const clients = 1000
	for range clients {
		if weather(t, srv.port, nil) != nil {
			t.Fatal("a client was accepted")
		}
	}
	if got := countRefused(t, metricsAddr)["memory"]; got != clients {
		t.Errorf("%d refusals are counted for the reason memory, want %d", got, clients)
	}
	t.Logf("%d clients refused for want of memory; the process has %.1f MB", clients, mega(srv.residentBytes(t)))
}

func mega(bytes int) float64 { return float64(bytes) / (1 << 20) }

func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[int(math.Ceil(q*float64(len(all))))-1].Round(10 * time.Microsecond)
}

// A steady is some clients who hear events all the time.
type steady struct {
	srv     *loadServer
	clients []*loadClient
	count   int // of events published
	heard   int // of those, looked at by latencies
	pace    *time.Ticker
	took    []chan time.Duration // by client
}

func newSteady(t *testing.T, srv *loadServer) *steady {
	s := &steady{srv: srv, pace: time.NewTicker(steadyPause)}
	t.Cleanup(s.pace.Stop)
	for range steadyClients {
		c := srv.dial(t, "steady")
		s.clients = append(s.clients, c)
		took := make(chan time.Duration, 100_000)
		s.took = append(s.took, took)
		go func() {
			for i := 0; ; i++ {
				number, sent, ok := readSteady(c.hear())
				if !ok {
					close(took) // the connection has ended
					return
				}
				if number != i {
					t.Errorf("event %d came when %d was next", number, i)
				}
				took <- time.Since(sent)
			}
		}()
	}
	return s
}

// readSteady reads an event: its number, and when it was published.
func readSteady(message string) (number int, sent time.Time, ok bool) {
	_, rest, _ := strings.Cut(message, `"data":"`)
	var nanos int64
	n, _ := fmt.Sscanf(rest, "%d %d", &number, &nanos)
	return number, time.Unix(0, nanos), n == 2
}

// publish publishes the next event, when it is time.
func (s *steady) publish(t *testing.T) {
	t.Helper()
	<-s.pace.C
	s.srv.publish(t, fmt.Sprintf(`{"name":"n","channel":"steady","data":"%d %d"}`, s.count, time.Now().UnixNano()))
	s.count++
}

// latencies waits until everybody has heard all, and returns how long it took since it was last asked.
func (s *steady) latencies(t *testing.T) (all []time.Duration) {
	t.Helper()
	late := time.After(time.Minute)
	for i, took := range s.took {
		for range s.count - s.heard {
			select {
			case d, ok := <-took:
				if !ok {
					t.Fatalf("the connection of steady client %d has ended", i)
				}
				all = append(all, d)
			case <-late:
				t.Fatalf("steady client %d has not heard everything", i)
			}
		}
	}
	s.heard = s.count
	return all
}

// countRefused returns the refused connections by reason, as /metrics has them.
func countRefused(t *testing.T, addr string) map[string]int {
	t.Helper()
	counted := make(map[string]int)
	for series, value := range scrape(t, addr) {
		rest, ok := strings.CutPrefix(series, `reverb_connections_refused_total{reason="`)
		if reason, _, _ := strings.Cut(rest, `"`); ok && value != 0 {
			counted[reason] = int(value)
		}
	}
	return counted
}

// scrape returns what /metrics says of each series.
func scrape(t *testing.T, addr string) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Error(err)
		return all
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil && series != "#" {
			all[series] = n
		}
	}
	return all
}

// A storm is the processes with the clients. Each says in the end what has come of them, and keeps its connections until
// its input is closed.
type storm struct {
	parts [stormParts]struct {
		cmd   *exec.Cmd
		in    io.Closer
		out   outputBuffer
		ended chan struct{}
	}
}

// What tells a process of clients where to go, and which of the clients it has.
const (
	stormPort = "REVERB_GO_STORM_PORT"
	stormPart = "REVERB_GO_STORM_PART"
)

func startStorm(t *testing.T, port int) *storm {
	t.Helper()
	s := new(storm)
	for i := range s.parts {
		p := &s.parts[i]
		p.cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStormClients$", "-test.v")
		p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", stormPort, port), fmt.Sprintf("%s=%d", stormPart, i))
		p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
		in, err := p.cmd.StdinPipe()
		if err == nil {
			err = p.cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		p.in, p.ended = in, make(chan struct{})
		go func() {
			defer close(p.ended)
			p.cmd.Wait()
		}()
		t.Cleanup(func() { <-p.ended })
	}
	return s
}

// isRunning reports whether clients of a process are still trying.
func (s *storm) isRunning() bool {
	for i := range s.parts {
		p := &s.parts[i]
		select {
		case <-p.ended:
			continue
		default:
		}
		if !strings.Contains(p.out.String(), "storm: ") {
			return true
		}
	}
	return false
}

// counts ends the processes.
func (s *storm) counts(t *testing.T) (accepted, refused int) {
	t.Helper()
	for i := range s.parts {
		p := &s.parts[i]
		p.in.Close()
		<-p.ended
		_, rest, _ := strings.Cut(p.out.String(), "storm: ")
		var a, r int
		if n, _ := fmt.Sscanf(rest, "%d accepted, %d refused", &a, &r); n != 2 || !p.cmd.ProcessState.Success() {
			t.Fatalf("the clients: %v\n%s", p.cmd.ProcessState, p.out.String())
		}
		accepted, refused = accepted+a, refused+r
	}
	return accepted, refused
}

// TestStormClients is each of the other processes of TestStorm.
func TestStormClients(t *testing.T) {
	port, err := strconv.Atoi(os.Getenv(stormPort))
	if err != nil {
		t.Skip("TestStorm runs this in processes of its own")
	}
	part, _ := strconv.Atoi(os.Getenv(stormPart))
	var wg sync.WaitGroup
	var accepted, refused atomic.Int64
	conns := make([]net.Conn, stormClients) // who is accepted stays to the end
	for i := part; i < stormClients; i += stormParts {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%100))}
		if i < stormCrowd {
			from.IP = net.IPv4(127, 0, 2, 1)
		}
		wg.Go(func() {
			for range stormAttempts {
				if conns[i] = weather(t, port, from); conns[i] != nil {
					accepted.Add(1)
					return
				}
				refused.Add(1)
				<-time.After(time.Second)
			}
		})
	}
	wg.Wait()
	fmt.Printf("storm: %d accepted, %d refused\n", accepted.Load(), refused.Load())
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// weather tries once to connect, and returns the connection if that was accepted.
func weather(t *testing.T, port int, from *net.TCPAddr) net.Conn {
	c, told := knock(t, port, from)
	switch {
	case c.conn == nil:
		return nil
	case isEstablished(told):
		return c.conn
	case !strings.Contains(told, `"code":4100`) && !strings.HasPrefix(told, "503 "):
		t.Errorf("a client was told %s, want a 4100 or, before it asked for anything, a 503", told)
	}
	c.conn.Close()
	return nil
}

// knock tries once to connect, and returns what the server says. Without a TCP connection the client has none.
func knock(t *testing.T, port int, from *net.TCPAddr) (c *loadClient, told string) {
	c = &loadClient{t: t, conn: dialFrom(t, port, from)}
	if c.conn == nil {
		return c, ""
	}
	c.reader = bufio.NewReaderSize(c.conn, 512)
	return c, c.shakeHands()
}

func isEstablished(told string) bool { return strings.Contains(told, "connection_established") }

// dialFrom connects from an address, or from any.
func dialFrom(t *testing.T, port int, from *net.TCPAddr) net.Conn {
	t.Helper()
	conn, err := net.DialTCP("tcp", from, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Error(err)
		return nil
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}
