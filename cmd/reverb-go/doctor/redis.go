package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisTime is how long a Redis may take for all that it is asked.
const redisTime = 10 * time.Second

// What the scripts of package scaling need: they write what depends on the time, and Clusters have sharded channels.
const (
	leastRedis   = 5
	leastCluster = 7
)

func checkRedis(ctx context.Context, r *report, p Patient) {
	if p.Redis == nil {
		r.ok("Redis is not needed: scaling is off, and no events are pushed to it")
		return
	}
	client, err := p.Redis()
	if err != nil {
		r.problem(err.Error(), "REDIS_URL, or REDIS_HOST and REDIS_PORT, say where it is")
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, redisTime)
	defer cancel()
	before := p.Now()
	now, err := client.Time(ctx).Result()
	if err != nil {
		r.problem(fmt.Sprintf("Redis cannot be used: %v", err), redisFix(err))
		return
	}
	after := p.Now()
	checkClock(r, "Redis", now, before.Add(after.Sub(before)/2), after.Sub(before)/2+time.Second)
	info, err := client.Info(ctx, "server", "memory").Result()
	if err != nil {
		r.warn(fmt.Sprintf("Redis answers, but does not say which version it is: %v", err), "let the user of REDIS_USERNAME call INFO")
		return
	}
	checkRedisVersion(r, fields(info), p.Config.Scaling.Cluster != "")
	checkEviction(r, fields(info))
}

func redisFix(err error) string {
	text := err.Error()
	switch {
	case redis.HasErrorPrefix(err, "NOAUTH"):
		return "it wants a password: set REDIS_PASSWORD"
	case redis.HasErrorPrefix(err, "WRONGPASS"), strings.Contains(text, "AUTH"):
		return "REDIS_USERNAME and REDIS_PASSWORD are not those it knows"
	case redis.HasErrorPrefix(err, "NOPERM"):
		return "the ACL of its user has to allow scripts, hashes, sets, streams, publish and subscribe"
	case strings.Contains(text, "tls:"), strings.Contains(text, "x509:"):
		return "a REDIS_URL of rediss:// speaks TLS, one of redis:// does not"
	case strings.Contains(text, "EOF"), errors.Is(err, context.DeadlineExceeded):
		return "is it a Redis, and one without TLS? A REDIS_URL of rediss:// speaks TLS"
	}
	return "is it running? REDIS_URL, or REDIS_HOST and REDIS_PORT, say where it is"
}

// fields reads the lines of INFO.
func fields(info string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}

func checkRedisVersion(r *report, info map[string]string, isCluster bool) {
	name, version := "Redis", info["redis_version"]
	if v := info["valkey_version"]; v != "" {
		name, version = "Valkey", v
	}
	major, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(major)
	switch {
	case n == 0:
		r.warn("Redis does not say which version it is", fmt.Sprintf("it should be %d or later", leastRedis))
	case n < leastRedis:
		r.problem(fmt.Sprintf("it is %s %s, whose scripts cannot do what scaling needs", name, version), fmt.Sprintf("update it to %d or later", leastRedis))
	case isCluster && n < leastCluster:
		r.problem(fmt.Sprintf("it is %s %s, and Clusters have sharded channels only since %d", name, version, leastCluster), "update it, or use one server without a Cluster")
	default:
		r.ok(fmt.Sprintf("%s %s answers", name, version))
	}
}

// checkEviction warns of a Redis that may forget who is in a channel.
func checkEviction(r *report, info map[string]string) {
	policy, limit := info["maxmemory_policy"], info["maxmemory"]
	if limit == "" || limit == "0" || policy == "noeviction" {
		return
	}
	r.warn(fmt.Sprintf("when its memory is full, Redis throws away keys (maxmemory-policy %s), and with them who is in a channel", policy),
		"CONFIG SET maxmemory-policy noeviction, or give caches a Redis of their own")
}
