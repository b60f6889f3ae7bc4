package channels

import (
	"cmp"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Channel is a named set of subscribers. Get one from a Registry.
type Channel struct {
	// Static after construction.
	name   string
	kind   Kind
	serial uint64 // order of creation in the registry

	subscribers int32 // guarded by Registry.mu

	mu      sync.Mutex // guards what follows, and the order of notes
	seq     uint64     // number of the last message
	shards  uint64     // bit set of the shards that have subscribers
	members *members   // of presence channels, and of Watch channels: the user, if online; else nil
	wanted  int32      // subscriptions, those that wait for a seat included
	seated  int32      // those that have one
	turn    uint32     // number of the last subscription
	link    *link      // to the other nodes; nil on a node that is alone, and without subscriptions
	counted time.Time  // when the number of subscriptions was last announced
}

// Name returns the channel's name.
func (c *Channel) Name() string { return c.name }

// Kind returns the channel's kind.
func (c *Channel) Kind() Kind { return c.kind }

// A Note is a message to the subscribers of a channel on the shards it names.
type Note struct {
	Channel *Channel
	Shards  uint64            // bit i is set for the shard with index i
	Seq     uint64            // for seats with a smaller Since only
	Except  protocol.SocketID // not sent to this one
	Payload []byte            // JSON text; borrowed, valid until post returns

	IsLate    bool   // not for seats that were taken after it was published
	Published Moment // of one that is late
}

// A Moment is a point of time in hundredths of a second, by a clock that nobody sets.
type Moment uint32

// after reports whether m is later than other, of which it is less than 248 days away.
func (m Moment) after(other Moment) bool { return int32(m-other) > 0 }

func (r *Registry) momentOf(t time.Time) Moment {
	return Moment(t.Sub(r.began) / (10 * time.Millisecond))
}

// notify numbers a message and posts it. c.mu must be held.
func (c *Channel) notifyLocked(post func(Note), payload []byte, except protocol.SocketID) {
	c.postLocked(post, Note{Payload: payload, Except: except})
}

// postLocked numbers a message, unless it has the number of one that came before it, and posts it.
func (c *Channel) postLocked(post func(Note), n Note) {
	c.seq++
	if c.shards != 0 {
		n.Channel, n.Shards, n.Seq = c, c.shards, cmp.Or(n.Seq, c.seq)
		post(n)
	}
}
