//go:build unix

package server_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// startCluster starts a Redis Cluster of three masters with a replica each.
func startCluster(t *testing.T) []*redisServer {
	t.Helper()
	var servers []*redisServer
	create := []string{"--cluster", "create"}
	for range 6 {
		s := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-config-file", "nodes.conf",
			"--repl-diskless-sync-delay", "0")
		servers = append(servers, s)
		create = append(create, s.addr)
	}
	out, err := exec.Command("redis-cli", append(create, "--cluster-replicas", "1", "--cluster-yes")...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for _, s := range servers {
		s.await(t, "all slots", func(c *redis.Client) bool {
			info, err := c.ClusterInfo(context.Background()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok")
		})
	}
	return servers
}

// await waits until something holds of a server.
func (r *redisServer) await(t *testing.T, what string, holds func(*redis.Client) bool) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.addr, DialTimeout: time.Second})
	defer client.Close()
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds(client) {
		if time.Now().After(deadline) {
			t.Fatalf("redis at %s: in vain: %s", r.addr, what)
		}
		<-tick.C
	}
}

func isMaster(c *redis.Client) bool {
	info, err := c.Info(context.Background(), "replication").Result()
	return err == nil && strings.Contains(info, "role:master")
}

const masterName = "mymaster"

// startSentinels starts a master, a replica, and three Sentinels that watch them.
func startSentinels(t *testing.T) (master, replica *redisServer, sentinels []string) {
	t.Helper()
	master = startRedis(t)
	host, port, _ := strings.Cut(master.addr, ":")
	replica = startRedis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	replica.await(t, "the replica is in step", func(c *redis.Client) bool {
		info, err := c.Info(context.Background(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	for range 3 {
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 2\nsentinel down-after-milliseconds %[1]s 1000\nsentinel failover-timeout %[1]s 3000\n",
			masterName, host, port)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := startProgram(t, conf, "--sentinel")
		sentinels = append(sentinels, s.addr)
	}
	for _, addr := range sentinels {
		(&redisServer{addr: addr}).await(t, "the Sentinels know each other", func(c *redis.Client) bool {
			info, err := c.Info(context.Background(), "sentinel").Result()
			return err == nil && strings.Contains(info, "slaves=1,sentinels=3")
		})
	}
	return master, replica, sentinels
}

func TestClusterFaults(t *testing.T) {
	tests := []struct {
		name  string
		fault func(*testing.T, *rig, []*redisServer)
	}{
		{"calm", func(*testing.T, *rig, []*redisServer) { during(time.Second) }},
		{"a master dies", func(t *testing.T, r *rig, servers []*redisServer) {
			servers[0].kill()
			servers[1].await(t, "a replica has taken over", func(c *redis.Client) bool {
				info, err := c.ClusterInfo(context.Background()).Result()
				return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_current_epoch:7")
			})
			during(time.Second)
		}},
		{"slots move", func(t *testing.T, r *rig, servers []*redisServer) {
			out, err := exec.Command("redis-cli", "--cluster", "rebalance", servers[0].addr,
				"--cluster-weight", servers[0].id(t)+"=0", "--cluster-yes").CombinedOutput()
			if err != nil {
				t.Fatalf("redis-cli --cluster rebalance: %v\n%s", err, out)
			}
			during(time.Second)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			servers := startCluster(t)
			var addrs []string
			for _, s := range servers {
				addrs = append(addrs, s.addr)
			}
			r := newRig(t, 2, true, func(*wire) redis.UniversalClient {
				return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true})
			})
			r.open(2)
			r.run()
			tt.fault(t, r, servers)
			r.finish(false)
		})
	}
}

func (r *redisServer) id(t *testing.T) string {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	id, err := client.ClusterMyID(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	master, replica, sentinels := startSentinels(t)
	r := newRig(t, 2, false, func(*wire) redis.UniversalClient {
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: masterName, SentinelAddrs: sentinels, ContextTimeoutEnabled: true})
	})
	r.open(2)
	r.run()
	during(500 * time.Millisecond)
	master.kill()
	began := time.Now()
	replica.await(t, "the replica has taken over", isMaster)
	r.await("health", func() bool { return r.nodes[0].broker.Health() == nil && r.nodes[1].broker.Health() == nil })
	t.Logf("failed over in %.1f s", time.Since(began).Seconds())
	during(time.Second)
	r.finish(false)
}
