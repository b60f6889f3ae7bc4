package server

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// A ConnQuery says which connections are looked for. Text fits a connection if any of the fields named does; the zero
// query is for all.
type ConnQuery struct {
	App    string            // its id; "" is all apps
	Socket protocol.SocketID // this one alone
	Text   string            // "" fits all

	InUser    bool // Text is the id of the user, signed in or a member
	InChannel bool // Text is a part of the name of a channel
	InAddr    bool // Text is an address, the beginning of one, or a network

	Limit         int // of those that are returned; all are counted
	Subscriptions int // that are told of each
}

// FoundConns are connections of this node.
type FoundConns struct {
	Connections []ConnInfo `json:"connections"`
	Total       int        `json:"total"`   // that fit
	Looked      int        `json:"looked"`  // at
	IsPartial   bool       `json:"partial"` // there was no time to look at all
}

// A ConnInfo is what an open connection is.
type ConnInfo struct {
	Socket        string        `json:"socket"`
	App           string        `json:"app"`
	Addr          string        `json:"addr"`
	User          string        `json:"user,omitempty"` // who has signed in
	Loop          int           `json:"loop"`
	Opened        time.Time     `json:"opened"`
	LastSeen      time.Time     `json:"last_seen"`
	Queued        int           `json:"queued"` // bytes that wait for it
	IsStream      bool          `json:"stream"` // has goroutines, for TLS or for want of epoll
	IsJS          bool          `json:"js"`     // pusher-js
	IsCompressed  bool          `json:"compressed"`
	Subscriptions int           `json:"subscriptions"`
	Channels      []ConnChannel `json:"channels"` // some of them, or all

	at place
}

// A ConnChannel is a channel that a connection is in.
type ConnChannel struct {
	Name string `json:"name"`
	User string `json:"user,omitempty"` // the member it is there
}

// A place is where a connection is. The conn is the loop's.
type place struct {
	loop *loop
	conn *conn
}

// partWork is how many connections and subscriptions a loop looks at before others have their turn: some tens of
// microseconds.
const partWork = 1000

// Connections looks at the connections of this node until ctx ends.
func (in Inspection) Connections(ctx context.Context, q ConnQuery) FoundConns {
	var found FoundConns
	network, _ := netip.ParsePrefix(q.Text)
	for _, l := range in.server.loops {
		for s := (search{ConnQuery: q, network: network}); !s.isDone; {
			s.Limit = q.Limit - len(found.Connections)
			next, ok := l.look(ctx, s)
			if !ok {
				found.IsPartial = true
				break
			}
			s = next
			found.Connections = append(found.Connections, s.found...)
			found.Total += s.total
			found.Looked += s.looked
		}
	}
	return found
}

// A search is one loop's share of a ConnQuery. It goes to the loop and back by value, so that nothing is shared when
// one of the two does not wait for the other any more.
type search struct {
	ConnQuery
	network netip.Prefix // Text, if it is one

	fd      int     // that comes next
	streams []*conn // that come after those; read only
	isDone  bool

	// Of the last part.
	found         []ConnInfo
	total, looked int
}

// look has the loop take the next part of a search. It reports false when there was no answer in time.
func (l *loop) look(ctx context.Context, s search) (search, bool) {
	answer := make(chan search, 1)
	posted := l.inbox.post(note{do: func(l *loop) {
		if ctx.Err() == nil {
			answer <- l.searchPart(s)
		}
	}})
	if !posted {
		s.isDone = true
		return s, true
	}
	select {
	case s = <-answer:
		return s, true
	case <-ctx.Done():
		return s, false
	}
}

func (l *loop) searchPart(s search) search {
	if s.fd == 0 && s.streams == nil {
		s.streams = slices.Collect(maps.Keys(l.conns))
	}
	s.found, s.total, s.looked = nil, 0, 0
	work := 0
	for ; s.fd < len(l.byFD) && work < partWork; s.fd++ {
		work += 1 + l.meetSearch(&s, l.byFD[s.fd])
	}
	for ; s.fd >= len(l.byFD) && len(s.streams) > 0 && work < partWork; s.streams = s.streams[1:] {
		work += 1 + l.meetSearch(&s, s.streams[0])
	}
	s.isDone = s.fd >= len(l.byFD) && len(s.streams) == 0
	return s
}

// meetSearch looks at one connection and returns how much work that was.
func (l *loop) meetSearch(s *search, c *conn) (work int) {
	if c == nil || c.state != open {
		return 0
	}
	s.looked++
	if !s.fits(c) {
		return c.subs.Len()
	}
	s.total++
	if len(s.found) < s.Limit {
		s.found = append(s.found, l.describe(c, s.Subscriptions))
	}
	return c.subs.Len()
}

func (s *search) fits(c *conn) bool {
	switch {
	case s.App != "" && c.app.id != s.App:
		return false
	case s.Socket != 0:
		return c.id == s.Socket
	case s.Text == "":
		return true
	}
	return s.InUser && c.isUser(s.Text) || s.InChannel && s.fitsChannel(c) || s.InAddr && s.fitsAddr(c)
}

func (s *search) fitsChannel(c *conn) bool {
	for _, own := range c.subs.All() {
		if strings.Contains(own.Channel.Name(), s.Text) && !own.Channel.Kind().IsInternal() {
			return true
		}
	}
	return false
}

func (s *search) fitsAddr(c *conn) bool {
	addr := c.addr()
	if s.network.IsValid() {
		a, err := netip.ParseAddr(addr)
		return err == nil && s.network.Contains(a)
	}
	return strings.HasPrefix(addr, s.Text)
}

// describe copies what there is to know of a connection.
func (l *loop) describe(c *conn, subscriptions int) ConnInfo {
	info := ConnInfo{
		Socket: c.id.String(), App: c.app.id, Addr: c.addr(), Loop: l.index,
		Opened: l.atSecond(c.opened), LastSeen: l.atSecond(c.lastSeen),
		IsStream: c.stream != nil, IsJS: c.isJS, IsCompressed: c.deflates, Channels: []ConnChannel{}, at: place{l, c},
	}
	if c.user != nil {
		info.User = c.user.ID
	}
	if c.out != nil {
		info.Queued = c.out.bytes
	}
	for _, own := range c.subs.All() {
		if own.Channel.Kind().IsInternal() {
			continue
		}
		info.Subscriptions++
		if len(info.Channels) < subscriptions {
			info.Channels = append(info.Channels, ConnChannel{own.Channel.Name(), own.UserID()})
		}
	}
	return info
}

func (l *loop) atSecond(second uint32) time.Time {
	return l.server.started.Add(time.Duration(second) * time.Second)
}

// addr returns the address of the client. Behind a proxy the socket has the proxy's, and the connection remembers.
func (c *conn) addr() string {
	if c.peer != nil {
		return c.peer.addr
	}
	return c.socketAddr()
}
