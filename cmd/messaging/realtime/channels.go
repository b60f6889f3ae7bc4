package realtime

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// The channels of the app; what ends in a dot goes on with an id.
const (
	presenceMessaging    = "presence-messaging"
	presenceConversation = "presence-conversation."
	privateConversation  = "private-conversation."
	privateUser          = "private-App.Models.User."
)

// ConversationChannel carries the events of a conversation.
func ConversationChannel(id int64) string { return privateConversation + strconv.FormatInt(id, 10) }

// UserChannel carries the events for one user.
func UserChannel(id int64) string { return privateUser + strconv.FormatInt(id, 10) }

// ErrRefused is the answer to whoever may not listen, or asks in a way nobody does.
var ErrRefused = errors.New("this user may not listen to this channel")

// Participation is known by the store.
type Participation interface {
	IsParticipant(ctx context.Context, userID, conversationID int64) (bool, error)
}

// Gatekeeper signs subscriptions.
type Gatekeeper struct {
	App   *auth.App
	Rooms Participation
}

// Channel lets the user's connection into a channel, or returns ErrRefused.
func (g *Gatekeeper) Channel(ctx context.Context, u domain.User, socketID, channel string) (api.ChannelAuth, error) {
	if !IsSocketID(socketID) {
		return api.ChannelAuth{}, ErrRefused
	}
	ok, err := g.mayListen(ctx, u.ID, channel)
	switch {
	case err != nil:
		return api.ChannelAuth{}, err
	case !ok:
		return api.ChannelAuth{}, ErrRefused
	case !strings.HasPrefix(channel, "presence-"):
		return api.ChannelAuth{Auth: g.App.SignChannel(socketID, channel, "")}, nil
	}
	data, err := encode(channelData{UserID: strconv.FormatInt(u.ID, 10), UserInfo: api.NewMemberInfo(u)})
	return api.ChannelAuth{Auth: g.App.SignChannel(socketID, channel, string(data)), ChannelData: string(data)}, err
}

type channelData struct {
	UserID   string         `json:"user_id"`
	UserInfo api.MemberInfo `json:"user_info"`
}

// User signs the user in on a connection.
func (g *Gatekeeper) User(u domain.User, socketID string) (api.UserAuth, error) {
	if !IsSocketID(socketID) {
		return api.UserAuth{}, ErrRefused
	}
	data, err := encode(userData{ID: strconv.FormatInt(u.ID, 10), UserInfo: api.NewMemberInfo(u)})
	return api.UserAuth{Auth: g.App.SignUser(socketID, string(data)), UserData: string(data)}, err
}

type userData struct {
	ID       string         `json:"id"`
	UserInfo api.MemberInfo `json:"user_info"`
}

func (g *Gatekeeper) mayListen(ctx context.Context, user int64, channel string) (bool, error) {
	if channel == presenceMessaging {
		return true, nil
	}
	if id, ok := idAfter(channel, privateUser); ok {
		return id == user, nil
	}
	for _, prefix := range []string{presenceConversation, privateConversation} {
		if id, ok := idAfter(channel, prefix); ok {
			return g.Rooms.IsParticipant(ctx, user, id)
		}
	}
	return false, nil
}

// idAfter reads the id of a channel as we write it: "01" would be another channel.
func idAfter(channel, prefix string) (int64, bool) {
	digits, ok := strings.CutPrefix(channel, prefix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == digits
}

// IsSocketID reports whether s has the form that Pusher's libraries check. A string of another form could change
// what is signed.
func IsSocketID(s string) bool {
	a, b, ok := strings.Cut(s, ".")
	return ok && len(s) <= 64 && isDigits(a) && isDigits(b)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
