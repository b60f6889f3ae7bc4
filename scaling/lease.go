package scaling

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

func inOrder(joined []joinedMember) []protocol.Member {
	slices.SortFunc(joined, func(a, b joinedMember) int { return strings.Compare(a.seq, b.seq) })
	members := make([]protocol.Member, len(joined))
	for i, m := range joined {
		members[i] = m.Member
	}
	return members
}

// censusPause is how long a changed number of connections may stay unknown to others.
const censusPause = 250 * time.Millisecond

// beat renews the lease of this node three times as often as needed, and takes away what dead nodes
// have left. It also tells others when the number of its connections has changed.
func (r *Redis) beat(ctx context.Context) {
	ticker := time.NewTicker(censusPause)
	defer ticker.Stop()
	isNew, every := !r.isMoved, min(r.options.Lease/3, time.Second*3)
	var last time.Time
	var told map[string]int
	for {
		connections := r.node.Connections()
		if time.Since(last) >= every || !maps.Equal(connections, told) {
			last = time.Now()
			if wasKnown, err := r.beatOnce(ctx, isNew); err == nil {
				if !wasKnown && !isNew {
					r.rise(ctx)
				}
				isNew, told = false, connections
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// rise is for a node that was taken for dead, or found Redis empty: it goes on as a new one and says
// again what it holds. What is left of the old one is purged like that of any dead node.
func (r *Redis) rise(ctx context.Context) {
	r.options.Counters.Resurrected.Inc()
	r.log.Warn("this node was taken for dead, or redis was emptied; it says again what it holds")
	r.renew()
	_, _ = r.beatOnce(ctx, true) // or else at the next beat
	r.node.Resync()
}

func (r *Redis) leaseKeys() []string { return leaseKeys(r.options.Prefix) }

// leaseKeys are the leases, the descriptions, the dead nodes that are not purged yet, and the identities that nodes
// have given up, to be purged later.
func leaseKeys(prefix string) []string {
	return []string{prefix + "{nodes}:leases", prefix + "{nodes}:about", prefix + "{nodes}:dead", prefix + "{nodes}:old"}
}

func (r *Redis) beatOnce(ctx context.Context, isNew bool) (wasKnown bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Lease/2)
	defer cancel()
	about, err := r.describe()
	if err != nil {
		return false, err
	}
	result, err := scriptBeat.Run(ctx, r.client, r.leaseKeys(), r.self(), r.options.Lease.Milliseconds(), about, isNew).Slice()
	if err != nil {
		return false, fmt.Errorf("renew lease: %w", err)
	}
	if len(result) != 3 {
		return false, errReply
	}
	dead, _ := result[1].([]any)
	for _, d := range dead {
		if id, ok := d.(string); ok && id != r.self() {
			r.bury(ctx, id)
		}
	}
	nodes := r.parseNodes(pairs(result[2]))
	r.nodes.Store(&nodes)
	return result[0] == int64(1), nil
}

// bury takes away all that a dead node holds. Several nodes may try at once: each bucket is done in one
// step, and the second finds nothing.
func (r *Redis) bury(ctx context.Context, id string) {
	had := 0
	for bucket := range buckets {
		n, err := r.purge(ctx, id, bucket)
		if err != nil {
			r.log.Warn("dead node not purged; it will be tried again", "node", id, "err", err)
			return
		}
		had += n
	}
	if had > 0 {
		r.log.Warn("a node is dead; its members have left", "node", id)
	}
	if err := r.client.SRem(ctx, r.leaseKeys()[2], id).Err(); err != nil {
		r.log.Warn("dead node not forgotten; it will be tried again", "node", id, "err", err)
	}
}

// purge returns how much there was to take away.
func (r *Redis) purge(ctx context.Context, id string, bucket int) (had int, err error) {
	result, err := scriptPurge.Run(ctx, r.client, []string{r.base(bucket)}, id, r.publishCommand(), r.options.StreamLen).Slice()
	if err != nil {
		return 0, fmt.Errorf("purge bucket %d: %w", bucket, err)
	}
	if len(result) != 2 {
		return 0, errReply
	}
	left, _ := result[1].([]any)
	for i := 0; i+1 < len(left); i += 2 {
		r.observeName(left[i], protocol.Left, left[i+1])
	}
	vacated, _ := result[0].([]any)
	for _, name := range vacated {
		r.observeName(name, protocol.Vacated, "")
	}
	return len(left)/2 + len(vacated), nil
}

func (r *Redis) observeName(name any, kind protocol.TransitionKind, user any) {
	text, _ := name.(string)
	userID, _ := user.(string)
	if appID, channel, ok := splitName(text); ok {
		r.node.Observe(protocol.Transition{AppID: appID, Channel: channel, Kind: kind, UserID: userID})
	}
}

// leaveCluster takes away what this node holds, so that others need not wait for its lease to end. When Redis may still
// have to take something from it, others look again when the lease would have ended.
func (r *Redis) leaveCluster(ctx context.Context, isFlushed bool) error {
	for bucket := range buckets {
		if _, err := r.purge(ctx, r.self(), bucket); err != nil {
			return err
		}
	}
	if !isFlushed {
		return nil
	}
	keys := r.leaseKeys()
	if err := r.client.ZRem(ctx, keys[0], r.self()).Err(); err != nil {
		return fmt.Errorf("give the lease back: %w", err)
	}
	return r.client.HDel(ctx, keys[1], r.self()).Err()
}

// A control is a message to all nodes that is about no channel.
type control struct {
	Terminate *terminate `json:"terminate,omitempty"`
}

type terminate struct {
	AppID  string `json:"app"`
	UserID string `json:"user"`
}

func (r *Redis) controlTopic() string { return r.options.Prefix + "control" }

// Terminate closes the connections of a user on all nodes.
func (r *Redis) Terminate(ctx context.Context, appID, userID string) error {
	message, err := json.Marshal(control{Terminate: &terminate{appID, userID}})
	if err != nil {
		return err
	}
	if r.Health() != nil {
		r.node.Terminate(appID, userID) // it may not come back from Redis
	}
	if err := r.client.Publish(ctx, r.controlTopic(), message).Err(); err != nil {
		return fmt.Errorf("tell other nodes: %w", err)
	}
	return nil
}

func (r *Redis) handleControl(message string) {
	var c control
	if err := json.Unmarshal([]byte(message), &c); err != nil {
		r.malformed("control", err)
		return
	}
	if c.Terminate != nil {
		r.node.Terminate(c.Terminate.AppID, c.Terminate.UserID)
	}
}
