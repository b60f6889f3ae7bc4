package webhook

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// missing skips the test, or fails it in CI, where everything has to be there.
func missing(t *testing.T, program, debian string) {
	t.Helper()
	message := fmt.Sprintf("%s is not installed (Debian: %s)", program, debian)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// redisServer is a redis-server of the test's own, which can be stopped and started again at its address.
type redisServer struct {
	t    *testing.T
	path string
	port string
	cmd  *exec.Cmd
	Redis
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	logging.Disable() // go-redis tells standard error of every connection that fails
	path, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redis-server", "redis-server")
	}
	s := &redisServer{t: t, path: path, port: freePort(t)}
	s.Redis = Redis{Prefix: "laravel_database_", Client: redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:" + s.port, ContextTimeoutEnabled: true, MaxRetries: -1,
	})}
	t.Cleanup(func() { s.Client.Close() })
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.path, "--bind", "127.0.0.1", "--port", s.port, "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("redis-server answers", func() bool { return s.Client.Ping(s.t.Context()).Err() == nil })
}

func (s *redisServer) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// eventually waits for a condition.
func (s *redisServer) eventually(what string, isSo func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("waited too long: %s", what)
		}
	}
}

// options has the dispatcher find the server as the Redis named "".
func (s *redisServer) options() Options {
	return Options{Redis: func(connection string) (Redis, error) {
		if connection != "" {
			return Redis{}, fmt.Errorf("there is no Redis %q", connection)
		}
		return s.Redis, nil
	}}
}

func (s *redisServer) list(key string) []string {
	s.t.Helper()
	all, err := s.Client.LRange(s.t.Context(), key, 0, -1).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}
