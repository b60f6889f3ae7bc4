//go:build linux

package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

const (
	refusedSeries = `reverb_connections_refused_total{reason=%q}`
	closedSeries  = `reverb_connections_closed_total{reason=%q}`
	answerSeries  = `reverb_http_requests_total{route="other",status=%q}`

	manyAttackers = 300
	fewFiles      = 512
	fileTakers    = 2 * manyAttackers
	huge          = 50 << 20 // bytes that are declared
)

var overloads = []overload{
	{
		name: "slow readers", env: []string{"REVERB_GO_MAX_QUEUED=65536"}, attack: readSlowly,
		counted: fmt.Sprintf(closedSeries, "slow"), atLeast: slowReaders, grows: overloadMemory,
	},
	{
		name: "half-open connections", env: []string{"REVERB_APP_PING_INTERVAL=1"}, attack: fallSilent,
		counted: fmt.Sprintf(closedSeries, "timeout"), atLeast: manyAttackers, grows: overloadMemory,
	},
	{
		name: "slow requests", env: []string{"REVERB_GO_HANDSHAKE_TIMEOUT=2s"}, attack: askSlowly,
		counted: fmt.Sprintf(answerSeries, "408"), atLeast: manyAttackers, grows: overloadMemory,
	},
	{
		name: "a flood of handshakes", env: []string{"REVERB_GO_MAX_HANDSHAKES_PER_SECOND=50"}, attack: floodHandshakes,
		counted: fmt.Sprintf(refusedSeries, "handshake_rate"), atLeast: 5 * manyAttackers, grows: overloadMemory,
	},
	{
		name: "no files left for clients", files: fewFiles, attack: takeFiles,
		counted: fmt.Sprintf(refusedSeries, "files"), atLeast: fileTakers - fewFiles, grows: overloadMemory,
	},
	{
		name: "no files left for requests", files: fewFiles, attack: takeFilesSilently,
		counted: fmt.Sprintf(refusedSeries, "files"), atLeast: fileTakers - fewFiles, grows: overloadMemory,
	},
	{
		name: "no memory left", setUp: limitMemory, attack: takeMemory,
		counted: fmt.Sprintf(refusedSeries, "memory"), atLeast: 2 * manyAttackers, grows: overloadMemory,
	},
	{
		name: "a Redis that stalls", setUp: useRedis, attack: stallRedis,
		counted: "reverb_redis_outages_total", atLeast: 1, grows: overloadMemory, after: awaitHealth,
	},
	{
		name: "a webhook receiver that hangs", setUp: useReceiver, attack: hangReceiver,
		counted: "reverb_webhook_attempts_failed_total", atLeast: 1, grows: overloadMemory, after: awaitReceived,
	},
	{
		name: "huge frames", attack: declareFrames,
		counted: fmt.Sprintf(closedSeries, "too_big"), atLeast: manyAttackers, grows: overloadMemory,
	},
	{
		name: "huge requests", attack: declareRequests,
		counted: fmt.Sprintf(answerSeries, "413"), atLeast: manyAttackers, grows: overloadMemory,
	},
}

const slowReaders = 50

// readSlowly has clients of a channel with large events not read.
func readSlowly(a *attacker) {
	for range slowReaders {
		c := a.dial(a.t, "large")
		if c.conn != nil {
			_ = c.conn.(*net.TCPConn).SetReadBuffer(4096)
			a.keep(c.conn)
		}
	}
	body := fmt.Sprintf(`{"name":"n","channel":"large","data":%q}`, strings.Repeat("x", 8<<10))
	closed := fmt.Sprintf(closedSeries, "slow")
	want := scrape(a.t, a.metricsAddr)[closed] + slowReaders
	for i := 0; !a.t.Failed(); i++ {
		if err := a.tryToPublish(http.DefaultClient, body); err != nil {
			a.t.Error(err)
		}
		if i%50 == 0 && scrape(a.t, a.metricsAddr)[closed] >= want {
			return
		}
	}
}

