package scaling

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// Lookup returns what all nodes together know of each of the channels, in one round trip.
func (r *Redis) Lookup(ctx context.Context, appID string, channels ...string) ([]protocol.ChannelInfo, error) {
	type answers struct {
		counts *redis.StringSliceCmd
		users  *redis.IntCmd
		cached *redis.StringCmd
		ttl    *redis.DurationCmd
	}
	all := make([]answers, len(channels))
	pipe := r.client.Pipeline()
	for i, channel := range channels {
		p := placeOf(appID, channel)
		base := r.base(p.bucket)
		all[i] = answers{
			pipe.HVals(ctx, base+"o:"+p.name), pipe.HLen(ctx, base+"m:"+p.name),
			pipe.Get(ctx, base+"k:"+p.name), pipe.PTTL(ctx, base+"k:"+p.name),
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	infos := make([]protocol.ChannelInfo, len(channels))
	for i, a := range all {
		if err := a.counts.Err(); err != nil {
			return nil, fmt.Errorf("look up channels: %w", err)
		}
		infos[i] = protocol.ChannelInfo{Name: channels[i], Users: int(a.users.Val())}
		for _, n := range a.counts.Val() {
			var count int
			fmt.Sscan(n, &count)
			infos[i].Subscriptions += count
		}
		var s protocol.Snapshot
		parseCached(&s, a.cached.Val(), a.ttl.Val().Milliseconds())
		infos[i].Cached, infos[i].CachedFor = s.Cached, s.CachedFor
	}
	return infos, nil
}

// List returns the occupied channels of an app whose names begin with prefix, by name.
func (r *Redis) List(ctx context.Context, appID, prefix string) ([]protocol.ChannelInfo, error) {
	pipe := r.client.Pipeline()
	var parts [buckets]*redis.StringSliceCmd
	for bucket := range buckets {
		parts[bucket] = pipe.SMembers(ctx, r.base(bucket)+"l")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	var names []string
	for _, part := range parts {
		for _, name := range part.Val() {
			if app, channel, ok := splitName(name); ok && app == appID && strings.HasPrefix(channel, prefix) {
				names = append(names, channel)
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, nil
	}
	return r.Lookup(ctx, appID, names...)
}

// Users returns the ids of the members of a presence channel, in the order they joined.
func (r *Redis) Users(ctx context.Context, appID, channel string) ([]string, error) {
	p := placeOf(appID, channel)
	values, err := r.client.HVals(ctx, r.base(p.bucket)+"m:"+p.name).Result()
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	members, err := r.parseMembers(list)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	return ids, nil
}
