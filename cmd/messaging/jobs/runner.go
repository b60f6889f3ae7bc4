package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// Publisher tells browsers.
type Publisher interface {
	Publish(ctx context.Context, e realtime.Event) error
}

// Presence knows who is there.
type Presence interface {
	Online(ctx context.Context, users []int64) (map[int64]bool, error)
}

// Runner does jobs. What a job is about is read from the store when it runs, as those see it who will be told:
// a job names ids and gives no rights.
type Runner struct {
	Store     domain.Store
	Publisher Publisher
	Presence  Presence
	Queue     interface{ Dispatch([]domain.Job) } // for jobs that jobs cause
	Now       func() time.Time
}

// stale is how long after its start a job is taken for dead. It is longer than any job may run.
const (
	jobTimeout = 20 * time.Second
	stale      = 30 * time.Second
)

// settleTimeout is for writing down how a job ended, whatever became of its context.
const settleTimeout = 5 * time.Second

// errUndecided is the error of a job that could not even find out what to do. That is no try: it is left as if its worker
// had died, and swept up when Redis may be back.
var errUndecided = errors.New("nobody can be asked who is online")

// Run does a job unless it is done or somebody is at it, and writes down how it ended.
func (r *Runner) Run(ctx context.Context, j domain.Job) error {
	now := r.Now()
	ok, err := r.Store.StartJob(ctx, j.ID, now, now.Add(-stale))
	if err != nil {
		return fmt.Errorf("start job %s: %w", j.ID, err)
	}
	if !ok {
		return nil
	}
	err = r.do(ctx, j)
	if errors.Is(err, domain.ErrNotFound) {
		err = nil // what it was about is gone, or no business of its recipient any more
	}
	if errors.Is(err, errUndecided) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err != nil {
		return errors.Join(err, r.Store.FailJob(ctx, j.ID, err.Error(), r.Now()))
	}
	return r.Store.FinishJob(ctx, j.ID)
}

func (r *Runner) do(ctx context.Context, j domain.Job) error {
	switch j.Kind {
	case domain.BroadcastMessage:
		return r.broadcastMessage(ctx, j)
	case domain.BroadcastRead:
		return r.broadcastRead(ctx, j)
	case domain.BroadcastSummary:
		return r.broadcastSummary(ctx, j)
	case domain.BroadcastNotification:
		return r.broadcastNotification(ctx, j)
	case domain.NotifyOffline:
		return r.notifyOffline(ctx, j)
	}
	return fmt.Errorf("there is no job of the kind %q", j.Kind)
}

func (r *Runner) broadcastMessage(ctx context.Context, j domain.Job) error {
	m, err := r.Store.Message(ctx, j.ConversationID, j.MessageID)
	if err != nil {
		return err
	}
	return r.Publisher.Publish(ctx, realtime.Event{
		Channel: realtime.ConversationChannel(m.ConversationID), Name: j.Event, Payload: api.NewMessage(m), SocketID: j.SocketID,
	})
}

func (r *Runner) broadcastRead(ctx context.Context, j domain.Job) error {
	people, err := r.Store.Participants(ctx, j.UserID, j.ConversationID)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID == j.UserID {
			return r.Publisher.Publish(ctx, realtime.Event{
				Channel: realtime.ConversationChannel(j.ConversationID), Name: api.MessageRead,
				Payload: api.NewReadMarker(p.Marker()), SocketID: j.SocketID,
			})
		}
	}
	return domain.ErrNotFound
}

func (r *Runner) broadcastSummary(ctx context.Context, j domain.Job) error {
	c, err := r.Store.Conversation(ctx, j.UserID, j.ConversationID)
	if err != nil {
		return err
	}
	total, err := r.Store.UnreadTotal(ctx, j.UserID)
	if err != nil {
		return err
	}
	return r.Publisher.Publish(ctx, realtime.Event{
		Channel: realtime.UserChannel(j.UserID), Name: api.ConversationUpdatedEvent, SocketID: j.SocketID,
		Payload: api.ConversationUpdated{Conversation: api.NewConversation(c, r.online(ctx, c.Participants)), Summary: api.Summary{UnreadTotal: total}},
	})
}

// online is a decoration here: without it everybody looks away.
func (r *Runner) online(ctx context.Context, people []domain.Participant) map[int64]bool {
	online, _ := r.Presence.Online(ctx, userIDs(people))
	return online
}

func userIDs(people []domain.Participant) []int64 {
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	return ids
}

func (r *Runner) broadcastNotification(ctx context.Context, j domain.Job) error {
	n, err := r.Store.Notification(ctx, j.UserID, j.NotificationID)
	if err != nil {
		return err
	}
	return r.Publisher.Publish(ctx, realtime.Event{
		Channel: realtime.UserChannel(j.UserID), Name: api.NotificationCreated, Payload: api.NewNotification(n), SocketID: j.SocketID,
	})
}

// notifyOffline writes a notification for each recipient without a heartbeat, unless the conversation is muted or
// the message was read meanwhile.
func (r *Runner) notifyOffline(ctx context.Context, j domain.Job) error {
	people, err := r.Store.Unreached(ctx, j.ConversationID, j.MessageID)
	if err != nil || len(people) == 0 {
		return err
	}
	online, err := r.Presence.Online(ctx, userIDs(people))
	if err != nil {
		return fmt.Errorf("%w: %w", errUndecided, err)
	}
	m, err := r.Store.Message(ctx, j.ConversationID, j.MessageID)
	if err != nil {
		return err
	}
	var list []domain.Notification
	for _, p := range people {
		if online[p.ID] {
			continue
		}
		n, err := r.notification(ctx, m, p)
		if err != nil {
			return err
		}
		list = append(list, n)
	}
	if len(list) == 0 {
		return nil
	}
	jobs, err := r.Store.Notify(ctx, list)
	r.Queue.Dispatch(jobs)
	return err
}

// notificationSpace makes the ids of notifications, the same each time for a message and its recipient.
var notificationSpace = uuid.MustParse("5b1b3c0e-8d0f-4a5e-9c39-2c1f2f0f6a11")

func (r *Runner) notification(ctx context.Context, m domain.Message, to domain.Participant) (domain.Notification, error) {
	c, err := r.Store.Conversation(ctx, to.ID, m.ConversationID)
	if err != nil {
		return domain.Notification{}, err
	}
	title := c.Title
	if title == "" {
		title = m.Sender.Name
	}
	data, err := json.Marshal(api.MessageReceived{
		ConversationID: m.ConversationID, MessageID: m.ID, Sender: api.NewUser(m.Sender), Title: title, Excerpt: api.Excerpt(m.Body),
	})
	return domain.Notification{
		ID:     uuid.NewSHA1(notificationSpace, fmt.Appendf(nil, "%s:%d", m.UUID, to.ID)).String(),
		UserID: to.ID, Type: "message.received", Data: data, CreatedAt: r.Now(),
	}, err
}
