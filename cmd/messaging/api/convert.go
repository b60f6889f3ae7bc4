package api

import (
	"encoding/json"
	"time"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// NewUser is what others see of a user.
func NewUser(u domain.User) User {
	return User{ID: u.ID, Name: u.Name, Username: u.Username, AvatarURL: u.AvatarURL}
}

// NewUsers is never nil.
func NewUsers(list []domain.User) []User { return each(list, NewUser) }

// NewMe is what a user sees of themself.
func NewMe(u domain.User) Me {
	return Me{User: NewUser(u), IsAdmin: u.IsAdmin, CreatedAt: u.CreatedAt}
}

// NewMemberInfo is what presence channels tell of a user.
func NewMemberInfo(u domain.User) MemberInfo {
	return MemberInfo{ID: u.ID, Name: u.Name, AvatarURL: u.AvatarURL}
}

// NewMessage is a message in an answer or event.
func NewMessage(m domain.Message) Message {
	return Message{
		ID: m.ID, UUID: m.UUID, ConversationID: m.ConversationID, SenderID: m.Sender.ID, Sender: NewUser(m.Sender), Body: m.Body,
		ClientTempID: optional(m.ClientTempID), CreatedAt: m.CreatedAt, EditedAt: m.EditedAt, DeletedAt: m.DeletedAt,
	}
}

// NewMessages is never nil.
func NewMessages(list []domain.Message) []Message { return each(list, NewMessage) }

// NewReadMarker is a marker in an answer or event.
func NewReadMarker(m domain.ReadMarker) ReadMarker {
	return ReadMarker{ConversationID: m.ConversationID, UserID: m.UserID, LastReadMessageID: m.MessageID, LastReadAt: m.At}
}

// NewReadMarkers is never nil.
func NewReadMarkers(list []domain.ReadMarker) []ReadMarker { return each(list, NewReadMarker) }

// NewParticipants marks those who are online and is never nil.
func NewParticipants(list []domain.Participant, online map[int64]bool) []Participant {
	return each(list, func(p domain.Participant) Participant {
		return Participant{User: NewUser(p.User), Role: p.Role, LastReadMessageID: p.LastReadID, LastReadAt: p.LastReadAt, Online: online[p.ID]}
	})
}

// NewConversation is a line of the inbox of the user who asked the store for it.
func NewConversation(c domain.Conversation, online map[int64]bool) Conversation {
	v := Conversation{
		ID: c.ID, Type: c.Type, Title: optional(c.Title), CreatedBy: c.CreatedBy, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		LastMessageAt: c.LastMessageAt, Participants: NewParticipants(c.Participants, online), UnreadCount: c.Unread, MutedAt: c.MutedAt,
	}
	if c.LastMessage != nil {
		m := NewMessage(*c.LastMessage)
		v.LastMessage = &m
	}
	return v
}

// NewConversations is never nil.
func NewConversations(list []domain.Conversation, online map[int64]bool) []Conversation {
	return each(list, func(c domain.Conversation) Conversation { return NewConversation(c, online) })
}

// NewNotification is a notification in an answer or event.
func NewNotification(n domain.Notification) Notification {
	return Notification{ID: n.ID, Type: n.Type, Data: json.RawMessage(n.Data), ReadAt: n.ReadAt, CreatedAt: n.CreatedAt}
}

// NewNotifications is never nil.
func NewNotifications(list []domain.Notification) []Notification {
	return each(list, NewNotification)
}

// NewTyping is somebody who is writing until a time, or has stopped.
func NewTyping(conversation int64, u domain.User, until *time.Time) Typing {
	return Typing{ConversationID: conversation, User: NewUser(u), ExpiresAt: until}
}

// NewSnapshots is never nil.
func NewSnapshots(list []domain.Snapshot) []HorizonSnapshot {
	return each(list, func(s domain.Snapshot) HorizonSnapshot { return HorizonSnapshot(s) })
}

// each makes [] of no rows, where JSON would have null.
func each[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = convert(a)
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
