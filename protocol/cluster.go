package protocol

import "time"

// Snapshot is a channel as all nodes together know it at one moment.
type Snapshot struct {
	Asker   uint64   // of the Holding that this is the answer to
	Seq     uint64   // number of the last change of its members
	Members []Member // in the order they joined

	// What a cache channel keeps.
	Cached    []byte // nil for nothing
	CachedID  uint64 // its Broadcast.ID
	CachedFor time.Duration
}

// StreamAge is for how long nodes keep messages for each other.
const StreamAge = time.Minute

// IsLater reports whether the message with an ID comes after another one. IDs are milliseconds with a number of 21 bits. One that is
// further behind than messages are kept is of messages whose IDs began anew, after a clock was set back.
func IsLater(id, than uint64) bool {
	const span = uint64(StreamAge/time.Millisecond) << 21
	return id > than || than-id > span
}

// Change is a change of the members of a channel, the same for all nodes.
type Change struct {
	AppID   string
	Channel string
	Seq     uint64 // one more than that of the change before
	Kind    ChangeKind
	Member  Member // of one that was removed only ID and IDJSON
}

// ChangeKind says what happened to a member.
type ChangeKind uint8

// The kinds of changes.
const (
	MemberJoined  ChangeKind = iota
	MemberUpdated            // its user_info is another one now; nobody is told
	MemberLeft
)

// Holding is what one node has of a channel.
type Holding struct {
	Asker         uint64 // the channel on this node, of which there is another one after the last has left it; not 0
	Seq           uint64 // of the last change of its members that is known; 0 for none
	Subscriptions int
	Members       []Member // of its connections, each user once
}

// A Transition is something that happened once in a cluster, because of what one node did.
type Transition struct {
	AppID, Channel string
	Kind           TransitionKind
	UserID         string // of Joined and Left
}

// TransitionKind says what has happened.
type TransitionKind uint8

// The kinds of transitions.
const (
	Occupied TransitionKind = iota
	Vacated
	Joined
	Left
)

// ChannelInfo is what can be asked about a channel in a cluster.
type ChannelInfo struct {
	Name          string
	Subscriptions int
	Users         int
	Cached        []byte
	CachedFor     time.Duration
}
