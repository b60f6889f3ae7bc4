package handover

import "github.com/reverb-go/reverb-go/channels"

// Hooks is what webhooks have not delivered.
type Hooks struct {
	Fresh  []HookEvent // not sorted yet
	Held   []HookEvent // kept back, because they may be undone
	Queues []HookQueue
}

func (h *Hooks) code(c *coder) {
	list(c, &h.Fresh, (*HookEvent).code)
	list(c, &h.Held, (*HookEvent).code)
	list(c, &h.Queues, (*HookQueue).code)
}

// A HookQueue is what waits for one destination of an app.
type HookQueue struct {
	AppID       string
	Destination string
	To          string // the destination for people
	Events      []HookEvent
	Batch       *HookBatch // of the first of Events; nil if none has been sent
}

func (q *HookQueue) code(c *coder) {
	c.text(&q.AppID)
	c.text(&q.Destination)
	c.text(&q.To)
	list(c, &q.Events, (*HookEvent).code)
	optional(c, &q.Batch, (*HookBatch).code)
	if q.Batch != nil && (q.Batch.Events < 1 || q.Batch.Events > len(q.Events)) {
		c.fail()
	}
}

// A HookBatch has been sent in vain and will be again.
type HookBatch struct {
	Events   int
	Packed   int64 // when, in microseconds since 1970: receivers are told
	Attempts int
	Wait     int64 // nanoseconds until the next
	Reason   string
}

func (b *HookBatch) code(c *coder) {
	integer(c, &b.Events)
	integer(c, &b.Packed)
	integer(c, &b.Attempts)
	integer(c, &b.Wait)
	c.text(&b.Reason)
}

// A HookEvent is something that happened to a channel.
type HookEvent struct {
	AppID string
	At    int64 // microseconds since 1970: receivers are told
	Event channels.Event
}

func (e *HookEvent) code(c *coder) {
	c.text(&e.AppID)
	integer(c, &e.At)
	c.text((*string)(&e.Event.Name))
	c.text(&e.Event.Channel)
	c.text(&e.Event.UserID)
	integer(c, &e.Event.Count)
	c.text(&e.Event.Event)
	c.text(&e.Event.Data)
	integer(c, &e.Event.SocketID)
}
