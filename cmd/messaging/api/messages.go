package api

import "time"

// User is a person as others see them.
type User struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Username  string `json:"username"`
	AvatarURL string `json:"avatar_url"` // a path of this app or an absolute URL; never empty
}

// Message is one message of a conversation. It is the answer to sending, editing and deleting, and the
// payload of message.created, message.updated and message.deleted.
type Message struct {
	ID             int64  `json:"id"` // ascending within the conversation
	UUID           string `json:"uuid"`
	ConversationID int64  `json:"conversation_id"`
	SenderID       int64  `json:"sender_id"`
	Sender         User   `json:"sender"`
	// Body is plain text, to be escaped. It is "" once the message is deleted.
	Body string `json:"body"`
	// ClientTempID is what the sender's client called the message before it was stored, or null. It is
	// unique together with SenderID only.
	ClientTempID *string    `json:"client_temp_id"`
	CreatedAt    time.Time  `json:"created_at"`
	EditedAt     *time.Time `json:"edited_at"`
	DeletedAt    *time.Time `json:"deleted_at"` // set: show that something was deleted here
	// Truncated is true in an event whose Body had to be cut. The whole message is had by
	// GET /api/messages/{conversation_id}/delta?after_message_id={id-1}&limit=1.
	Truncated bool `json:"truncated,omitempty"`
}

// Participant is a user in a conversation, and how far they have read.
type Participant struct {
	User
	Role              string     `json:"role"`                 // "owner" or "member"
	LastReadMessageID int64      `json:"last_read_message_id"` // 0 for nothing yet
	LastReadAt        *time.Time `json:"last_read_at"`
	// Online is a recent heartbeat, for pages that have no presence channel.
	Online bool `json:"online"`
}

// Conversation is one line of the inbox.
type Conversation struct {
	ID        int64     `json:"id"`
	Type      string    `json:"type"`  // "direct" or "group"
	Title     *string   `json:"title"` // null for direct: show the other participant's name
	CreatedBy int64     `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// LastMessageAt is null while nothing has been sent. Conversations are listed by it, newest first,
	// those without by CreatedAt.
	LastMessageAt *time.Time `json:"last_message_at"`
	LastMessage   *Message   `json:"last_message"`
	// Participants includes the user who asks. It is null, never empty, in an event it did not fit into:
	// keep those already known, or load them.
	Participants []Participant `json:"participants"`
	UnreadCount  int           `json:"unread_count"` // of the user who asks
	MutedAt      *time.Time    `json:"muted_at"`     // of the user who asks
}

// Summary is what the badge of the whole inbox shows.
type Summary struct {
	UnreadTotal int `json:"unread_total"`
}

// Conversations answers GET /api/messages/conversations?page=N (20 a page, from 1).
type Conversations struct {
	Conversations []Conversation `json:"conversations"`
	Page          int            `json:"page"`
	HasMore       bool           `json:"has_more"`
	Summary       Summary        `json:"summary"`
}

// CreateConversation is the body of POST /api/messages/conversations, answered with a [ConversationUpdated]:
// 201, or 200 for a direct conversation that was there already. One other participant and no title
// makes a direct conversation, anything else a group. The user who asks need not be listed.
type CreateConversation struct {
	ParticipantIDs []int64 `json:"participant_ids"` // 1 to 49 others
	Title          *string `json:"title,omitempty"` // at most 120 characters
	Body           *string `json:"body,omitempty"`  // a first message
}

// ConversationUpdated answers the creation of a conversation and is the payload of conversation.updated.
type ConversationUpdated struct {
	Conversation Conversation `json:"conversation"`
	Summary      Summary      `json:"summary"`
}

// View answers GET /api/messages/{conversation_id}?before_message_id=&limit= (limit 50, at most 100): the
// newest messages, or those before an id. Deleted messages are there as such.
type View struct {
	Conversation Conversation  `json:"conversation"`
	Messages     []Message     `json:"messages"` // ascending by id
	Participants []Participant `json:"participants"`
	HasMore      bool          `json:"has_more"` // there are older ones
	// ChangeCursor is to be given to the next delta as after_change.
	ChangeCursor int64   `json:"change_cursor"`
	Summary      Summary `json:"summary"`
}

// SendMessage is the body of POST /api/messages/{conversation_id}, answered with a [Message]: 201, or 200
// with the stored one if the same sender has sent this client_temp_id or uuid before.
type SendMessage struct {
	Body         string  `json:"body"`                     // 1 to 5000 characters after trimming
	ClientTempID *string `json:"client_temp_id,omitempty"` // 1 to 64 characters
	UUID         *string `json:"uuid,omitempty"`
}

// EditMessage is the body of PATCH /api/messages/{conversation_id}/{message_id}. It and DELETE of the same
// path are answered with a [Message].
type EditMessage struct {
	Body string `json:"body"`
}

// Delta answers GET /api/messages/{conversation_id}/delta?after_message_id=&after_change=&limit= (limit 100,
// at most 500). Merge Messages and Changed by id, then ask again with both cursors while HasMore or
// HasMoreChanges.
type Delta struct {
	Messages []Message `json:"messages"` // with ids above after_message_id, ascending
	// Changed has messages up to after_message_id that were edited or deleted (see DeletedAt) after the
	// change cursor; without after_change, since the message after_message_id was sent, which is
	// enough unless that message reached the client by another way than load, delta or event.
	Changed     []Message    `json:"changed"`
	ReadMarkers []ReadMarker `json:"read_markers"` // of all participants
	HasMore     bool         `json:"has_more"`     // of Messages
	// NextAfterMessageID is the id of the last of Messages, or after_message_id.
	NextAfterMessageID int64 `json:"next_after_message_id"`
	HasMoreChanges     bool  `json:"has_more_changes"`
	ChangeCursor       int64 `json:"change_cursor"` // the next after_change
	UnreadCount        int   `json:"unread_count"`
}

// ReadMarker says how far a participant has read. It is the payload of message.read.
type ReadMarker struct {
	ConversationID    int64      `json:"conversation_id"`
	UserID            int64      `json:"user_id"`
	LastReadMessageID int64      `json:"last_read_message_id"`
	LastReadAt        *time.Time `json:"last_read_at"`
}

// MarkRead is the body of POST /api/messages/{conversation_id}/read. The marker never moves back.
type MarkRead struct {
	MessageID int64 `json:"message_id"`
}

// ReadResult answers MarkRead.
type ReadResult struct {
	Marker      ReadMarker `json:"marker"`
	UnreadCount int        `json:"unread_count"` // of this conversation
	Summary     Summary    `json:"summary"`
}

// Typing is somebody who is writing: the payload of typing.started and typing.stopped, and what
// POST …/typing is answered with (DELETE is answered with 204).
type Typing struct {
	ConversationID int64 `json:"conversation_id"`
	User           User  `json:"user"`
	// ExpiresAt is when the line should go unless typing.started comes again; null in typing.stopped.
	ExpiresAt *time.Time `json:"expires_at"`
}

// TypingList answers GET /api/messages/{conversation_id}/typing, without the user who asks.
type TypingList struct {
	Typing []Typing `json:"typing"`
}

// Heartbeat is the body of POST /api/messages/presence/heartbeat, to be sent every 30 seconds while the page
// is open, with the conversation in view if there is one.
type Heartbeat struct {
	ConversationID *int64 `json:"conversation_id,omitempty"`
}

// HeartbeatResult answers Heartbeat.
type HeartbeatResult struct {
	OnlineUntil time.Time `json:"online_until"`
}
