package server

import (
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// maxWatchlist is how many users one connection can watch, as at Pusher.
const maxWatchlist = 100

// handleSignin makes the connection one of a user's. The answer holds user_data as it came: pusher-js
// reads the id from it.
func (l *loop) handleSignin(c *conn, m protocol.Message) error {
	sign, err := protocol.ParseSignin(m.Data)
	if err != nil {
		return err
	}
	l.scratch = c.id.AppendTo(l.scratch[:0])
	if !c.app.get().VerifyUser(l.scratch, sign.UserData, sign.Auth) {
		return protocol.ErrUnauthorized
	}
	who, err := protocol.ParseUser(sign.UserData)
	if err != nil {
		return err
	}
	if c.user != nil && c.user.ID != who.ID {
		return protocol.ErrOtherUser
	}
	l.sendText(c, protocol.AppendSigninSuccess(l.scratch[:0], sign.UserData))
	if c.user != nil {
		return nil
	}
	c.user, c.isAuthorized = &user{User: who}, true
	c.app.registry.SignIn(who.ID)
	l.watchUsers(c, who.Watchlist)
	return nil
}

// A user is who a connection has signed in as.
type user struct {
	protocol.User
	watching *watching // while it is not known of all users of the watchlist whether they are online
}

// A watching is a watchlist whose users' states are not all known yet. Nobody is told of changes before
// all are, so that the first message is about the same moment for all.
type watching struct {
	waiters []channels.Waiter
	missing int  // of waiters, are not ready
	isCut   bool // the watchlist was too long
}

// watchUsers tells a user who of its watchlist is online, and from then on who comes and goes.
func (l *loop) watchUsers(c *conn, ids []string) {
	if len(ids) == 0 {
		return
	}
	c.user.watching = &watching{isCut: len(ids) > maxWatchlist}
	ids = ids[:min(len(ids), maxWatchlist)]
	watched := make(map[string]bool, len(ids))
	for _, id := range ids {
		if watched[id] {
			continue
		}
		watched[id] = true
		w, isReady := c.app.registry.Watch(l.now, l.shard, c, id)
		c.user.watching.waiters = append(c.user.watching.waiters, w)
		if !isReady {
			c.user.watching.missing++
		}
	}
	l.tellOnline(c)
}

// tellOnline sends who of the watchlist is online, when that is known.
func (l *loop) tellOnline(c *conn) {
	if c.user.watching.missing > 0 {
		return
	}
	var online, offline []string
	for _, w := range c.user.watching.waiters {
		joined, ok, _ := c.app.registry.Complete(l.now, l.shard, w, nil)
		switch id := w.Channel.WatchedUser(); {
		case !ok:
		case joined.Members > 0:
			online = append(online, id)
		default:
			offline = append(offline, id)
		}
	}
	l.sendText(c, protocol.AppendWatchlistEvents(l.scratch[:0], online, offline))
	if c.user.watching.isCut {
		l.fail(c, protocol.ErrWatchlistTooLong)
	}
	c.user.watching = nil
}

// mayHear reports whether the connection may subscribe to a channel for one user.
func (c *conn) mayHear(channel []byte) bool {
	return c.user != nil && channels.UserOf(string(channel)) == c.user.ID
}
