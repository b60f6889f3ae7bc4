package domain

import "time"

// Limits of what people may send.
const (
	MaxBody         = 5000 // characters
	MaxTitle        = 120
	MaxTempID       = 64
	MaxParticipants = 50
)

// The two types of conversations.
const (
	Direct = "direct"
	Group  = "group"
)

// The roles of participants.
const (
	Owner  = "owner"
	Member = "member"
)

// Message is one message of a conversation.
type Message struct {
	ID             int64
	UUID           string
	ConversationID int64
	Sender         User // without the password
	ClientTempID   string
	Body           string // "" once deleted
	CreatedAt      time.Time
	EditedAt       *time.Time
	DeletedAt      *time.Time
	ChangeID       int64 // of its last edit or deletion, ascending within the conversation; 0 for none
}

// Participant is a user in a conversation.
type Participant struct {
	User
	ConversationID int64
	Role           string
	JoinedAt       time.Time
	LastReadID     int64
	LastReadAt     *time.Time
	MutedAt        *time.Time
}

// Marker is how far p has read.
func (p Participant) Marker() ReadMarker {
	return ReadMarker{ConversationID: p.ConversationID, UserID: p.ID, MessageID: p.LastReadID, At: p.LastReadAt}
}

// ReadMarker is how far a participant has read.
type ReadMarker struct {
	ConversationID int64
	UserID         int64
	MessageID      int64
	At             *time.Time
}

// Conversation is a conversation as one of its participants sees it.
type Conversation struct {
	ID            int64
	Type          string
	Title         string
	CreatedBy     int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
	LastMessageID int64
	LastMessageAt *time.Time
	LastMessage   *Message
	Participants  []Participant
	Unread        int // of the participant who asks
	MutedAt       *time.Time
	ChangeID      int64 // the last one given to a message of it
}

// NewConversation asks for a conversation.
type NewConversation struct {
	CreatedBy int64
	Others    []int64
	Title     string
	Body      string // of a first message; "" for none
	SocketID  string
	At        time.Time
}

// NewMessage asks for a message to be sent.
type NewMessage struct {
	ConversationID int64
	SenderID       int64
	Body           string
	ClientTempID   string // "" for none
	UUID           string // "" to have one made
	SocketID       string // the connection that need not be told
	At             time.Time
}

// Change asks for a message to be edited or deleted.
type Change struct {
	ConversationID int64
	MessageID      int64
	UserID         int64
	Body           string // "" deletes
	SocketID       string
	At             time.Time
}

// Read asks for a marker to be moved.
type Read struct {
	ConversationID int64
	UserID         int64
	MessageID      int64
	SocketID       string
	At             time.Time
}

// Sent is the outcome of sending.
type Sent struct {
	Message Message
	Stored  bool // false: it had been sent before
	Jobs    []Job
}

// DeltaQuery asks what a participant has missed.
type DeltaQuery struct {
	ConversationID int64
	UserID         int64
	AfterMessage   int64
	AfterChange    *int64 // nil: since AfterMessage was sent
	Limit          int
}

// Delta is what a participant has missed.
type Delta struct {
	Messages    []Message // after AfterMessage, ascending
	MoreMessage bool
	Changed     []Message // up to AfterMessage, in the order of their changes
	MoreChanged bool
	ChangeID    int64 // the next AfterChange
	Markers     []ReadMarker
	Unread      int
}

// Notification tells a user about something that happened while they were away.
type Notification struct {
	ID        string // a uuid
	UserID    int64
	Type      string
	Data      []byte // JSON
	ReadAt    *time.Time
	CreatedAt time.Time
}
