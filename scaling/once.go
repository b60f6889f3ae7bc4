package scaling

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// answerPause is how long a repeated request waits before it looks again whether the first one, on another
// node, has been answered.
const answerPause = 20 * time.Millisecond

// Claim reserves an idempotency key for a request whose body has this sum. The first caller gets isFirst
// and has to Answer; later ones get its answer, waiting for it as long as ctx allows. No answer and no
// error means that the key was used for another request.
func (r *Redis) Claim(ctx context.Context, appID, key, sum string, ttl time.Duration) (answer []byte, isFirst bool, err error) {
	name := r.onceKey(appID, key)
	for {
		isFirst, err := r.client.SetNX(ctx, name, sum+":", ttl).Result()
		if err != nil || isFirst {
			return nil, isFirst, err
		}
		value, err := r.client.Get(ctx, name).Result()
		if errors.Is(err, redis.Nil) {
			continue // it has just run out
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the answer kept under an idempotency key: %w", err)
		}
		kept, text, _ := strings.Cut(value, ":")
		if kept != sum {
			return nil, false, nil
		}
		if text != "" {
			return []byte(text), false, nil
		}
		if pause(ctx, answerPause); ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
	}
}

// Answer keeps the answer to a claimed request; an empty one gives the key back.
func (r *Redis) Answer(ctx context.Context, appID, key, sum string, answer []byte, ttl time.Duration) error {
	if len(answer) == 0 {
		return r.client.Del(ctx, r.onceKey(appID, key)).Err()
	}
	return r.client.Set(ctx, r.onceKey(appID, key), sum+":"+string(answer), ttl).Err()
}

func (r *Redis) onceKey(appID, key string) string {
	return fmt.Sprintf("%sonce:%d:%s:%s", r.options.Prefix, len(appID), appID, key)
}

// Flush waits until all that was queued so far has been executed.
func (r *Redis) Flush(ctx context.Context) error {
	done := make(chan struct{})
	r.queue.add(op{script: scriptCount, args: []any{"0::", 0}, done: func(any) { close(done) }})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
