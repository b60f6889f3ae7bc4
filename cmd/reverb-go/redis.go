package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// maxDial bounds what Laravel's read timeout of 60 s would otherwise make of a host that does not answer.
const maxDial = 5 * time.Second

// newRedis returns a client for the configured Redis: one server, the master that Sentinels name, or a Cluster.
// It does not connect yet.
func newRedis(c config.Scaling) (redis.UniversalClient, error) {
	options, err := redisOptions(c)
	if err != nil {
		return nil, err
	}
	return redis.NewUniversalClient(options), nil
}

func redisOptions(c config.Scaling) (*redis.UniversalOptions, error) {
	o := &redis.UniversalOptions{
		ContextTimeoutEnabled: true,
		DialTimeout:           min(c.Timeout, maxDial),
		ReadTimeout:           c.Timeout,
		WriteTimeout:          c.Timeout,
		Username:              c.Username,
		Password:              c.Password,
		Addrs:                 []string{net.JoinHostPort(c.Host, c.Port)},
	}
	if c.Timeout == 0 {
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = maxDial, -1, -1
	}
	db, err := strconv.Atoi(c.Database)
	if err != nil || db < 0 {
		return nil, &config.Problem{Sentence: fmt.Sprintf("the Redis database is %q, which is no number", c.Database), Hint: "REDIS_DB is a number from 0 on"}
	}
	o.DB = db
	if c.Scheme == "tls" || c.Scheme == "rediss" {
		o.TLSConfig = &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	}
	if c.URL != "" {
		if err := applyRedisURL(o, c.URL); err != nil {
			return nil, err
		}
	}
	return o, applyRedisShape(o, c)
}

// applyRedisURL takes from a URL what it has, as Laravel does: the rest stays as other settings say.
func applyRedisURL(o *redis.UniversalOptions, url string) error {
	for _, prefix := range []string{"tls://", "tcp+tls://"} {
		if rest, ok := strings.CutPrefix(url, prefix); ok {
			url = "rediss://" + rest
		}
	}
	if rest, ok := strings.CutPrefix(url, "tcp://"); ok {
		url = "redis://" + rest
	}
	u, err := redis.ParseURL(url)
	if err != nil {
		// The error would show the password.
		return &config.Problem{Sentence: "REDIS_URL is no address of a Redis", Hint: "write it as redis://user:password@host:6379/0, or rediss:// for TLS"}
	}
	o.Addrs = []string{u.Addr}
	if u.Network == "unix" {
		o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: o.DialTimeout}).DialContext(ctx, "unix", u.Addr)
		}
	}
	if u.Username != "" {
		o.Username = u.Username
	}
	if u.Password != "" {
		o.Password = u.Password
	}
	if u.DB != 0 {
		o.DB = u.DB
	}
	if u.TLSConfig != nil {
		o.TLSConfig = u.TLSConfig
	}
	return nil
}

// applyRedisShape makes it a Cluster, or one with Sentinels.
func applyRedisShape(o *redis.UniversalOptions, c config.Scaling) error {
	switch {
	case c.Cluster != "" && c.Sentinels != "":
		return &config.Problem{Sentence: "Redis is said to be a Cluster and to have Sentinels", Hint: "set one of REVERB_GO_REDIS_CLUSTER and REVERB_GO_REDIS_SENTINELS"}
	case c.Cluster != "":
		o.Addrs, o.IsClusterMode = addresses(c.Cluster), true
		if o.DB != 0 {
			return &config.Problem{Sentence: fmt.Sprintf("the Redis database is %d, and a Cluster has only 0", o.DB), Hint: "set REDIS_DB=0"}
		}
	case c.Sentinels != "" && c.Master == "":
		return &config.Problem{Sentence: "REVERB_GO_REDIS_SENTINELS is set, but not which master they watch", Hint: "set REVERB_GO_REDIS_MASTER to its name, such as mymaster"}
	case c.Sentinels != "":
		o.Addrs, o.MasterName = addresses(c.Sentinels), c.Master
	}
	return nil
}

// addresses reads "host:port,host:port".
func addresses(list string) []string {
	all := strings.Split(list, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
