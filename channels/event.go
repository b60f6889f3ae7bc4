package channels

import "github.com/reverb-go/reverb-go/protocol"

// EventName says what happened; the text is Pusher's, in webhooks.
type EventName string

// The events that Pusher has webhooks for.
const (
	ChannelOccupied   EventName = "channel_occupied"
	ChannelVacated    EventName = "channel_vacated"
	MemberAdded       EventName = "member_added"
	MemberRemoved     EventName = "member_removed"
	ClientEvent       EventName = "client_event"
	CacheMiss         EventName = "cache_miss"
	SubscriptionCount EventName = "subscription_count"
)

// An Event is something that happened to a channel. Which fields are set depends on Name; a Registry
// reports all but ClientEvent and CacheMiss.
type Event struct {
	Name    EventName
	Channel string
	UserID  string // of the member; of the sender of a client event on a presence channel
	Count   int    // of subscriptions

	// Of a client event.
	Event    string
	Data     string
	SocketID protocol.SocketID
}

// emit reports an event of c, whose lock or the registry's is held.
func (r *Registry) emit(c *Channel, e Event) {
	if !c.kind.IsInternal() {
		e.Channel = c.name
		r.hooks.Observe(e)
	}
}
