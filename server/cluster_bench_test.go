package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// What Redis between nodes costs: the same work on a node that is alone, and from one node to another.

// benchNodes returns the addresses of nodes, and their brokers. The app is like the default but for messages of any size, and
// changes.
func benchNodes(b *testing.B, s *redisServer, n int, changes ...func(*auth.App)) (addrs []string, brokers []server.Broker, app *auth.App) {
	b.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret, a.MaxMessageSize = "1", "app-key", "app-secret", 0
	for _, change := range changes {
		change(&a)
	}
	app, err := auth.NewApp(a)
	if err != nil {
		b.Fatal(err)
	}
	apps, err := auth.NewApps(app)
	if err != nil {
		b.Fatal(err)
	}
	prefix := newPrefix()
	for range n {
		var broker server.Broker = scaling.NewLocal()
		if s != nil {
			broker = s.newBroker(b, prefix)
		}
		addrs = append(addrs, startBenchNode(b, server.Config{Apps: apps}, broker))
		brokers = append(brokers, broker)
	}
	return addrs, brokers, app
}

// dialBench returns a connection that is subscribed, and has read the answer. channelData is for presence channels.
func dialBench(b *testing.B, addr string, app *auth.App, channel, channelData string) (io.ReadWriter, *bufio.Reader) {
	b.Helper()
	conn, buffered, _, err := ws.Dial(context.Background(), "ws://"+addr+"/app/app-key")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	if buffered == nil {
		buffered = bufio.NewReader(conn)
	}
	id := socketIDIn([]byte(readBench(b, buffered)))
	subscribeBench(b, conn, buffered, app, id, channel, channelData)
	return conn, buffered
}

func readBench(b *testing.B, r *bufio.Reader) string {
	b.Helper()
	h, err := ws.ReadHeader(r)
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(r, payload); err != nil {
		b.Fatal(err)
	}
	return string(payload)
}

func subscribeBench(b *testing.B, w io.Writer, r *bufio.Reader, app *auth.App, id, channel, channelData string) {
	b.Helper()
	message := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q}}`, channel)
	if channelData != "" {
		message = fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"channel_data":%q,"auth":%q}}`,
			channel, channelData, app.SignChannel(id, channel, channelData))
	}
	say(b, w, message)
	for !strings.Contains(readBench(b, r), "subscription_succeeded") {
	}
}

func say(b *testing.B, w io.Writer, message string) {
	b.Helper()
	if err := ws.WriteFrame(w, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(message)))); err != nil {
		b.Fatal(err)
	}
}

// benchmarkDelivery publishes at one address what subscribers at another hear. An op is a delivery.
func benchmarkDelivery(b *testing.B, subscribers int, addrs []string, broker server.Broker, app *auth.App) {
	var wg sync.WaitGroup
	publishes := (b.N + subscribers - 1) / subscribers
	var readers []*bufio.Reader
	for range subscribers {
		_, r := dialBench(b, addrs[len(addrs)-1], app, "news", "")
		readers = append(readers, r)
	}
	payload := protocol.AppendEvent(nil, "n", `"`+strings.Repeat("x", 150)+`"`, "news")
	b.ResetTimer()
	for _, r := range readers {
		wg.Go(func() {
			for range publishes {
				h, err := ws.ReadHeader(r)
				if err == nil {
					_, err = r.Discard(int(h.Length))
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	for range publishes {
		if cluster, ok := broker.(server.Cluster); ok {
			cluster.WaitForRoom()
		}
		broker.Publish(protocol.Broadcast{AppID: "1", Channel: "news", Payload: payload})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

func BenchmarkDeliveryAlone(b *testing.B) {
	addrs, brokers, app := benchNodes(b, nil, 1)
	benchmarkDelivery(b, 100, addrs, brokers[0], app)
}

func BenchmarkDeliveryAcrossNodes(b *testing.B) {
	addrs, brokers, app := benchNodes(b, startRedis(b), 2)
	benchmarkDelivery(b, 100, addrs, brokers[0], app)
}

// BenchmarkPublishAcrossNodes has a single subscriber, so that an op is a publish.
func BenchmarkPublishAcrossNodes(b *testing.B) {
	addrs, brokers, app := benchNodes(b, startRedis(b), 2)
	benchmarkDelivery(b, 1, addrs, brokers[0], app)
}

// BenchmarkPresenceJoinLeave has one user come and go in a presence channel of 1,000 members, on the other node of
// two. An op is both.
func BenchmarkPresenceJoinLeave(b *testing.B) {
	s := startRedis(b)
	addrs, brokers, app := benchNodes(b, s, 2)
	cluster := brokers[0].(server.Cluster)
	for i := range 999 {
		id := strconv.Itoa(i)
		cluster.Join("1", "presence-room", protocol.Member{ID: id, IDJSON: id, Info: "null", Data: `{"user_id":` + id + `}`}, 0)
	}
	if err := cluster.(*scaling.Redis).Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	conn, buffered, _, err := ws.Dial(context.Background(), "ws://"+addrs[1]+"/app/app-key")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if buffered == nil {
		buffered = bufio.NewReaderSize(conn, 64<<10)
	}
	id := socketIDIn([]byte(readBench(b, buffered)))
	before := s.commands(b)
	for b.Loop() {
		subscribeBench(b, conn, buffered, app, id, "presence-room", `{"user_id":"visitor"}`)
		say(b, conn, `{"event":"pusher:unsubscribe","data":{"channel":"presence-room"}}`)
	}
	if err := brokers[1].(*scaling.Redis).Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(s.commands(b)-before)/float64(b.N), "redis-commands/op")
}

// commands returns how many scripts and subscriptions Redis has been asked for: what scripts do inside is not counted.
func (r *redisServer) commands(b *testing.B) (total int) {
	b.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(stats) {
		name, rest, _ := strings.Cut(line, ":calls=")
		count, _, _ := strings.Cut(rest, ",")
		switch strings.TrimPrefix(name, "cmdstat_") {
		case "evalsha", "subscribe", "ssubscribe", "unsubscribe":
			n, _ := strconv.Atoi(count)
			total += n
		}
	}
	return total
}

func startBenchNode(b *testing.B, cfg server.Config, broker server.Broker) (addr string) {
	b.Helper()
	srv, err := server.New(cfg, broker)
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = srv.Shutdown(ctx)
		<-served
		if r, ok := broker.(*scaling.Redis); ok {
			_ = r.Stop(ctx)
		}
	})
	return ln.Addr().String()
}
