package scaling

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestIsOutage(t *testing.T) {
	tests := []struct {
		err  error
		want bool
	}{
		{nil, false},
		{redis.Nil, false},
		{errors.New("i/o timeout"), true},
		{redisError("MOVED 3999 127.0.0.1:6381"), true},
		{redisError("ASK 3999 127.0.0.1:6381"), true},
		{redisError("TRYAGAIN Multiple keys request during rehashing of slot"), true},
		{redisError("CLUSTERDOWN Hash slot not served"), true},
		{redisError("NOSCRIPT No matching script. Please use EVAL."), true},
		{redisError("OOM command not allowed when used memory > 'maxmemory'."), true},
		{redisError("ERR user_script:9: -READONLY You can't write against a read only replica."), true},
		{redisError("WRONGTYPE Operation against a key holding the wrong kind of value"), false},
		{redisError("ERR user_script:9: attempt to compare number with nil"), false},
	}
	for _, tt := range tests {
		if got := isOutage(tt.err); got != tt.want {
			t.Errorf("%v is an outage: %t, want %t", tt.err, got, tt.want)
		}
	}
}

type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}
