package api

import (
	"encoding/json"
	"time"
)

// Error is the body of every answer of 400 and above.
type Error struct {
	Message string `json:"message"`
	// Errors is there with 422: sentences for each bad field.
	Errors map[string][]string `json:"errors,omitempty"`
}

// Login is the body of POST /login. With a device_name the answer has a token and no session is begun.
type Login struct {
	Username   string  `json:"username"`
	Password   string  `json:"password"`
	DeviceName *string `json:"device_name,omitempty"`
}

// Session answers POST /login and GET /api/user. POST /logout is answered with 204.
type Session struct {
	User      Me     `json:"user"`
	CSRFToken string `json:"csrf_token"`      // "" with a bearer token
	Token     string `json:"token,omitempty"` // for Authorization: Bearer; only from /login with a device_name
}

// Me is the user who asks.
type Me struct {
	User
	IsAdmin   bool      `json:"is_admin"` // may see /horizon
	CreatedAt time.Time `json:"created_at"`
}

// Users answers GET /api/messages/users?search= : up to 20 others whose name or username begins so, for
// starting a conversation.
type Users struct {
	Users []User `json:"users"`
}

// Config answers GET /api/messages/config, also when nobody is signed in.
type Config struct {
	Realtime       bool   `json:"realtime"` // false: poll, open no socket
	Key            string `json:"key"`
	Host           string `json:"host"` // "": the page's own host name
	Port           int    `json:"port"`
	Scheme         string `json:"scheme"` // "http" or "https"
	Path           string `json:"path"`   // pusher-js's wsPath; usually ""
	PollIntervalMS int    `json:"poll_interval_ms"`
	CSRFToken      string `json:"csrf_token"`
	// DemoAccounts are the user names to offer on the sign-in form, and their common password. It is null
	// unless the app runs on its embedded demo database.
	DemoAccounts *DemoAccounts `json:"demo_accounts"`
}

// DemoAccounts are printed and offered where anybody may use them.
type DemoAccounts struct {
	Usernames []string `json:"usernames"`
	Password  string   `json:"password"`
}

// Notification is one database notification and the payload of notification.created. Data depends on Type;
// the only one yet is "message.received", with [MessageReceived].
type Notification struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Data      json.RawMessage `json:"data"`
	ReadAt    *time.Time      `json:"read_at"`
	CreatedAt time.Time       `json:"created_at"`
}

// MessageReceived is the data of a notification about a message that came while its recipient was away.
type MessageReceived struct {
	ConversationID int64  `json:"conversation_id"`
	MessageID      int64  `json:"message_id"`
	Sender         User   `json:"sender"`
	Title          string `json:"title"`   // of the conversation: its title or the sender's name
	Excerpt        string `json:"excerpt"` // the first 140 characters
}

// Notifications answers GET /api/messages/notifications?page=N (20 a page, newest first).
type Notifications struct {
	Notifications []Notification `json:"notifications"`
	Page          int            `json:"page"`
	HasMore       bool           `json:"has_more"`
	UnreadCount   int            `json:"unread_count"`
}

// NotificationRead answers POST /api/messages/notifications/{id}/read, which has no body.
type NotificationRead struct {
	Notification Notification `json:"notification"`
	UnreadCount  int          `json:"unread_count"`
}

// ChannelAuth answers POST /broadcasting/auth. Its request has socket_id and channel_name, form or JSON.
type ChannelAuth struct {
	Auth        string `json:"auth"`
	ChannelData string `json:"channel_data,omitempty"` // of presence channels: {"user_id":"7","user_info":MemberInfo}
}

// UserAuth answers POST /broadcasting/user-auth. Its request has socket_id, form or JSON.
type UserAuth struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"` // {"id":"7","user_info":MemberInfo}
}

// MemberInfo is what here, joining and leaving of Echo's presence channels are given.
type MemberInfo struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	AvatarURL string `json:"avatar_url"`
}
