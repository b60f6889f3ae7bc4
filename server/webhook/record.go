package webhook

import (
	"strconv"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A record is an event on its way. It is shared by queues and never changes.
type record struct {
	app   *auth.App // as it was then; its secret signs
	at    time.Time // when it happened
	event channels.Event
}

// recordOverhead is about what a record takes besides its strings, which are not shared with the server for long.
const recordOverhead = 200

// size is what the record takes of a queue's bound, in bytes.
func (r *record) size() int {
	e := &r.event
	return recordOverhead + len(e.Channel) + len(e.UserID) + len(e.Event) + len(e.Data)
}

// appendEvent appends the event as it stands in a webhook. All ids are strings, since Go's, .NET's and Swift's
// libraries read nothing else there.
func appendEvent(dst []byte, e *channels.Event) []byte {
	dst = appendField(append(dst, '{'), "name", string(e.Name))
	dst = appendField(append(dst, ','), "channel", e.Channel)
	switch e.Name {
	case channels.MemberAdded, channels.MemberRemoved:
		dst = appendField(append(dst, ','), "user_id", e.UserID)
	case channels.ClientEvent:
		dst = appendField(append(dst, ','), "event", e.Event)
		dst = appendField(append(dst, ','), "data", e.Data)
		dst = appendField(append(dst, ','), "socket_id", e.SocketID.String())
		if e.UserID != "" {
			dst = appendField(append(dst, ','), "user_id", e.UserID)
		}
	case channels.SubscriptionCount:
		dst = strconv.AppendInt(append(dst, `,"subscription_count":`...), int64(e.Count), 10)
	}
	return append(dst, '}')
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return protocol.AppendString(dst, value)
}
