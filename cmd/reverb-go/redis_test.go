package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func TestRedisOptions(t *testing.T) {
	base := config.Scaling{Host: "127.0.0.1", Port: "6379", Database: "0", Timeout: time.Minute}
	type target struct {
		addrs              []string
		username, password string
		db                 int
		tls, cluster       bool
		master             string
	}
	// R:SC-15, and R:SC-16, where Reverb ignores the name of the user.
	tests := []struct {
		name   string
		change func(*config.Scaling)
		want   target
	}{
		{"stock", func(*config.Scaling) {}, target{addrs: []string{"127.0.0.1:6379"}}},
		{"parts", func(c *config.Scaling) {
			c.Host, c.Port, c.Username, c.Password, c.Database = "redis", "7000", "u", "p", "3"
		}, target{addrs: []string{"redis:7000"}, username: "u", password: "p", db: 3}},
		{"a URL over parts", func(c *config.Scaling) {
			c.Host, c.Username, c.Password, c.Database, c.URL = "redis", "u", "p", "3", "redis://:q@other:7001/4"
		}, target{addrs: []string{"other:7001"}, username: "u", password: "q", db: 4}},
		{"a URL with TLS", func(c *config.Scaling) { c.URL = "rediss://other:7001" }, target{addrs: []string{"other:7001"}, tls: true}},
		{"Laravel's name of TLS", func(c *config.Scaling) { c.URL = "tls://other:7001" }, target{addrs: []string{"other:7001"}, tls: true}},
		{"Predis' name of TCP", func(c *config.Scaling) { c.URL = "tcp://other:7001" }, target{addrs: []string{"other:7001"}}},
		{"TLS by scheme", func(c *config.Scaling) { c.Scheme = "tls" }, target{addrs: []string{"127.0.0.1:6379"}, tls: true}},
		{"a Cluster", func(c *config.Scaling) { c.Cluster = "a:1, b:2" }, target{addrs: []string{"a:1", "b:2"}, cluster: true}},
		{"Sentinels", func(c *config.Scaling) { c.Sentinels, c.Master = "a:1,b:2", "mymaster" }, target{addrs: []string{"a:1", "b:2"}, master: "mymaster"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := base
			tt.change(&c)
			o, err := redisOptions(c)
			if err != nil {
				t.Fatal(err)
			}
			got := target{o.Addrs, o.Username, o.Password, o.DB, o.TLSConfig != nil, o.IsClusterMode, o.MasterName}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRedisOptionErrors(t *testing.T) {
	for _, tt := range []struct {
		c    config.Scaling
		want string
	}{
		{config.Scaling{Database: "x"}, "no number"},
		{config.Scaling{Database: "0", URL: "redis://u:hush@%zz"}, "no address of a Redis"},
		{config.Scaling{Database: "0", Cluster: "a:1", Sentinels: "b:1"}, "a Cluster and to have Sentinels"},
		{config.Scaling{Database: "1", Cluster: "a:1"}, "only 0"},
		{config.Scaling{Database: "0", Sentinels: "b:1"}, "which master"},
	} {
		_, err := redisOptions(tt.c)
		var p *config.Problem
		if !errors.As(err, &p) || !strings.Contains(p.Sentence, tt.want) || p.Hint == "" || strings.Contains(p.Sentence+p.Hint, "hush") {
			t.Errorf("got %#v, want a problem with %q", err, tt.want)
		}
	}
}
