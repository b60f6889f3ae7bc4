package bridge

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// What follows answers like scaling.Redis, with what nodes of Laravel Reverb say added.

// wantedInfo is what is asked of channels.
const wantedInfo = "occupied,user_count,subscription_count"

// theirInfo is what a node of Laravel Reverb says of a channel.
type theirInfo struct {
	Occupied      bool `json:"occupied"`
	Users         int  `json:"user_count"`
	Subscriptions int  `json:"subscription_count"`
}

// addTo adds it to what is known. A user on both sides counts twice, as on two nodes of Laravel Reverb; the number
// of subscriptions of a presence channel is not told.
func (t theirInfo) addTo(info *protocol.ChannelInfo) {
	info.Users += max(t.Users, 0)
	switch {
	case t.Subscriptions > 0 || t.Users > 0:
		info.Subscriptions += max(t.Subscriptions, t.Users)
	case t.Occupied:
		info.Subscriptions++
	}
}

// Lookup returns what all nodes of both kinds know of each of the channels.
func (b *Broker) Lookup(ctx context.Context, appID string, names ...string) ([]protocol.ChannelInfo, error) {
	infos, err := b.Redis.Lookup(ctx, appID, names...)
	if err != nil {
		return nil, err
	}
	if len(names) == 1 {
		answers, _ := b.ask(ctx, question{appID: appID, kind: askChannel, channel: names[0], info: wantedInfo})
		for _, answer := range answers {
			b.theirs(answer).addTo(&infos[0])
		}
		return infos, nil
	}
	theirs := b.askChannels(ctx, question{appID: appID, channels: names, info: wantedInfo})
	for i, name := range names {
		for _, t := range theirs[name] {
			t.addTo(&infos[i])
		}
	}
	return infos, nil
}

// List returns the channels occupied on any node, by name.
func (b *Broker) List(ctx context.Context, appID, prefix string) ([]protocol.ChannelInfo, error) {
	infos, err := b.Redis.List(ctx, appID, prefix)
	if err != nil {
		return nil, err
	}
	theirs := b.askChannels(ctx, question{appID: appID, filter: prefix, info: wantedInfo})
	known := make(map[string]bool, len(infos))
	for _, info := range infos {
		known[info.Name] = true
	}
	var unknown []string
	for name := range theirs {
		if !known[name] && !channels.KindOf(name).IsInternal() {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 { // nobody of ours is there, but what is cached is
		more, err := b.Redis.Lookup(ctx, appID, unknown...)
		if err != nil {
			return nil, err
		}
		infos = append(infos, more...)
	}
	for i := range infos {
		for _, t := range theirs[infos[i].Name] {
			t.addTo(&infos[i])
		}
	}
	infos = slices.DeleteFunc(infos, func(info protocol.ChannelInfo) bool { return info.Subscriptions == 0 })
	slices.SortFunc(infos, func(a, b protocol.ChannelInfo) int { return cmp.Compare(a.Name, b.Name) })
	return infos, nil
}

// askChannels returns what each node says of each channel.
func (b *Broker) askChannels(ctx context.Context, q question) map[string][]theirInfo {
	q.kind = askChannels
	answers, _ := b.ask(ctx, q)
	theirs := make(map[string][]theirInfo)
	for _, answer := range answers {
		b.each(answer, func(name string, info json.RawMessage) { theirs[name] = append(theirs[name], b.theirs(info)) })
	}
	return theirs
}

// theirs reads the information of a channel. Without any it is an empty list.
func (b *Broker) theirs(raw json.RawMessage) (t theirInfo) {
	if raw[0] != '[' && json.Unmarshal(raw, &t) != nil {
		b.counters.Malformed.Inc()
		return theirInfo{}
	}
	return t
}

func (b *Broker) each(answer json.RawMessage, do func(key string, value json.RawMessage)) {
	if eachValue(answer, do) != nil {
		b.counters.Malformed.Inc()
	}
}

// Users returns the ids of the members of a presence channel on all nodes, each once: first those of ours.
func (b *Broker) Users(ctx context.Context, appID, channel string) ([]string, error) {
	ids, err := b.Redis.Users(ctx, appID, channel)
	if err != nil || !channels.KindOf(channel).Has(channels.Presence) {
		return ids, err
	}
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	answers, _ := b.ask(ctx, question{appID: appID, kind: askUsers, channel: channel})
	for _, answer := range answers {
		b.each(answer, func(_ string, raw json.RawMessage) {
			var user struct{ ID json.RawMessage }
			_ = json.Unmarshal(raw, &user)
			if id := textOf(user.ID); id != "" && !known[id] {
				known[id] = true
				ids = append(ids, id)
			}
		})
	}
	return ids, nil
}

// Census returns how many connections an app has on other nodes of both kinds.
func (b *Broker) Census(ctx context.Context, appID string) (int, error) {
	n, err := b.Redis.Census(ctx, appID)
	if err != nil {
		return n, err
	}
	sockets := make(map[string]bool)
	answers, _ := b.ask(ctx, question{appID: appID, kind: askConnections})
	for _, answer := range answers {
		b.each(answer, func(id string, _ json.RawMessage) { sockets[id] = true })
	}
	return n + len(sockets), nil
}

// Terminate closes the connections of a user on all nodes of both kinds.
func (b *Broker) Terminate(ctx context.Context, appID, userID string) error {
	err := b.Redis.Terminate(ctx, appID, userID)
	if b.isOn() && b.others.Load() > 0 {
		b.terminateTheirs(ctx, appID, userID)
	}
	return err
}

func (b *Broker) terminateTheirs(ctx context.Context, appID, userID string) {
	if channel, isSafe := b.mayTerminate(ctx, appID); !isSafe {
		b.counters.Withheld.Inc()
		b.log.Warn("connections of a user not terminated on nodes of Laravel Reverb, because that would end the nodes",
			"app", appID, "user", userID, "channel", channel,
			"hint", "a node of Laravel Reverb exits when it is to terminate a user while some connection has none; replace these nodes first")
		return
	}
	settings, err := b.app(appID)
	if err == nil {
		var message []byte
		if message, err = appendTerminate(nil, settings, userID, b.Prefix()); err == nil {
			_ = b.publish(ctx, message) // which logs
			return
		}
	}
	b.log.Warn("connections of a user not terminated on nodes of Laravel Reverb", "app", appID, "user", userID, "err", err)
}

// mayTerminate reports whether all connections on nodes of Laravel Reverb are certainly users. Else channel is the
// one that says otherwise, or "" if not all have answered.
func (b *Broker) mayTerminate(ctx context.Context, appID string) (channel string, isSafe bool) {
	answers, isSafe := b.ask(ctx, question{appID: appID, kind: askChannels, info: "occupied"})
	for _, answer := range answers {
		b.each(answer, func(name string, _ json.RawMessage) {
			if !channels.KindOf(name).Has(channels.Presence) {
				channel, isSafe = name, false
			}
		})
	}
	return channel, isSafe
}
