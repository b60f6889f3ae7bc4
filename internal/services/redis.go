package services

import (
	"context"
	"net"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Redis starts a redis-server for this test alone, which may stop it. It keeps nothing on disk. args are more options.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	return RedisAt(t, FreeAddr(), args...)
}

// RedisAt starts one where another has been.
func RedisAt(t testing.TB, addr string, args ...string) *Server {
	t.Helper()
	path := Find(t, "redis-server")
	dir, err := os.MkdirTemp("", "services-")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	s, err := program{
		dir: dir, addr: addr, path: path,
		isReady: func(ctx context.Context) error { return client.Ping(ctx).Err() },
		args:    append([]string{"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no"}, args...),
	}.start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}
