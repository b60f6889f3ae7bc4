package ephemeral

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long things are true.
const (
	TypingTTL    = 6 * time.Second
	HeartbeatTTL = 90 * time.Second
)

// prefix is in front of all keys, next to asynq's own.
const prefix = "messaging:"

// Redis is a connection to a Redis.
type Redis struct {
	client redis.UniversalClient
	now    func() time.Time
	local  localLimits // while Redis is away
}

// New uses a connection that is the caller's to close.
func New(client redis.UniversalClient, now func() time.Time) *Redis {
	return &Redis{client: client, now: now}
}

// Dial connects to the Redis at a URL. A request of ours waits for it a second at most: people wait for us.
func Dial(url string) (redis.UniversalClient, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("read the address of Redis: %w; hint: REDIS_URL looks like redis://user:password@host:6379/0", err)
	}
	options.DialTimeout = time.Second
	options.ReadTimeout = time.Second
	options.WriteTimeout = time.Second
	options.MaxRetries = 1
	return redis.NewClient(options), nil
}

// LogTo has go-redis, which has one log for all connections, write to ours.
func LogTo(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, args...))
}

// Ping reports whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return r.client.Ping(ctx).Err() }

func typingKey(conversation, user int64) string {
	return fmt.Sprintf("%styping:%d:%d", prefix, conversation, user)
}

// StartTyping notes that a user writes, until the time returned unless it is called again.
func (r *Redis) StartTyping(ctx context.Context, conversation, user int64) (time.Time, error) {
	until := r.now().Add(TypingTTL)
	return until, r.client.Set(ctx, typingKey(conversation, user), until.UnixMicro(), TypingTTL).Err()
}

// StopTyping forgets it and reports whether there was something to forget.
func (r *Redis) StopTyping(ctx context.Context, conversation, user int64) (bool, error) {
	n, err := r.client.Del(ctx, typingKey(conversation, user)).Result()
	return n > 0, err
}

// Typing returns which of the users write, and until when that is believed.
func (r *Redis) Typing(ctx context.Context, conversation int64, users []int64) (map[int64]time.Time, error) {
	keys := make([]string, len(users))
	for i, user := range users {
		keys[i] = typingKey(conversation, user)
	}
	found, err := r.values(ctx, users, keys)
	list := make(map[int64]time.Time, len(found))
	for user, value := range found {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			list[user] = time.UnixMicro(n).UTC()
		}
	}
	return list, err
}

func onlineKey(user int64) string { return fmt.Sprintf("%sonline:%d", prefix, user) }

// Heartbeat notes that a user is there, with the conversation in view (0 for none), until the time returned.
func (r *Redis) Heartbeat(ctx context.Context, user, conversation int64) (time.Time, error) {
	return r.now().Add(HeartbeatTTL), r.client.Set(ctx, onlineKey(user), conversation, HeartbeatTTL).Err()
}

// Leave forgets that a user is there.
func (r *Redis) Leave(ctx context.Context, user int64) error {
	return r.client.Del(ctx, onlineKey(user)).Err()
}

// Online returns which of the users are there.
func (r *Redis) Online(ctx context.Context, users []int64) (map[int64]bool, error) {
	keys := make([]string, len(users))
	for i, user := range users {
		keys[i] = onlineKey(user)
	}
	found, err := r.values(ctx, users, keys)
	list := make(map[int64]bool, len(found))
	for user := range found {
		list[user] = true
	}
	return list, err
}

// values returns what the keys hold, by the user of the same place.
func (r *Redis) values(ctx context.Context, users []int64, keys []string) (map[int64]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	values, err := r.client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, err
	}
	found := make(map[int64]string)
	for i, v := range values {
		if s, ok := v.(string); ok {
			found[users[i]] = s
		}
	}
	return found, nil
}
