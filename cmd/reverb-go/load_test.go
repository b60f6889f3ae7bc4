//go:build linux

package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/auth"
)

// What the process is promised to do under load. Both tests print what they measured.
const (
	idleConnections = 15_000
	idleBytes       = 2 << 10 // of process memory for each of them

	fanoutPublishes   = 1_000
	fanoutSubscribers = 1_000
)

// TestIdleConnections holds many subscribed connections, of which Reverb does not survive a fifteenth (R:CLI-19), and
// looks at the memory of the process.
func TestIdleConnections(t *testing.T) {
	srv := startLoadServer(t)
	before := srv.residentBytes(t)
	conns := srv.crowd(t, idleConnections)
	if t.Failed() {
		return
	}
	each := (srv.residentBytes(t) - before) / idleConnections
	t.Logf("%d idle connections, each subscribed to a channel: %d bytes of process memory each", idleConnections, each)
	if each >= idleBytes {
		t.Errorf("%d bytes of memory for each idle connection, want less than %d", each, idleBytes)
	}
	// The first and the last are still served.
	for _, c := range []*loadClient{conns[0], conns[idleConnections-1]} {
		c.reader = bufio.NewReader(c.conn)
		c.say(`{"event":"pusher:ping"}`)
		if got := c.hear(); got != `{"event":"pusher:pong"}` {
			t.Errorf("an idle connection got %s, want a pong", got)
		}
	}
}

// crowd returns n clients that are subscribed to the channel idle and have no reader.
func (s *loadServer) crowd(t *testing.T, n int) []*loadClient {
	t.Helper()
	var wg sync.WaitGroup
	conns := make([]*loadClient, n)
	const dialers = 8
	for d := range dialers {
		wg.Go(func() {
			for i := d; i < len(conns); i += dialers {
				conns[i] = s.dial(t, "idle")
				// Its buffer is of no use any more, and there are many.
				conns[i].reader = nil
			}
		})
	}
	wg.Wait()
	return conns
}

// TestFanout publishes many events to many subscribers. Each must get all of them in order.
func TestFanout(t *testing.T) {
	srv := startLoadServer(t)
	var wg sync.WaitGroup
	clients := make([]*loadClient, fanoutSubscribers)
	for i := range clients {
		clients[i] = srv.dial(t, "fanout")
	}
	cpu := srv.cpuTime(t)
	for _, c := range clients {
		wg.Go(func() {
			for i := range fanoutPublishes {
				want := fmt.Sprintf(`{"event":"n","data":"%d","channel":"fanout"}`, i)
				if got := c.hear(); got != want {
					t.Errorf("event %d is %s, want %s", i, got, want)
					return
				}
			}
		})
	}
	for i := range fanoutPublishes {
		srv.publish(t, fmt.Sprintf(`{"name":"n","channel":"fanout","data":"%d"}`, i))
	}
	wg.Wait()
	cpu = srv.cpuTime(t) - cpu
	t.Logf("%d deliveries, %v of server CPU time each, publishing included", fanoutPublishes*fanoutSubscribers,
		cpu/(fanoutPublishes*fanoutSubscribers))
}

type loadServer struct {
	*server
	app *auth.App
}

func startLoadServer(t *testing.T) *loadServer { return startLoadServers(t, buildBinary(t), 1)[0] }

func startLoadServers(t *testing.T, binary string, n int, env ...string) []*loadServer {
	t.Helper()
	if testing.Short() {
		t.Skip("a load test")
	}
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "app-id", "app-key", "app-secret"
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "REVERB_APP_ID=app-id", "REVERB_APP_KEY=app-key", "REVERB_APP_SECRET=app-secret")
	var servers []*loadServer
	for range n {
		servers = append(servers, &loadServer{startServer(t, binary, env...), app})
	}
	return servers
}

func (s *loadServer) publish(t *testing.T, body string) {
	t.Helper()
	if err := s.tryToPublish(http.DefaultClient, body); err != nil {
		t.Fatal(err)
	}
}

