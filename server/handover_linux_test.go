package server

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server/handover"
)

// relayPatience is how long clients wait for what must come.
const relayPatience = 20 * time.Second

// A relay is a server that hands over to another one within this process.
type relay struct {
	t      *testing.T
	apps   *auth.Apps
	app    *auth.App
	server *Server
	gate   *Gate
	tls    *tls.Config // of server and clients; nil without TLS
	events *eventLog
}

// An eventLog keeps what the hooks are told.
type eventLog struct{ events chan channels.Event }

func (l *eventLog) Notify(_ *auth.App, e channels.Event) { l.events <- e }

func newRelay(t *testing.T, change func(*auth.App)) *relay {
	t.Helper()
	return openRelay(t, change, nil)
}

func openRelay(t *testing.T, change func(*auth.App), secured *tls.Config) *relay {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "1", "app-key", "app-secret"
	change(&settings)
	app, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	apps, err := auth.NewApps(app)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, apps: apps, app: app, tls: secured, events: &eventLog{make(chan channels.Event, 100)}}
	if r.server, err = New(r.config(), scaling.NewLocal()); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.serve(ln)
	t.Cleanup(func() { _ = r.server.Shutdown(t.Context()) })
	return r
}

func (r *relay) config() Config {
	return Config{Apps: r.apps, Hooks: r.events, Loops: 2, HandshakeTimeout: 2 * relayPatience}
}

func (r *relay) serve(ln net.Listener) {
	r.t.Helper()
	gate, err := NewGate(ln)
	if err != nil {
		r.t.Fatal(err)
	}
	r.gate = gate
	if ln = gate; r.tls != nil {
		ln = tls.NewListener(gate, r.tls)
	}
	s := r.server
	go func() { _ = s.Serve(ln) }() // ends with the server
}

// handOver puts a new server in the place of the one there is.
func (r *relay) handOver() Moved {
	r.t.Helper()
	to, end, err := handover.Pair()
	if err != nil {
		r.t.Fatal(err)
	}
	fd, err := unix.Dup(int(end.Fd()))
	if err != nil {
		r.t.Fatal(err)
	}
	end.Close()
	from, err := handover.Open(fd)
	if err != nil {
		r.t.Fatal(err)
	}
	file, err := r.gate.File()
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	ln, err := net.FileListener(file)
	if err != nil {
		r.t.Fatal(err)
	}
	adopted := make(chan *Server, 1)
	go func() {
		s, _, err := Adopt(r.config(), scaling.NewLocal(), Heir{From: from, Plan: handover.Plan{Apps: []string{"1"}}})
		if err != nil {
			r.t.Errorf("adopt: %v", err)
		}
		adopted <- s
	}()
	if _, err := to.Expect(handover.KindReady, &handover.Ready{}); err != nil {
		r.t.Fatal(err)
	}
	moved, err := r.server.HandOver(Moving{To: to, Gates: []*Gate{r.gate}})
	if err != nil {
		r.t.Fatal(err)
	}
	old := r.server
	if r.server = <-adopted; r.server == nil {
		r.t.FailNow()
	}
	old.Leave()
	to.Close()
	from.Close()
	r.serve(ln)
	return moved
}

// A relayClient is a client with nothing but its socket.
type relayClient struct {
	t    *testing.T
	id   string
	conn net.Conn
	in   *bufio.Reader

	wasDeflated bool // what it has heard last
}

func (r *relay) connect() *relayClient {
	r.t.Helper()
	return r.connectWith("")
}

// connectWith adds headers to the handshake.
func (r *relay) connectWith(headers string) *relayClient {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.gate.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	if r.tls != nil {
		conn = tls.Client(conn, r.tls)
	}
	r.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(relayPatience))
	c := &relayClient{t: r.t, conn: conn, in: bufio.NewReader(conn)}
	fmt.Fprintf(conn, "GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", headers)
	if _, err := http.ReadResponse(c.in, nil); err != nil {
		r.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(c.hear(), `\"socket_id\":\"`)
	c.id, _, _ = strings.Cut(rest, `\"`)
	return c
}

