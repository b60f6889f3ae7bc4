package channels

import (
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
}

// notify numbers a message and posts it. c.mu must be held.
func (c *Channel) notifyLocked(post func(Note), payload []byte, except protocol.SocketID) {
	c.seq++
	if c.shards != 0 {
		post(Note{Channel: c, Shards: c.shards, Seq: c.seq, Except: except, Payload: payload})
	}
}
