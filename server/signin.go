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
	user, err := protocol.ParseUser(sign.UserData)
	if err != nil {
		return err
	}
	if c.user != nil && c.user.ID != user.ID {
		return protocol.ErrOtherUser
	}
	l.sendText(c, protocol.AppendSigninSuccess(l.scratch[:0], sign.UserData))
	if c.user != nil {
		return nil
	}
	c.user, c.isAuthorized = &user, true
	c.app.registry.SignIn(user.ID)
	return l.watchUsers(c, user.Watchlist)
}

// watchUsers tells a user who of its watchlist is online, and from then on who comes and goes.
func (l *loop) watchUsers(c *conn, ids []string) (err error) {
	if len(ids) > maxWatchlist {
		ids, err = ids[:maxWatchlist], protocol.ErrWatchlistTooLong
	}
	var online, offline []string
	watched := make(map[string]bool, len(ids))
	for _, id := range ids {
		if watched[id] {
			continue
		}
		watched[id] = true
		if c.app.registry.Watch(l.shard, c, id) {
			online = append(online, id)
		} else {
			offline = append(offline, id)
		}
	}
	if len(ids) > 0 {
		l.sendText(c, protocol.AppendWatchlistEvents(l.scratch[:0], online, offline))
	}
	return err
}

// mayHear reports whether the connection may subscribe to a channel for one user.
func (c *conn) mayHear(channel []byte) bool {
	return c.user != nil && channels.UserOf(string(channel)) == c.user.ID
}
