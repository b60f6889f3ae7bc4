package server

import (
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// What a broker may ask about this node's own connections, without those of others.

// Own returns a channel as far as it is here, and its members who are.
func (n node) Own(appID, channel string) (channels.Info, []protocol.Member) {
	if a := n.apps.find(appID); a != nil {
		return a.registry.Own(n.cfg.Now(), channel)
	}
	return channels.Info{Name: channel, Kind: channels.KindOf(channel)}, nil
}

// OwnChannels returns the names of the channels that have a subscriber here and begin with prefix.
func (n node) OwnChannels(appID, prefix string) (names []string) {
	a := n.apps.find(appID)
	if a == nil {
		return nil
	}
	for _, info := range a.registry.List(n.cfg.Now(), prefix) {
		names = append(names, info.Name)
	}
	return names
}

// OwnSockets returns the established connections of an app. It waits for the loops, and must not be called by
// one.
func (n node) OwnSockets(appID string) (ids []protocol.SocketID) {
	a := n.apps.find(appID)
	if a == nil {
		return nil
	}
	parts, asked := make(chan []protocol.SocketID, len(n.loops)), 0
	for _, l := range n.loops {
		if l.inbox.post(note{do: func(l *loop) { parts <- l.socketsOf(a) }}) {
			asked++
		}
	}
	for range asked {
		ids = append(ids, <-parts...)
	}
	return ids
}

func (l *loop) socketsOf(a *app) (ids []protocol.SocketID) {
	for c := range l.all() {
		if c.app == a && c.state == open {
			ids = append(ids, c.id)
		}
	}
	return ids
}
