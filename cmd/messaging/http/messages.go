package http

import (
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
)

// sends is how many messages a user may send.
var sends = ephemeral.Limit{Name: "send", Max: 60, Per: time.Minute}

const maxID = math.MaxInt64

func (r *request) send() error {
	var in api.SendMessage
	if err := r.decode(&in); err != nil {
		return err
	}
	n, err := newMessage(in)
	if err != nil {
		return err
	}
	n.ConversationID, n.SenderID, n.SocketID, n.At = r.conversation(), r.user.ID, r.socketID(), r.now
	if err := r.limit(sends, r.userKey()); err != nil {
		return err
	}
	sent, err := r.server.Store.Send(r.ctx, n)
	if err != nil {
		return err
	}
	r.server.Queue.Dispatch(sent.Jobs)
	status := fasthttp.StatusOK
	if sent.Stored {
		status = fasthttp.StatusCreated
	}
	return r.answer(status, api.NewMessage(sent.Message))
}

// newMessage checks what is to be sent.
func newMessage(in api.SendMessage) (domain.NewMessage, error) {
	var faults invalidFields
	n := domain.NewMessage{
		Body:         checkText(&faults, "body", in.Body, 1, domain.MaxBody),
		ClientTempID: checkOptional(&faults, "client_temp_id", in.ClientTempID, domain.MaxTempID),
	}
	if in.UUID != nil {
		id, err := uuid.Parse(*in.UUID)
		if err != nil || len(*in.UUID) != len(uuid.Nil.String()) {
			faults.add("uuid", "The %s field must be a valid UUID.")
		}
		n.UUID = id.String()
	}
	return n, faults.orNil()
}

func (r *request) edit() error {
	var in api.EditMessage
	if err := r.decode(&in); err != nil {
		return err
	}
	var faults invalidFields
	body := checkText(&faults, "body", in.Body, 1, domain.MaxBody)
	if err := faults.orNil(); err != nil {
		return err
	}
	return r.change(body)
}

func (r *request) delete() error { return r.change("") }

func (r *request) change(body string) error {
	m, jobs, err := r.server.Store.Change(r.ctx, domain.Change{
		ConversationID: r.conversation(), MessageID: r.id("message_id"), UserID: r.user.ID, Body: body, SocketID: r.socketID(), At: r.now,
	})
	if err != nil {
		return err
	}
	r.server.Queue.Dispatch(jobs)
	return r.answer(fasthttp.StatusOK, api.NewMessage(m))
}

const (
	defaultDelta = 100
	maxDelta     = 500
)

func (r *request) delta() error {
	q, err := r.deltaQuery()
	if err != nil {
		return err
	}
	d, err := r.server.Store.Delta(r.ctx, q)
	if err != nil {
		return err
	}
	next := q.AfterMessage
	if n := len(d.Messages); n > 0 {
		next = d.Messages[n-1].ID
	}
	return r.answer(fasthttp.StatusOK, api.Delta{
		Messages: api.NewMessages(d.Messages), Changed: api.NewMessages(d.Changed), ReadMarkers: api.NewReadMarkers(d.Markers),
		HasMore: d.MoreMessage, NextAfterMessageID: next, HasMoreChanges: d.MoreChanged, ChangeCursor: d.ChangeID, UnreadCount: d.Unread,
	})
}

func (r *request) deltaQuery() (q domain.DeltaQuery, err error) {
	q.ConversationID, q.UserID = r.conversation(), r.user.ID
	if len(r.http.QueryArgs().Peek("after_message_id")) == 0 {
		return q, invalid("after_message_id", "The %s field is required.")
	}
	if q.AfterMessage, err = r.number("after_message_id", 0, 0, maxID); err != nil {
		return q, err
	}
	if len(r.http.QueryArgs().Peek("after_change")) > 0 {
		n, err := r.number("after_change", 0, 0, maxID)
		if err != nil {
			return q, err
		}
		q.AfterChange = &n
	}
	limit, err := r.number("limit", defaultDelta, 1, maxDelta)
	q.Limit = int(limit)
	return q, err
}

func (r *request) markRead() error {
	var in api.MarkRead
	if err := r.decode(&in); err != nil {
		return err
	}
	if in.MessageID <= 0 {
		return invalid("message_id", "The %s field is required.")
	}
	marker, unread, jobs, err := r.server.Store.MarkRead(r.ctx, domain.Read{
		ConversationID: r.conversation(), UserID: r.user.ID, MessageID: in.MessageID, SocketID: r.socketID(), At: r.now,
	})
	if err != nil {
		return err
	}
	r.server.Queue.Dispatch(jobs)
	summary, err := r.summary()
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.ReadResult{Marker: api.NewReadMarker(marker), UnreadCount: unread, Summary: summary})
}
