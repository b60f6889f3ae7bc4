package scaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// About is what a node tells others of itself.
type About struct {
	Name    string    `json:"name,omitempty"` // of its host
	Address string    `json:"address,omitempty"`
	Version string    `json:"version,omitempty"`
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Bridge  string    `json:"bridge,omitempty"` // why it speaks with nodes of Laravel Reverb; "" if it does not
}

// A NodeInfo is a node as others know it.
type NodeInfo struct {
	ID string `json:"id"`
	About
	Connections map[string]int `json:"connections"` // by app
	Waiting     int            `json:"waiting"`     // operations that wait for Redis

	Lease time.Duration `json:"-"` // that is left; known to Nodes only
}

// Total returns how many connections the node has.
func (n NodeInfo) Total() (total int) {
	for _, count := range n.Connections {
		total += count
	}
	return total
}

// describe is what this node writes next to its lease.
func (r *Redis) describe() ([]byte, error) {
	return json.Marshal(NodeInfo{
		About: r.options.About(), ID: r.self(), Connections: r.node.Connections(), Waiting: r.queue.len(),
	})
}

// parseNodes reads the descriptions of nodes.
func (r *Redis) parseNodes(texts map[string]string) []NodeInfo {
	nodes := make([]NodeInfo, 0, len(texts))
	for id, text := range texts {
		n, err := parseNode(id, text)
		if err != nil {
			r.malformed("description of a node", err)
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// pairs makes a map of what a script returns for HGETALL.
func pairs(reply any) map[string]string {
	list, _ := reply.([]any)
	m := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		m[name], _ = list[i+1].(string)
	}
	return m
}

func parseNode(id, text string) (NodeInfo, error) {
	var n NodeInfo
	err := json.Unmarshal([]byte(text), &n)
	n.ID = id
	return n, err
}

// Elsewhere returns how many connections an app had on other nodes at this node's last beat, up to three seconds
// ago. Those of a node that has died count until its lease ends.
func (r *Redis) Elsewhere(appID string) int {
	nodes := r.nodes.Load()
	if nodes == nil {
		return 0
	}
	return r.elsewhere(appID, *nodes)
}

// Census returns how many connections an app has on other nodes now: what they told in the last quarter of a
// second is not in it yet.
func (r *Redis) Census(ctx context.Context, appID string) (int, error) {
	texts, err := r.client.HGetAll(ctx, r.leaseKeys()[1]).Result()
	if err != nil {
		return 0, fmt.Errorf("read descriptions: %w", err)
	}
	return r.elsewhere(appID, r.parseNodes(texts)), nil
}

func (r *Redis) elsewhere(appID string, nodes []NodeInfo) (total int) {
	for _, n := range nodes {
		if n.ID != r.self() {
			total += n.Connections[appID]
		}
	}
	return total
}

// Nodes reads the live nodes of the cluster that uses these keys, without being one of them.
func Nodes(ctx context.Context, client redis.UniversalClient, prefix string) ([]NodeInfo, error) {
	keys := leaseKeys(Options{Prefix: prefix}.withDefaults().Prefix)
	now, err := client.Time(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("ask redis for its time: %w", err)
	}
	leases, err := client.ZRangeWithScores(ctx, keys[0], 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	texts, err := client.HGetAll(ctx, keys[1]).Result()
	if err != nil {
		return nil, fmt.Errorf("read descriptions: %w", err)
	}
	var nodes []NodeInfo
	for _, lease := range leases {
		id, _ := lease.Member.(string)
		n, _ := parseNode(id, texts[id]) // a node that cannot be read is still one
		n.Lease = time.UnixMilli(int64(lease.Score)).Sub(now)
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b NodeInfo) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address), cmp.Compare(a.ID, b.ID))
	})
	return nodes, nil
}
