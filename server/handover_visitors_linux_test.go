package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server/handover"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// ask opens a connection of HTTP that says nothing yet.
func (r *relay) ask() *relayClient {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.gate.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(relayPatience))
	return &relayClient{t: r.t, conn: conn, in: bufio.NewReader(conn)}
}

func (r *relay) event(data string) string { return signedEvent(r.app, data, time.Now()) }

// answered waits for the answer to an event.
func (c *relayClient) answered() {
	c.t.Helper()
	if err := c.answer(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *relayClient) answer() error {
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "{}" {
		return fmt.Errorf("answered with %s %s and %v", response.Status, body, err)
	}
	return nil
}

func (c *relayClient) publishes(text string) {
	c.t.Helper()
	c.write([]byte(text))
	c.answered()
}

// ended waits for the end of the connection.
func (c *relayClient) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("heard %q and %v, want the end", rest, err)
	}
}

// listener is a client that is subscribed to the channel a.
func (r *relay) listener() *relayClient {
	r.t.Helper()
	c := r.connect()
	c.say(`{"event":"pusher:subscribe","data":{"channel":"a"}}`)
	c.expect("subscription_succeeded")
	return c
}

// awaitRequests waits until fasthttp has n connections.
func (r *relay) awaitRequests(n int) {
	r.t.Helper()
	tracked := func() int {
		r.server.httpMu.Lock()
		defer r.server.httpMu.Unlock()
		return len(r.server.httpConns)
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(relayPatience); tracked() != n; <-ticker.C {
		if time.Now().After(deadline) {
			r.t.Fatalf("there are %d connections of fasthttp, want %d", tracked(), n)
		}
	}
}

// failToHandOver hands over to nobody.
func (r *relay) failToHandOver() error {
	r.t.Helper()
	to, end, err := handover.Pair()
	if err != nil {
		r.t.Fatal(err)
	}
	defer to.Close()
	end.Close()
	if _, err = r.server.HandOver(Moving{To: to, Gates: []*Gate{r.gate}}); err == nil {
		r.t.Error("handed over to nobody")
	}
	return err
}

// TestHandoverOfVisitors hands over who has said nothing, who has published, who has said half, and who has said all while nobody listened.
func TestHandoverOfVisitors(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("fails=%v", fails), func(t *testing.T) {
			r := newRelay(t, func(*auth.App) {})
			ear := r.listener()
			silent, idle, halves, pipes := r.ask(), r.ask(), r.ask(), r.ask()
			idle.publishes(r.event("before"))
			ear.expect(`"before"`)
			half := r.event("half")
			halves.write([]byte(half[:40]))
			pipes.write([]byte(r.event("first") + half[:1]))
			pipes.answered()
			ear.expect(`"first"`)
			r.awaitRequests(2)
			for round := range 3 {
				if fails {
					_ = r.failToHandOver()
				} else if moved := r.handOver(); moved.Requests != 4 {
					t.Errorf("%d connections of HTTP were handed over, want 4", moved.Requests)
				}
				if round == 0 {
					halves.publishes(half[40:])
					pipes.publishes(half[1:])
					ear.expect(`"half"`)
					ear.expect(`"half"`)
				}
				for i, c := range []*relayClient{silent, idle, halves, pipes} {
					data := fmt.Sprintf("round %d, %d", round, i)
					c.publishes(r.event(data))
					ear.expect(data)
				}
			}
			silent.write([]byte(handshakeText))
			if response, err := http.ReadResponse(silent.in, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("a handshake was answered with %v and %v", response, err)
			}
		})
	}
}

// TestHoldBeforeRead takes connections away from HTTP before that has read all that came early.
func TestHoldBeforeRead(t *testing.T) {
	const early = "POST /apps"
	for read := range len(early) {
		conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c := newStill(t, Config{}, nil).track(conn, []byte(early))
		if _, err := io.ReadFull(c, make([]byte, read)); err != nil {
			t.Fatal(err)
		}
		if !c.hold(true) {
			t.Fatal("not held")
		}
		if got := string(c.unread()); got != early {
			t.Errorf("after %d bytes were read, the next one would get %q", read, got)
		}
	}
}

// TestPublishingDuringHandovers has clients publish all the time: each event is answered on the same connection, and heard once.
func TestPublishingDuringHandovers(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	ear := r.listener()
	const publishers = 4
	var wg sync.WaitGroup
	var isOver atomic.Bool
	sent := make([]int, publishers)
	for i := range publishers {
		c := r.ask()
		wg.Go(func() {
			for ; !isOver.Load(); sent[i]++ {
				if _, err := io.WriteString(c.conn, r.event(fmt.Sprintf("%d/%d", i, sent[i]))); err != nil {
					t.Errorf("publisher %d: %v", i, err)
					return
				}
				if err := c.answer(); err != nil {
					t.Errorf("publisher %d, event %d: %v", i, sent[i], err)
					return
				}
			}
		})
	}
	heard := make([]int, publishers)
	hear := func() {
		text := ear.hear()
		for i := range heard {
			if strings.Contains(text, fmt.Sprintf(`"%d/%d"`, i, heard[i])) {
				heard[i]++
				return
			}
		}
		t.Fatalf("heard %s after %v", text, heard)
	}
	for range 4 {
		for range 50 {
			hear()
		}
		_ = r.failToHandOver()
		for range 50 {
			hear()
		}
		r.handOver()
	}
	isOver.Store(true)
	wg.Wait()
	for !t.Failed() && !slices.Equal(heard, sent) {
		hear()
	}
}

// TestShutdownWithVisitors: who has asked for nothing is sent away, and who has begun may end.
func TestShutdownWithVisitors(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	silent, idle, halves := r.ask(), r.ask(), r.ask()
	idle.publishes(r.event("x"))
	text := r.event("half")
	halves.write([]byte(text[:40]))
	r.awaitRequests(1)
	done := make(chan error, 1)
	go func() { done <- r.server.Shutdown(t.Context()) }()
	silent.ended()
	idle.ended()
	halves.write([]byte(text[40:]))
	halves.answered()
	halves.ended()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := r.server.visitors.Load(); n != 0 {
		t.Errorf("%d visitors are counted", n)
	}
}

// TestVisitDuringShutdown accepts connections before, while and after the server shuts down: all of them end, and so does it.
func TestVisitDuringShutdown(t *testing.T) {
	r := newRelay(t, func(*auth.App) {})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	var clients []net.Conn
	for i := range 200 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
		if i == 50 {
			go func() { done <- r.server.Shutdown(t.Context()) }()
		}
		fd, err := duplicate(accepted)
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		r.server.visit(newVisitor(fd, poll.Peer(fd)))
		if i == 100 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	for _, c := range clients {
		_ = c.SetDeadline(time.Now().Add(relayPatience))
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("heard %q and %v, want the end", rest, err)
		}
	}
	if n := r.server.visitors.Load(); n != 0 {
		t.Errorf("%d visitors are counted", n)
	}
}
