package http

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// people returns who is in the conversation of the path, if the user is.
func (r *request) people() ([]domain.Participant, error) {
	return r.server.Store.Participants(r.ctx, r.user.ID, r.conversation())
}

func (r *request) mustParticipate(conversation int64) error {
	ok, err := r.server.Store.IsParticipant(r.ctx, r.user.ID, conversation)
	if err == nil && !ok {
		err = domain.ErrNotFound
	}
	return err
}

func (r *request) startTyping() error {
	if err := r.mustParticipate(r.conversation()); err != nil {
		return err
	}
	until, err := r.server.Live.StartTyping(r.ctx, r.conversation(), r.user.ID)
	if err != nil {
		return away(err)
	}
	until = until.UTC()
	t := api.NewTyping(r.conversation(), *r.user, &until)
	r.publishTyping(api.TypingStarted, t)
	return r.answer(fasthttp.StatusOK, t)
}

func (r *request) stopTyping() error {
	if err := r.mustParticipate(r.conversation()); err != nil {
		return err
	}
	wasTyping, err := r.server.Live.StopTyping(r.ctx, r.conversation(), r.user.ID)
	if err != nil {
		return away(err)
	}
	if wasTyping {
		r.publishTyping(api.TypingStopped, api.NewTyping(r.conversation(), *r.user, nil))
	}
	return r.nothing()
}

// publishTimeout is short: what is typed is soon of no interest.
const publishTimeout = 2 * time.Second

// publishTyping tells the others at once. If they cannot be told they miss nothing that lasts.
func (r *request) publishTyping(event string, t api.Typing) {
	ctx, cancel := context.WithTimeout(r.ctx, publishTimeout)
	defer cancel()
	err := r.server.Publisher.Publish(ctx, realtime.Event{
		Channel: realtime.ConversationChannel(t.ConversationID), Name: event, Payload: t, SocketID: r.socketID(),
	})
	if err != nil {
		r.server.Log.Debug("nobody was told who types", "error", err)
	}
}

func (r *request) whoTypes() error {
	people, err := r.people()
	if err != nil {
		return err
	}
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	typing, err := r.server.Live.Typing(r.ctx, r.conversation(), ids)
	if err != nil {
		return away(err)
	}
	list := []api.Typing{}
	for _, p := range people {
		if until, ok := typing[p.ID]; ok && p.ID != r.user.ID {
			list = append(list, api.NewTyping(r.conversation(), p.User, &until))
		}
	}
	return r.answer(fasthttp.StatusOK, api.TypingList{Typing: list})
}

func (r *request) heartbeat() error {
	var in api.Heartbeat
	if err := r.decode(&in); err != nil {
		return err
	}
	var inView int64
	if in.ConversationID != nil {
		inView = *in.ConversationID
		if err := r.mustParticipate(inView); err != nil {
			return err
		}
	}
	until, err := r.server.Live.Heartbeat(r.ctx, r.user.ID, inView)
	if err != nil {
		return away(err)
	}
	return r.answer(fasthttp.StatusOK, api.HeartbeatResult{OnlineUntil: until.UTC()})
}
