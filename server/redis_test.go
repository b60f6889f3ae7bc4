package server_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/internal/services"
	"github.com/reverb-go/reverb-go/scaling"
)

// A redisServer is a redis-server process of the tests' own.
type redisServer struct {
	addr string
	args []string
	cmd  *exec.Cmd
}

// startRedis starts a Redis that keeps nothing on disk and is stopped with the test.
func startRedis(t testing.TB, args ...string) *redisServer {
	t.Helper()
	return startProgram(t, append([]string{"--save", "", "--appendonly", "no"}, args...)...)
}

// startProgram starts redis-server on a free port.
func startProgram(t testing.TB, args ...string) *redisServer {
	t.Helper()
	requireRedis(t)
	port := redisPort(t)
	r := &redisServer{addr: fmt.Sprintf("127.0.0.1:%d", port)}
	r.args = append(args, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir())
	r.start(t)
	t.Cleanup(r.kill)
	return r
}

// redisPort returns a port that is free, as is the one 10,000 above, on which nodes of a Cluster talk.
func redisPort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := services.FreePort()
		if port >= 22_000 {
			port -= 10_000
		}
		if services.IsFree(port) && services.IsFree(port+10_000) {
			return port
		}
	}
	t.Fatal("no port is free for a redis-server")
	return 0
}

func requireRedis(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("redis-server is not installed")
	}
	t.Skip("redis-server is not installed")
}

func (r *redisServer) start(t testing.TB) {
	t.Helper()
	r.cmd = exec.Command("redis-server", r.args...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	deadline := time.Now().Add(patience)
	for client.Ping(context.Background()).Err() != nil {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
}

func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

var redisPrefixes atomic.Int64

// newBroker returns a broker in a cluster of its own: prefix names it.
func (r *redisServer) newBroker(t testing.TB, prefix string) *scaling.Redis {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return scaling.NewRedis(client, scaling.Options{Prefix: prefix, Lease: 5 * time.Second})
}

func newPrefix() string { return fmt.Sprintf("test%d:", redisPrefixes.Add(1)) }