func (c *relayClient) hear() string {
	c.t.Helper()
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		c.t.Fatal(err)
	}
	if c.wasDeflated = h.Rsv1(); c.wasDeflated {
		if payload, err = new(inflater).inflate(payload, 1<<20); err != nil {
			c.t.Fatal(err)
		}
	}
	return string(payload)
}

func (c *relayClient) expect(want string) {
	c.t.Helper()
	if got := c.hear(); !strings.Contains(got, want) {
		c.t.Fatalf("heard %s, want %s", got, want)
	}
}

func frameBytes(c *relayClient, op ws.OpCode, isLast bool, text string) []byte {
	c.t.Helper()
	b, err := ws.CompileFrame(ws.MaskFrame(ws.NewFrame(op, isLast, []byte(text))))
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *relayClient) write(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *relayClient) say(text string) { c.write(frameBytes(c, ws.OpText, true, text)) }

const pingText = `{"event":"pusher:ping"}`

// sayAndWait says something, and waits until the server has read all so far.
func (c *relayClient) sayAndWait(b []byte) {
	c.t.Helper()
	c.write(append(b, frameBytes(c, ws.OpPing, true, "here")...))
	c.expect("here")
}

// What TLS carries cannot be moved: its clients are told to come back, and are served by the new process then.
func TestHandoverWithTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	r := openRelay(t, func(*auth.App) {}, &tls.Config{Certificates: certified.TLS.Certificates, InsecureSkipVerify: true})
	c := r.connect()
	if moved := r.handOver(); moved.Connections != 0 {
		t.Errorf("%d connections were handed over, want none", moved.Connections)
	}
	c.expect(`"code":4200`)
	if h, err := ws.ReadHeader(c.in); err != nil || h.OpCode != ws.OpClose {
		t.Fatalf("heard %+v, %v, want a close frame", h, err)
	}
	if code, err := c.in.Peek(2); err != nil || ws.StatusCode(binary.BigEndian.Uint16(code)) != 4200 {
		t.Errorf("closed with % x, %v, want 4200", code, err)
	}
	again := r.connect()
	again.say(pingText)
	again.expect(`pusher:pong`)
}

func TestHandoverOfInput(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	fragments, halves := r.connect(), r.connect()
	fragments.sayAndWait(frameBytes(fragments, ws.OpText, false, pingText[:9]))
	frame := frameBytes(halves, ws.OpText, true, pingText)
	halves.sayAndWait(nil)
	halves.write(frame[:11])
	if moved := r.handOver(); moved.Connections != 2 {
		t.Errorf("%d connections were handed over, want 2", moved.Connections)
	}
	fragments.write(frameBytes(fragments, ws.OpContinuation, true, pingText[9:]))
	fragments.expect(`pusher:pong`)
	halves.write(frame[11:])
	halves.expect(`pusher:pong`)
}

// TestHandoverOfOutput hands over a connection that does not read. What waits for it comes in one piece.
func TestHandoverOfOutput(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	c := r.connect()
	_ = c.conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	c.say(`{"event":"pusher:subscribe","data":{"channel":"a"}}`)
	c.expect("subscription_succeeded")
	// More than sockets take, and less than may wait: the loop has to keep up.
	const atLeast, size = 500_000, 50_000
	for i := 0; r.server.queued.Load() <= atLeast; i++ {
		text := fmt.Sprintf(`{"event":"e%d","data":"%s","channel":"a"}`, i, strings.Repeat("x", size))
		r.server.Deliver(broadcastOf("a", text))
		r.server.barrier()
	}
	r.handOver()
	r.server.Deliver(broadcastOf("a", `{"event":"last","data":"","channel":"a"}`))
	for i := 0; ; i++ {
		got := c.hear()
		if strings.HasPrefix(got, `{"event":"last"`) {
			return
		}
		if want := fmt.Sprintf(`{"event":"e%d","data":"x`, i); !strings.HasPrefix(got, want) {
			t.Fatalf("heard %.40s, want %s", got, want)
		}
	}
}