func (s *loadServer) tryToPublish(client *http.Client, body string) error {
	const path = "/apps/app-id/events"
	query := s.app.SignRequest("POST", path, nil, []byte(body), time.Now())
	resp, err := client.Post(s.url()+path+"?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("publish: %d %s", resp.StatusCode, answer)
	}
	return nil
}

// residentBytes returns the memory of the process that is in use.
func (s *loadServer) residentBytes(t *testing.T) int { return s.memoryBytes(t, "VmRSS:") }

// memoryBytes returns what the kernel says of the process's memory.
func (s *loadServer) memoryBytes(t *testing.T, what string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == what {
			kib, _ := strconv.Atoi(fields[1])
			return kib << 10
		}
	}
	t.Fatalf("no %s in /proc", what)
	return 0
}

// cpuTime returns the time the process has used, in user and system mode. The kernel counts hundredths of a second.
func (s *loadServer) cpuTime(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(rest))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100
}

// loadClient is a client with as little around the socket as can be.
type loadClient struct {
	t      *testing.T
	id     string // of its socket
	conn   net.Conn
	reader *bufio.Reader
}

// dial returns a client that is subscribed to the channel.
func (s *loadServer) dial(t *testing.T, channel string) *loadClient {
	c := s.connect(t)
	c.subscribe(s.subscription(channel, c.id, ""))
	return c
}

// join returns a client that is a user in a presence channel.
func (s *loadServer) join(t *testing.T, channel, user string) *loadClient {
	c := s.connect(t)
	c.subscribe(s.subscription(channel, c.id, user))
	return c
}

// subscription is what a connection says to subscribe to a channel, signed if that needs it.
func (s *loadServer) subscription(channel, id, user string) string {
	switch data := fmt.Sprintf(`{"user_id":%q}`, user); {
	case strings.HasPrefix(channel, "presence-"):
		return fmt.Sprintf(`{"channel":%q,"channel_data":%q,"auth":%q}`, channel, data, s.app.SignChannel(id, channel, data))
	case strings.HasPrefix(channel, "private-"):
		return fmt.Sprintf(`{"channel":%q,"auth":%q}`, channel, s.app.SignChannel(id, channel, ""))
	}
	return fmt.Sprintf(`{"channel":%q}`, channel)
}

func (c *loadClient) subscribe(data string) {
	c.say(`{"event":"pusher:subscribe","data":` + data + `}`)
	if got := c.hear(); !strings.Contains(got, "subscription_succeeded") {
		c.t.Errorf("subscribe was answered with %s", got)
	}
}

// connect returns a client that is connected.
func (s *loadServer) connect(t *testing.T) *loadClient {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		t.Error(err)
		return &loadClient{t: t}
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	c := &loadClient{t: t, conn: conn, reader: bufio.NewReader(conn)}
	c.greet()
	return c
}

// greet shakes hands, notes the id of the socket, and returns what the server has said.
func (c *loadClient) greet() string {
	told := c.shakeHands()
	_, rest, _ := strings.Cut(told, `\"socket_id\":\"`)
	c.id, _, _ = strings.Cut(rest, `\"`)
	return told
}

// shakeHands returns the first message that the server sends, or what went wrong.
func (c *loadClient) shakeHands() string {
	_, err := fmt.Fprintf(c.conn, "GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if err != nil {
		return err.Error()
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err.Error()
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return answer.Status
	}
	return c.hear()
}

func (c *loadClient) say(text string) {
	if err := c.send(text); err != nil {
		c.t.Error(err)
	}
}

func (c *loadClient) send(text string) error {
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

// hear returns the next message, or what went wrong. It answers pings.
func (c *loadClient) hear() string {
	for {
		header, err := ws.ReadHeader(c.reader)
		if err != nil {
			return err.Error()
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(c.reader, payload); err != nil {
			return err.Error()
		}
		if header.OpCode != ws.OpPing {
			return string(payload)
		}
		if err := ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewPongFrame(payload))); err != nil {
			return err.Error()
		}
	}
}
