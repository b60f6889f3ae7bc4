package webhook

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/reverb-go/reverb-go/internal/services"
)

// redisServer is a redis-server of the test's own, which can be stopped and started again at its address.
type redisServer struct {
	t    *testing.T
	addr string
	stop func()
	Redis
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	logging.Disable() // go-redis tells standard error of every connection that fails
	s := &redisServer{t: t, addr: services.FreeAddr()}
	s.Redis = Redis{Prefix: "laravel_database_", Client: redis.NewClient(&redis.Options{
		Addr: s.addr, ContextTimeoutEnabled: true, MaxRetries: -1,
	})}
	t.Cleanup(func() { s.Client.Close() })
	s.start()
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	s.stop = services.RedisAt(s.t, s.addr).Stop
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
