package server

import (
	"errors"

	"github.com/reverb-go/reverb-go/protocol"
)

// Every refusal has a reason that is a label in the metrics: those of connections are in close.go, those
// of HTTP requests are their status, and those of messages are here.

// messageRefusals are the errors that messages of clients are answered with, and their labels. The first
// stands for any error that is not among them.
var messageRefusals = [...]struct {
	err    *protocol.Error
	reason string
}{
	{protocol.ErrInvalidFormat, "invalid"},
	{protocol.ErrUnauthorized, "unauthorized"},
	{protocol.ErrInvalidUser, "invalid_user"},
	{protocol.ErrOtherUser, "other_user"},
	{protocol.ErrWatchlistTooLong, "watchlist"},
	{protocol.ErrTooManySubscriptions, "subscriptions"},
	{protocol.ErrTooManyMembers, "members"},
	{protocol.ErrMemberTooLarge, "member_size"},
	{protocol.ErrRateLimited, "rate_limit"},
	{protocol.ErrNotMember, "not_member"},
	{protocol.ErrClientEventsDisabled, "client_events_disabled"},
	{protocol.ErrTooManyClientEvents, "client_event_rate"},
	{protocol.ErrClientEventTooLarge, "client_event_size"},
}

// refusalOf returns the index of an error in messageRefusals.
func refusalOf(e *protocol.Error) int {
	for i := range messageRefusals {
		if messageRefusals[i].err == e {
			return i
		}
	}
	return 0
}

// fail answers a message with an error. The connection stays open: no client may lose it by a
// mistake in one message.
func (l *loop) fail(c *conn, err error) {
	l.trace(TraceEvent{Kind: TraceFailed, Socket: c.id, Err: err})
	var told *protocol.Error
	if !errors.As(err, &told) {
		l.server.log.Error("message not handled", "app", c.app.id, "socket", c.id, "err", err)
		told = protocol.ErrInvalidFormat
	}
	l.stats.refused[refusalOf(told)]++
	l.sendError(c, told)
}

// lookupFailed logs that it cannot be found out whether there is an app, once a second at most: while
// the source is away every client that comes asks for its app.
func (s *Server) lookupFailed(what, who string, err error) {
	if s.lookupLog.take(s.cfg.Now(), 1) {
		s.log.Error("app not looked up; others may be refused for the same reason", what, who, "err", err)
	}
}