// TestHandoverOfState looks at what a server remembers.
func TestHandoverOfState(t *testing.T) {
	r := newRelay(t, func(a *auth.App) {
		a.RateLimit = auth.RateLimit{Enabled: true, MaxAttempts: 2, Decay: time.Hour}
		a.MaxConnectionsPerIP = 2
	})
	r.server.Deliver(broadcastOf("cache-a", "{}")) // nobody knows the app yet
	c := r.connect()
	cached := broadcastOf("cache-a", `{"event":"kept","data":"","channel":"cache-a"}`)
	cached.Cache = true
	r.server.Deliver(cached)
	channel, data := "presence-a", `{"user_id":7}`
	c.say(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"channel_data":%q,"auth":%q}}`, channel, data, r.app.SignChannel(c.id, channel, data)))
	c.expect("subscription_succeeded")
	for len(r.events.events) > 0 {
		<-r.events.events
	}
	r.handOver()
	if ids, _ := r.server.apps.find("1").registry.Users(channel); len(ids) != 1 || ids[0] != "7" {
		t.Errorf("the members are %v, want 7", ids)
	}
	if n := r.server.Connections(); n != 1 {
		t.Errorf("%d connections are counted, want 1", n)
	}
	c.say(`{"event":"pusher:subscribe","data":{"channel":"cache-a"}}`)
	c.expect("subscription_succeeded")
	c.expect("kept")
	c.say(pingText) // one more than the limit
	c.expect("Rate limit exceeded")
	r.connect()
	if got := refusedConnect(r); !strings.Contains(got, "4004") && !strings.Contains(got, "4100") && !strings.Contains(got, "code") {
		t.Errorf("a third connection from the address was answered with %s", got)
	}
	select {
	case e := <-r.events.events:
		if e.Channel != "cache-a" {
			t.Errorf("the hooks were told of %v", e)
		}
	default:
	}
}

func refusedConnect(r *relay) string {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.gate.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(relayPatience))
	fmt.Fprintf(conn, "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	in := bufio.NewReader(conn)
	if _, err := http.ReadResponse(in, nil); err != nil {
		return err.Error()
	}
	return (&relayClient{t: r.t, conn: conn, in: in}).hear()
}

// TestHandoverOfRequests hands over connections of HTTP: one between two requests, and one in the middle of one.
func TestHandoverOfRequests(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	const request = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"
	ask := func(conn net.Conn, in *bufio.Reader, text string) {
		t.Helper()
		fmt.Fprint(conn, text)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %s", resp.Status)
		}
	}
	var conns [2]net.Conn
	var ins [2]*bufio.Reader
	for i := range conns {
		conn, err := net.Dial("tcp", r.gate.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(relayPatience))
		conns[i], ins[i] = conn, bufio.NewReader(conn)
		ask(conn, ins[i], request)
	}
	fmt.Fprint(conns[1], request[:12])
	if moved := r.handOver(); moved.Requests != 2 {
		t.Errorf("%d connections of HTTP were handed over, want 2", moved.Requests)
	}
	ask(conns[0], ins[0], request)
	ask(conns[1], ins[1], request[12:])
}

// TestShutdownAfterHandover does not wait for a request on a connection of HTTP that was handed over.
func TestShutdownAfterHandover(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	idle := &relayClient{t: t}
	var err error
	if idle.conn, err = net.Dial("tcp", r.gate.Addr().String()); err != nil {
		t.Fatal(err)
	}
	defer idle.conn.Close()
	idle.write([]byte("GET /up HTTP/1.1\r\nHost: x\r\n\r\n"))
	resp, err := http.ReadResponse(bufio.NewReader(idle.conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if moved := r.handOver(); moved.Requests != 1 {
		t.Fatalf("%d connections of HTTP were handed over, want 1", moved.Requests)
	}
	done := make(chan error, 1)
	go func() { done <- r.server.Shutdown(t.Context()) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(relayPatience):
		t.Error("the server does not end")
	}
}

func broadcastOf(channel, payload string) protocol.Broadcast {
	return protocol.Broadcast{AppID: "1", Channel: channel, Payload: []byte(payload)}
}
