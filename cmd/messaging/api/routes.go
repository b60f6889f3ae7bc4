package api

// A Route is one line of the HTTP API.
type Route struct {
	Method, Path string
	Request      any // nil: no body
	Answer       any // nil: 204
}

// Routes lists the HTTP API. It is documentation; what serves a route is package http.
var Routes = []Route{
	{"POST", "/login", Login{}, Session{}},
	{"POST", "/logout", nil, nil},
	{"GET", "/api/user", nil, Session{}},
	{"GET", "/api/messages/config", nil, Config{}},
	{"GET", "/api/messages/users", nil, Users{}},
	{"GET", "/api/messages/conversations", nil, Conversations{}},
	{"POST", "/api/messages/conversations", CreateConversation{}, ConversationUpdated{}},
	{"GET", "/api/messages/{conversation_id}", nil, View{}},
	{"POST", "/api/messages/{conversation_id}", SendMessage{}, Message{}},
	{"PATCH", "/api/messages/{conversation_id}/{message_id}", EditMessage{}, Message{}},
	{"DELETE", "/api/messages/{conversation_id}/{message_id}", nil, Message{}},
	{"GET", "/api/messages/{conversation_id}/delta", nil, Delta{}},
	{"POST", "/api/messages/{conversation_id}/read", MarkRead{}, ReadResult{}},
	{"POST", "/api/messages/{conversation_id}/typing", nil, Typing{}},
	{"DELETE", "/api/messages/{conversation_id}/typing", nil, nil},
	{"GET", "/api/messages/{conversation_id}/typing", nil, TypingList{}},
	{"POST", "/api/messages/{conversation_id}/mute", nil, Conversation{}},
	{"DELETE", "/api/messages/{conversation_id}/mute", nil, Conversation{}},
	{"POST", "/api/messages/presence/heartbeat", Heartbeat{}, HeartbeatResult{}},
	{"GET", "/api/messages/notifications", nil, Notifications{}},
	{"POST", "/api/messages/notifications/{id}/read", nil, NotificationRead{}},
	{"POST", "/broadcasting/auth", nil, ChannelAuth{}},
	{"POST", "/broadcasting/user-auth", nil, UserAuth{}},
	{"GET", "/horizon/api/stats", nil, Horizon{}},
	{"GET", "/horizon/api/snapshots", nil, HorizonSnapshots{}},
	{"GET", "/horizon/api/jobs/recent", nil, HorizonJobs{}},
	{"GET", "/horizon/api/jobs/failed", nil, HorizonJobs{}},
	{"POST", "/horizon/api/jobs/failed/{queue}/{id}/retry", nil, nil},
	{"DELETE", "/horizon/api/jobs/failed/{queue}/{id}", nil, nil},
	{"GET", "/up", nil, Health{}},
}

// The names of events, as Laravel's broadcastAs has them: Echo listens with a dot in front.
const (
	MessageCreated           = "message.created"
	MessageUpdated           = "message.updated"
	MessageDeleted           = "message.deleted"
	MessageRead              = "message.read"
	TypingStarted            = "typing.started"
	TypingStopped            = "typing.stopped"
	ConversationUpdatedEvent = "conversation.updated"
	NotificationCreated      = "notification.created"
)

// An Event is what a channel carries.
type Event struct {
	Channel, Name string
	Payload       any
}

// Events lists the channels and events. presence-messaging (everybody) and presence-conversation.{id}
// (participants) carry members only, each a [MemberInfo].
var Events = []Event{
	{"private-conversation.{id}", MessageCreated, Message{}},
	{"private-conversation.{id}", MessageUpdated, Message{}},
	{"private-conversation.{id}", MessageDeleted, Message{}},
	{"private-conversation.{id}", MessageRead, ReadMarker{}},
	{"private-conversation.{id}", TypingStarted, Typing{}},
	{"private-conversation.{id}", TypingStopped, Typing{}},
	{"private-App.Models.User.{id}", ConversationUpdatedEvent, ConversationUpdated{}},
	{"private-App.Models.User.{id}", NotificationCreated, Notification{}},
}
