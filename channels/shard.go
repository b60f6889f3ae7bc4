package channels

import "github.com/reverb-go/reverb-go/protocol"

// A Subscriber is a connection as a channel sees it.
type Subscriber interface {
	SocketID() protocol.SocketID
	// Subscriptions returns the connection's own list, the same at each call.
	Subscriptions() *Subscriptions
}

// A Shard holds the seats of the subscribers that live on one event loop. It is owned by that loop.
type Shard struct {
	bit   uint64 // its place in Note.Shards
	seats map[*Channel][]Seat
}

// MaxShards is how many shards a Note can name.
const MaxShards = 64

// NewShard returns the shard with this index, which must be below MaxShards and used by one loop only.
func NewShard(index int) *Shard {
	if index < 0 || index >= MaxShards {
		panic("channels: shard index out of range")
	}
	return &Shard{bit: 1 << index, seats: make(map[*Channel][]Seat)}
}

// A Seat is one subscriber's place in a channel.
type Seat struct {
	Subscriber Subscriber
	Since      uint64 // the channel's number when it joined: only messages with a later one are for it
	index      int32  // of the subscription in the subscriber's list
	at         Moment // when it was taken
}

// IsAfter reports whether the seat was taken after that moment: a note that is late, and was published then, is not for it.
func (s *Seat) IsAfter(m Moment) bool { return s.at.after(m) }

// Seats returns the subscribers of c on this shard, to be read until the next change of the shard.
func (s *Shard) Seats(c *Channel) []Seat { return s.seats[c] }

// Subscriptions is a connection's list of the channels it is in. The zero value is an empty list.
type Subscriptions struct {
	list []Subscription
}

// A Subscription is one channel of one connection.
type Subscription struct {
	Channel *Channel
	member  *member // nil in a channel without members, and for a subscriber that is none
	seat    int32   // index in the shard's seats of the channel; pending while there is none
	turn    uint32  // tells it from other subscriptions to the channel
}

// pending is the seat of a subscription that waits for other nodes.
const pending = -1

// UserID returns the id of the member this subscription is in a presence channel, or "".
func (s *Subscription) UserID() string {
	if s.member == nil {
		return ""
	}
	return s.member.ID
}

// IsPending reports whether the subscription waits for other nodes.
func (s *Subscription) IsPending() bool { return s.seat == pending }

// Len returns the number of subscriptions.
func (s *Subscriptions) Len() int { return len(s.list) }

// All returns the subscriptions, to be read until the next change.
func (s *Subscriptions) All() []Subscription { return s.list }

// Find returns the subscription to the channel of this name, or nil. It is valid until the next change.
func (s *Subscriptions) Find(name []byte) *Subscription {
	for i := range s.list {
		if s.list[i].Channel.name == string(name) {
			return &s.list[i]
		}
	}
	return nil
}

// add appends a subscription without a seat. c.mu must be held.
func (s *Subscriptions) add(c *Channel, m *member) *Subscription {
	c.turn++
	s.list = append(s.list, Subscription{Channel: c, member: m, seat: pending, turn: c.turn})
	return &s.list[len(s.list)-1]
}

// sit gives subscription own of sub a seat, taken at a moment, and reports whether it is the first on this shard.
func (s *Shard) sit(sub Subscriber, own *Subscription, since uint64, at Moment) bool {
	seats := s.seats[own.Channel]
	own.seat = int32(len(seats))
	s.seats[own.Channel] = append(seats, Seat{Subscriber: sub, Since: since, index: sub.Subscriptions().indexOf(own), at: at})
	return len(seats) == 0
}

// indexOf returns the place of own, which is a pointer into the list.
func (s *Subscriptions) indexOf(own *Subscription) int32 {
	for i := len(s.list) - 1; i >= 0; i-- { // it is nearly always the last
		if &s.list[i] == own {
			return int32(i)
		}
	}
	panic("channels: a subscription of somebody else")
}

// vacate takes back the seat behind a subscription and reports whether it was the last on this
// shard. The last seat moves into the gap, so leaving costs the same however full the channel is.
func (s *Shard) vacate(gone Subscription) bool {
	if gone.seat == pending {
		return false
	}
	seats := s.seats[gone.Channel]
	last := len(seats) - 1
	if moved := seats[last]; int(gone.seat) != last {
		seats[gone.seat] = moved
		moved.Subscriber.Subscriptions().list[moved.index].seat = gone.seat
	}
	seats[last] = Seat{}
	if last == 0 {
		delete(s.seats, gone.Channel)
		return true
	}
	s.seats[gone.Channel] = shrink(seats[:last])
	return false
}

// remove takes subscription i, whose seat is vacated, from the list.
func (s *Subscriptions) remove(i int32, shard *Shard) {
	last := int32(len(s.list) - 1)
	if i != last {
		moved := s.list[last]
		s.list[i] = moved
		if moved.seat != pending {
			shard.seats[moved.Channel][moved.seat].index = i
		}
	}
	s.list[last] = Subscription{}
	s.list = s.list[:last]
	if last == 0 {
		s.list = nil
	}
}

// shrink gives memory back after a crowd has left.
func shrink(seats []Seat) []Seat {
	if cap(seats) < 64 || len(seats) > cap(seats)/4 {
		return seats
	}
	return append(make([]Seat, 0, len(seats)*2), seats...)
}