// fallSilent has clients do nothing any more, as if their machines were gone.
func fallSilent(a *attacker) {
	a.crowd(manyAttackers, func(int) { a.keep(a.dial(a.t, "silent").conn) })
	a.awaitCount(fmt.Sprintf(closedSeries, "timeout"), manyAttackers)
}

// askSlowly sends requests byte by byte, which never end.
func askSlowly(a *attacker) {
	var answered atomic.Int64
	for range manyAttackers {
		c := dialFrom(a.t, a.port, nil)
		if c == nil {
			return
		}
		a.keep(c)
		go drip(c)
		go func() {
			if heard, _ := io.ReadAll(c); strings.HasPrefix(string(heard), "HTTP/1.1 408 ") {
				answered.Add(1)
			}
		}()
	}
	a.await("all slow requests to be answered with 408", func() bool { return answered.Load() == manyAttackers })
}

// drip writes a request slowly until the connection ends.
func drip(c net.Conn) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	_, err := io.WriteString(c, "GET /app/app-key HTTP/1.1\r\nX: ")
	for err == nil {
		<-tick.C
		_, err = io.WriteString(c, "x")
	}
}

// floodHandshakes has far more clients come than may. Those who are refused are told to come back.
func floodHandshakes(a *attacker) { a.comeInCrowds(10 * manyAttackers) }

// takeFiles has clients come until there are no files left for them. The backend can still publish.
func takeFiles(a *attacker) {
	a.comeInCrowds(fileTakers)
	a.publishAnew()
}

// takeFilesSilently leaves no files even for requests.
func takeFilesSilently(a *attacker) {
	a.comeSilently(fileTakers)
	a.awaitCount(fmt.Sprintf(refusedSeries, "files"), fileTakers-fewFiles)
}

// comeSilently has clients connect and say nothing.
func (a *attacker) comeSilently(clients int) {
	for range clients {
		if c := dialFrom(a.t, a.port, nil); c != nil {
			a.keep(c)
		}
	}
}

// What is beyond the server's limit of half the memory is far from all of it: the kernel must not end anybody.
const (
	groupMemory = 256 << 20
	eatenMemory = 140 << 20
)

// limitMemory makes a control group for the server.
func limitMemory(a *attacker) (env []string) {
	for _, group := range []struct{ dir, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		dir, err := os.MkdirTemp(group.dir, "reverb-go-test-")
		if err != nil {
			continue
		}
		a.t.Cleanup(func() { os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, group.limit), []byte(strconv.Itoa(groupMemory)), 0o600) == nil {
			a.group = dir
			return []string{"REVERB_GO_MEMORY_LIMIT=50%"}
		}
	}
	a.t.Skip("no control group with a limit of memory can be made here")
	return nil
}

