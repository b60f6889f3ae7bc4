package server

import (
	"context"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// appCluster is the cluster as the channels of one app see it.
type appCluster struct {
	Cluster
	appID  string
	outage *outage
}

func (c appCluster) IsAway() bool { return c.outage.isKnown.Load() }

// An outage is how long the cluster has been away. Loop 0 notes it, each second.
type outage struct {
	seconds int
	isKnown atomic.Bool
}

// outageTime is how many seconds the cluster has to be away before that counts: it may not have been met yet, or be just
// about to come back.
const outageTime = 2

func (o *outage) note(why error) {
	if why == nil {
		o.seconds = 0
	} else {
		o.seconds++
	}
	o.isKnown.Store(o.seconds >= outageTime)
}

func (c appCluster) Link(channel string)   { c.Cluster.Link(c.appID, channel) }
func (c appCluster) Unlink(channel string) { c.Cluster.Unlink(c.appID, channel) }
func (c appCluster) Join(channel string, m protocol.Member, limit int) {
	c.Cluster.Join(c.appID, channel, m, limit)
}
func (c appCluster) Leave(channel, userID string) { c.Cluster.Leave(c.appID, channel, userID) }
func (c appCluster) Count(channel string, n int)  { c.Cluster.Count(c.appID, channel, n) }
func (c appCluster) Sync(channel string, h protocol.Holding, limit int) {
	c.Cluster.Sync(c.appID, channel, h, limit)
}
func (c appCluster) Announce(channel string, payload []byte) {
	c.Cluster.Announce(c.appID, channel, payload)
}

// clusterOf returns the cluster for the channels of an app, or nil if this node is alone.
func (s *Server) clusterOf(appID string) channels.Cluster {
	if s.cluster == nil {
		return nil
	}
	return appCluster{s.cluster, appID, &s.outage}
}

// node is the server as its broker sees it.
type node struct{ *Server }

// Change applies a change of the members of a channel.
func (n node) Change(change protocol.Change) {
	if a := n.apps.find(change.AppID); a != nil {
		a.registry.Change(change)
	}
}

// Linked takes a channel as all nodes know it.
func (n node) Linked(appID, channel string, snapshot protocol.Snapshot) {
	if a := n.apps.find(appID); a != nil {
		a.registry.Linked(n.cfg.Now(), channel, snapshot)
	}
}

// Heard says that messages of a channel arrive.
func (n node) Heard(appID, channel string) {
	if a := n.apps.find(appID); a != nil {
		a.registry.Heard(channel)
	}
}

// Resync says again what this node has.
func (n node) Resync() {
	for _, a := range n.apps.all() {
		a.registry.Resync()
	}
}

// Refused says that a presence channel has no room for a user.
func (n node) Refused(appID, channel, userID string) {
	if a := n.apps.find(appID); a != nil {
		a.registry.Refused(channel, userID)
	}
}

// Counted takes the number of a channel's subscriptions.
func (n node) Counted(appID, channel string, total int) {
	if a := n.apps.find(appID); a != nil {
		a.registry.Counted(n.cfg.Now(), channel, total)
	}
}

// transitionNames are the events that transitions of a cluster are.
var transitionNames = map[protocol.TransitionKind]channels.EventName{
	protocol.Occupied: channels.ChannelOccupied,
	protocol.Vacated:  channels.ChannelVacated,
	protocol.Joined:   channels.MemberAdded,
	protocol.Left:     channels.MemberRemoved,
}

// Observe tells the hooks of a transition.
func (n node) Observe(t protocol.Transition) {
	if channels.KindOf(t.Channel).IsInternal() {
		return
	}
	settings, err := n.cfg.Apps.ByID(t.AppID)
	if err == nil && settings != nil {
		n.observe(n.meet(settings), channels.Event{Name: transitionNames[t.Kind], Channel: t.Channel, UserID: t.UserID})
	}
}

// Terminate closes the connections of a user on this node.
func (n node) Terminate(appID, userID string) {
	a := n.apps.find(appID)
	if a == nil {
		return
	}
	for _, l := range n.loops {
		l.inbox.post(note{do: func(l *loop) { l.terminate(a, userID) }})
	}
}

// Held is told of a channel that the cluster believes this node to have.
func (n node) Held(appID, channel string) {
	if a := n.apps.find(appID); a != nil {
		a.registry.Held(channel)
	} else {
		n.cluster.Sync(appID, channel, protocol.Holding{}, 0)
	}
}

// terminateInCluster closes the connections of a user on all nodes.
func (s *Server) terminateInCluster(a *app, userID string) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	if err := s.cluster.Terminate(ctx, a.id, userID); err != nil {
		s.log.Warn("terminated on this node alone", "app", a.id, "err", err)
	}
}

