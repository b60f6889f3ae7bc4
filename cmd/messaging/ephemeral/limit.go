package ephemeral

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Limit is how often something may be done in a time.
type Limit struct {
	Name string // part of the key
	Max  int
	Per  time.Duration
}

var countScript = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('PTTL', KEYS[1])}
`)

// Allow counts an attempt of who. If it is one too many, wait says when the next window begins. While Redis is
// away each process counts for itself: nobody gets in faster because something broke.
func (r *Redis) Allow(ctx context.Context, l Limit, who string) (wait time.Duration, ok bool) {
	key := prefix + "limit:" + l.Name + ":" + who
	counted, err := countScript.Run(ctx, r.client, []string{key}, l.Per.Milliseconds()).Int64Slice()
	if err != nil || len(counted) != 2 {
		return r.local.allow(r.now(), key, l)
	}
	if counted[0] > int64(l.Max) {
		return time.Duration(counted[1]) * time.Millisecond, false
	}
	return 0, true
}

// Forgive forgets the attempts of who.
func (r *Redis) Forgive(ctx context.Context, l Limit, who string) error {
	return r.client.Del(ctx, prefix+"limit:"+l.Name+":"+who).Err()
}

// localLimits counts in memory.
type localLimits struct {
	mu      sync.Mutex
	windows map[string]window // guarded by mu
}

type window struct {
	n    int
	ends time.Time
}

// maxWindows bounds the memory; beyond it those that are over are swept, and if none is, all.
const maxWindows = 10_000

func (l *localLimits) allow(now time.Time, key string, limit Limit) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.windows) >= maxWindows {
		l.sweep(now)
	}
	w, ok := l.windows[key]
	if !ok || !now.Before(w.ends) {
		w = window{ends: now.Add(limit.Per)}
	}
	w.n++
	if l.windows == nil {
		l.windows = make(map[string]window)
	}
	l.windows[key] = w
	return w.ends.Sub(now), w.n <= limit.Max
}

func (l *localLimits) sweep(now time.Time) {
	for key, w := range l.windows {
		if !now.Before(w.ends) {
			delete(l.windows, key)
		}
	}
	if len(l.windows) >= maxWindows {
		clear(l.windows)
	}
}