// takeMemory has another program use the memory that the server shares with it, and clients come meanwhile.
func takeMemory(a *attacker) {
	procs := filepath.Join(a.group, "cgroup.procs")
	if err := os.WriteFile(procs, []byte(strconv.Itoa(a.cmd.Process.Pid)), 0o600); err != nil {
		a.t.Error(err)
		return
	}
	// tail keeps what may be the last line, however long that is.
	eater := exec.Command("sh", "-c", `echo $$ > "$0" && exec tail -n 1`, procs)
	in, err := eater.StdinPipe()
	if err == nil {
		err = eater.Start()
	}
	if err != nil {
		a.t.Error(err)
		return
	}
	a.atEnd(func() { _ = eater.Process.Kill(); _ = eater.Wait() })
	if _, err := io.CopyN(in, zeros{}, eatenMemory); err != nil {
		a.t.Error(err)
	}
	a.await("memory to be short", func() bool { return strings.Contains(a.output.String(), "memory is short") })
	a.comeInCrowds(manyAttackers)
	a.publishAnew()
	const requests = 1_000 // begun at once are the most that may take memory then
	a.comeSilently(requests + manyAttackers)
	a.awaitCount(fmt.Sprintf(refusedSeries, "memory"), 2*manyAttackers)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// comeInCrowds has clients come, each of which is accepted or told to come back.
func (a *attacker) comeInCrowds(clients int) {
	a.crowd(clients, func(int) {
		if c := weather(a.t, a.port, nil); c != nil {
			a.keep(c)
		}
	})
}

func useRedis(a *attacker) (env []string) {
	a.redis, env = startRedisProcess(a.t)
	return env
}

// stallRedis stops Redis until the server has noticed. Clients who come meanwhile are served.
func stallRedis(a *attacker) {
	if err := a.redis.Signal(syscall.SIGSTOP); err != nil {
		a.t.Error(err)
	}
	a.atEnd(func() { _ = a.redis.Signal(syscall.SIGCONT) })
	a.awaitCount("reverb_redis_outages_total", 1)
	const clients = 50 // each waits for two seconds, as long as Redis may take
	a.crowd(clients, func(i int) { a.keep(a.dial(a.t, fmt.Sprint("stalled-", i)).conn) })
	a.publishAnew()
}

// awaitHealth waits until the server says that all its parts work.
func awaitHealth(a *attacker) {
	a.await("the server to be well", func() bool {
		resp, err := http.Get(a.url() + "/healthz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return strings.HasPrefix(string(text), `{"status":"ok"`)
	})
}

// useReceiver has the server send webhooks to a receiver that hangs until the attack ends.
func useReceiver(a *attacker) (env []string) {
	hang := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-hang }))
	a.t.Cleanup(receiver.Close)
	a.atEnd(func() { close(hang) })
	return []string{"REVERB_GO_WEBHOOK_URL=" + receiver.URL}
}

// hangReceiver has things happen that the receiver has to be told.
func hangReceiver(a *attacker) {
	a.crowd(10*manyAttackers, func(i int) {
		if c := a.join(a.t, fmt.Sprint("presence-", i%10), fmt.Sprint("user-", i)); c.conn != nil {
			c.conn.Close()
		}
	})
	a.awaitCount("reverb_webhook_attempts_failed_total", 1)
	if queued := scrape(a.t, a.metricsAddr)["reverb_webhook_events_queued"]; queued < 10*manyAttackers {
		a.t.Errorf("%v events wait for the receiver, want all", queued)
	}
}

// awaitReceived waits until the receiver has been told everything.
func awaitReceived(a *attacker) {
	a.await("the receiver to be told everything", func() bool { return scrape(a.t, a.metricsAddr)["reverb_webhook_events_queued"] == 0 })
}

// declareFrames begins frames that would be huge, and goes on until refused.
func declareFrames(a *attacker) {
	a.crowd(manyAttackers, func(int) {
		c := a.connect(a.t)
		if c.conn == nil {
			return
		}
		defer c.conn.Close()
		if err := ws.WriteHeader(c.conn, ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: huge}); err != nil {
			a.t.Error(err)
		}
		_, _ = io.CopyN(c.conn, zeros{}, 64<<10)
		if got, want := c.hear(), "\x03\xf1"; !strings.HasPrefix(got, want) {
			a.t.Errorf("a huge frame was answered with %q, want a close with code 1009", got)
		}
	})
}

// declareRequests begins requests that would be huge.
func declareRequests(a *attacker) {
	a.crowd(manyAttackers, func(int) {
		c := dialFrom(a.t, a.port, nil)
		if c == nil {
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", huge)
		_, _ = io.CopyN(c, zeros{}, 64<<10)
		status := make([]byte, len("HTTP/1.1 413 "))
		if _, err := io.ReadFull(c, status); string(status) != "HTTP/1.1 413 " {
			a.t.Errorf("a huge request was answered with %q (%v), want a 413", status, err)
		}
	})
}
