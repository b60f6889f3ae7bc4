package http

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func (r *request) listConversations() error {
	page, offset, err := r.page()
	if err != nil {
		return err
	}
	list, more, err := r.server.Store.Conversations(r.ctx, r.user.ID, pageSize, offset)
	if err != nil {
		return err
	}
	summary, err := r.summary()
	if err != nil {
		return err
	}
	var people []domain.Participant
	for _, c := range list {
		people = append(people, c.Participants...)
	}
	return r.answer(fasthttp.StatusOK, api.Conversations{
		Conversations: api.NewConversations(list, r.online(people)), Page: page, HasMore: more && page < maxPage, Summary: summary,
	})
}

func (r *request) summary() (api.Summary, error) {
	total, err := r.server.Store.UnreadTotal(r.ctx, r.user.ID)
	return api.Summary{UnreadTotal: total}, err
}

// online says who of the people is there. While Redis is away nobody is, which is no reason to show no messages.
func (r *request) online(people []domain.Participant) map[int64]bool {
	var ids []int64
	seen := make(map[int64]bool, len(people))
	for _, p := range people {
		if !seen[p.ID] {
			seen[p.ID] = true
			ids = append(ids, p.ID)
		}
	}
	online, err := r.server.Live.Online(r.ctx, ids)
	if err != nil {
		r.server.Log.Debug("nobody can be asked who is online", "error", err)
	}
	return online
}

func (r *request) createConversation() error {
	var in api.CreateConversation
	if err := r.decode(&in); err != nil {
		return err
	}
	var faults invalidFields
	if len(in.ParticipantIDs) == 0 {
		faults.add("participant_ids", "The %s field is required.")
	}
	title := checkOptional(&faults, "title", in.Title, domain.MaxTitle)
	body := checkOptional(&faults, "body", in.Body, domain.MaxBody)
	if err := faults.orNil(); err != nil {
		return err
	}
	if err := r.limit(sends, r.userKey()); err != nil {
		return err
	}
	id, created, jobs, err := r.server.Store.CreateConversation(r.ctx, domain.NewConversation{
		CreatedBy: r.user.ID, Others: in.ParticipantIDs, Title: title, Body: body, SocketID: r.socketID(), At: r.now,
	})
	if err != nil {
		return err
	}
	r.server.Queue.Dispatch(jobs)
	status := fasthttp.StatusOK
	if created {
		status = fasthttp.StatusCreated
	}
	return r.answerConversation(status, id)
}

func (r *request) answerConversation(status int, id int64) error {
	c, err := r.server.Store.Conversation(r.ctx, r.user.ID, id)
	if err != nil {
		return err
	}
	summary, err := r.summary()
	if err != nil {
		return err
	}
	return r.answer(status, api.ConversationUpdated{Conversation: api.NewConversation(c, r.online(c.Participants)), Summary: summary})
}

const (
	defaultView = 50
	maxView     = 100
)

// view reads the conversation, with its change cursor, before the messages: what happens in between is told again by
// the next delta rather than never.
func (r *request) view() error {
	before, err := r.number("before_message_id", 0, 1, maxID)
	if err != nil {
		return err
	}
	limit, err := r.number("limit", defaultView, 1, maxView)
	if err != nil {
		return err
	}
	c, err := r.server.Store.Conversation(r.ctx, r.user.ID, r.conversation())
	if err != nil {
		return err
	}
	messages, more, err := r.server.Store.History(r.ctx, r.user.ID, c.ID, before, int(limit))
	if err != nil {
		return err
	}
	summary, err := r.summary()
	if err != nil {
		return err
	}
	v := api.NewConversation(c, r.online(c.Participants))
	return r.answer(fasthttp.StatusOK, api.View{
		Conversation: v, Messages: api.NewMessages(messages), Participants: v.Participants, HasMore: more, ChangeCursor: c.ChangeID, Summary: summary,
	})
}

func (r *request) mute() error { return r.setMuted(&r.now) }

func (r *request) unmute() error { return r.setMuted(nil) }

func (r *request) setMuted(at *time.Time) error {
	if err := r.server.Store.SetMuted(r.ctx, r.user.ID, r.conversation(), at); err != nil {
		return err
	}
	c, err := r.server.Store.Conversation(r.ctx, r.user.ID, r.conversation())
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.NewConversation(c, r.online(c.Participants)))
}
