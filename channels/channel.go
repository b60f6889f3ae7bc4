package channels

import (
	"iter"
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
	members *members   // nil unless a presence channel
	seated  int32      // subscriptions
	online  int32      // of a Watch channel: the user's signed-in connections
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

// members is the list of a presence channel: one entry a user, in the order they joined.
type members struct {
	byID        map[string]*member
	first, last *member
}

type member struct {
	protocol.Member
	entry      protocol.PresenceEntry
	conns      int // subscriptions that are this user
	prev, next *member
}

// join counts one more subscription of m and reports whether it is the user's first. The newest
// user_info is what later joiners are shown.
func (ms *members) join(m protocol.Member) (*member, bool) {
	if known := ms.byID[m.ID]; known != nil {
		known.conns++
		known.Member.Info, known.Member.Data = m.Info, m.Data
		known.entry = protocol.NewPresenceEntry(known.Member)
		return known, false
	}
	added := &member{Member: m, entry: protocol.NewPresenceEntry(m), conns: 1, prev: ms.last}
	if ms.last == nil {
		ms.first = added
	} else {
		ms.last.next = added
	}
	ms.last = added
	ms.byID[m.ID] = added
	return added, true
}

// leave counts one subscription less and reports whether it was the user's last.
func (ms *members) leave(m *member) bool {
	m.conns--
	if m.conns > 0 {
		return false
	}
	delete(ms.byID, m.ID)
	if m.prev == nil {
		ms.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		ms.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	return true
}

func (ms *members) entries() iter.Seq[protocol.PresenceEntry] {
	return func(yield func(protocol.PresenceEntry) bool) {
		for m := ms.first; m != nil; m = m.next {
			if !yield(m.entry) {
				return
			}
		}
	}
}
