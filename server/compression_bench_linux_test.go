package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

// BenchmarkCompression publishes an event of a size to subscribers on loopback, each when the one before has arrived. They are in a
// process of their own, so that the processor time is the server's. An op is an event.
func BenchmarkCompression(b *testing.B) {
	for _, subscribers := range []int{1, 1000} {
		for _, size := range []int{1 << 10, 8 << 10} {
			for mode, offer := range map[string]string{"off": "", "on": "Sec-WebSocket-Extensions: permessage-deflate\r\n"} {
				b.Run(fmt.Sprintf("subscribers=%d/size=%d/compression=%s", subscribers, size, mode), func(b *testing.B) {
					benchmarkCompression(b, subscribers, server.OrderEvent(size), offer)
				})
			}
		}
	}
}

func benchmarkCompression(b *testing.B, subscribers int, payload []byte, offer string) {
	addrs, brokers, _ := benchNodes(b, nil, 1, func(a *auth.App) { a.Compression = auth.CompressionAuto })
	addr, broker := addrs[0], brokers[0]
	startAudience(b, addr, subscribers-1, offer)
	last := bufio.NewReader(subscribeRaw(b, addr, offer))
	before, size := processorTime(b), 0
	for b.Loop() {
		broker.Publish(protocol.Broadcast{AppID: "1", Channel: "news", Payload: payload})
		size = skipFrame(b, last)
	}
	deliveries := float64(b.N) * float64(subscribers)
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/1e3/deliveries, "cpu-µs/delivery")
	b.ReportMetric(float64(size), "B/delivery")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// skipFrame returns the size of the next frame.
func skipFrame(b *testing.B, r *bufio.Reader) int {
	b.Helper()
	h, err := ws.ReadHeader(r)
	if err == nil {
		_, err = r.Discard(int(h.Length))
	}
	if err != nil {
		b.Fatal(err)
	}
	return ws.HeaderSize(h) + int(h.Length)
}

// audience is the variable that makes the test program an audience: the address, the number of subscribers, and the header they
// add to the handshake.
const audience = "REVERB_TEST_AUDIENCE"

// startAudience returns when all have subscribed.
func startAudience(b *testing.B, addr string, n int, offer string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", audience, addr, n, strings.TrimSpace(offer)))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Wait() }) // killed with the context
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		b.Fatalf("the audience says %q, %v", line, err)
	}
}

func init() {
	if what := os.Getenv(audience); what != "" {
		fmt.Fprintln(os.Stderr, beAudience(what))
		os.Exit(1)
	}
}

// beAudience subscribes and throws away what comes, until it is killed.
func beAudience(what string) error {
	addr, rest, _ := strings.Cut(what, " ")
	count, offer, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	if offer != "" {
		offer += "\r\n"
	}
	for range n {
		c, err := subscribeTo(addr, offer)
		if err != nil {
			return err
		}
		go func() { _, _ = io.Copy(io.Discard, struct{ io.Reader }{c}) }()
	}
	fmt.Println("ready")
	select {}
}

func subscribeRaw(b *testing.B, addr, offer string) net.Conn {
	b.Helper()
	c, err := subscribeTo(addr, offer)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// subscribeTo returns a connection that has read the answer to its subscribe.
func subscribeTo(addr, offer string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c, "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", offer)
	if err := readPast(c, "activity_timeout"); err != nil {
		return nil, err
	}
	if _, err := c.Write(text(`{"event":"pusher:subscribe","data":{"channel":"news"}}`)); err != nil {
		return nil, err
	}
	return c, readPast(c, `"channel":"news"}`)
}

// readPast reads until something has come.
func readPast(c net.Conn, what string) error {
	var came []byte
	buf := make([]byte, 1024)
	for !bytes.Contains(came, []byte(what)) {
		n, err := c.Read(buf)
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		came = append(came, buf[:n]...)
	}
	return nil
}