// Connections returns how many connections each app has here.
func (n node) Connections() map[string]int {
	all := make(map[string]int)
	for _, a := range n.apps.all() {
		if count := int(a.connections.Load()); count > 0 {
			all[a.id] = count
		}
	}
	return all
}

// ready has a subscribe completed that waited for other nodes, on its connection's loop.
func (s *Server) ready(w channels.Waiter) {
	l := s.loops[bits.TrailingZeros64(w.Shards)]
	l.inbox.post(note{do: func(l *loop) { l.complete(w) }})
}

func (l *loop) complete(w channels.Waiter) {
	c := w.Subscriber.(*conn)
	if c.state != open {
		return
	}
	if w.Channel.Kind().Has(channels.Watch) {
		c.user.watching.missing--
		l.tellOnline(c)
		return
	}
	joined, ok, err := c.app.registry.Complete(l.now, l.shard, w, l.scratch[:0])
	switch name := []byte(w.Channel.Name()); {
	case err != nil:
		c.app.subscriptions.Dec()
		l.fail(c, l.refuse(c, name, protocol.ErrTooManyMembers))
	case ok:
		l.reply(c, w.Channel.Kind(), name, joined)
	}
}

// queryTimeout is how long an HTTP request waits for Redis. Then it is answered with what this node
// knows.
const queryTimeout = 2 * time.Second

// lookup returns what all nodes know of each of these channels.
func (s *Server) lookup(a *app, names ...string) []channels.Info {
	now := s.cfg.Now()
	if infos, ok := s.lookupInCluster(a, names, now); ok {
		return infos
	}
	infos := make([]channels.Info, len(names))
	for i, name := range names {
		infos[i] = a.registry.Lookup(now, name)
	}
	return infos
}

func (s *Server) lookupInCluster(a *app, names []string, now time.Time) (infos []channels.Info, ok bool) {
	if s.cluster == nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	found, err := s.cluster.Lookup(ctx, a.id, names...)
	if err != nil {
		s.log.Warn("answered from this node alone", "err", err)
		return nil, false
	}
	return infosOf(found, now), true
}

func infosOf(found []protocol.ChannelInfo, now time.Time) []channels.Info {
	infos := make([]channels.Info, len(found))
	for i, info := range found {
		infos[i] = infoOf(info, now)
	}
	return infos
}

func infoOf(info protocol.ChannelInfo, now time.Time) channels.Info {
	return channels.Info{
		Name: info.Name, Kind: channels.KindOf(info.Name), Subscriptions: info.Subscriptions, Users: info.Users,
		Cached: info.Cached, Expires: now.Add(info.CachedFor),
	}
}

// list returns the channels of all nodes that have a subscriber.
func (s *Server) list(a *app, prefix string) []channels.Info {
	now := s.cfg.Now()
	if s.cluster == nil {
		return a.registry.List(now, prefix)
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	infos, err := s.cluster.List(ctx, a.id, prefix)
	if err != nil {
		s.log.Warn("answered from this node alone", "err", err)
		return a.registry.List(now, prefix)
	}
	return infosOf(infos, now)
}

// users returns the members of a presence channel on all nodes.
func (s *Server) users(a *app, channel string) (ids []string, known bool) {
	if s.cluster == nil {
		return a.registry.Users(channel)
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	ids, err := s.cluster.Users(ctx, a.id, channel)
	if err != nil {
		s.log.Warn("answered from this node alone", "err", err)
		return a.registry.Users(channel)
	}
	return ids, len(ids) > 0 || s.lookup(a, channel)[0].Subscriptions > 0
}

// census returns how many connections an app has on other nodes.
func (s *Server) census(a *app) int64 {
	if s.cluster == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	n, err := s.cluster.Census(ctx, a.id)
	if err != nil {
		s.log.Warn("answered from this node alone", "err", err)
	}
	return int64(n)
}
