package webhook

import (
	"container/list"
	"time"

	"github.com/reverb-go/reverb-go/channels"
)

// held are the events that say something ended, kept back because it may begin again at once.
// https://pusher.com/docs/channels/server_api/webhooks/ speaks of a delay of up to three seconds.
type held struct {
	grace time.Duration
	order list.List // of *record, the oldest first
	byKey map[heldKey]*list.Element
}

type heldKey struct {
	name               channels.EventName
	app, channel, user string
}

func keyOf(name channels.EventName, r *record) heldKey {
	return heldKey{name, r.app.ID, r.event.Channel, r.event.UserID}
}

// add keeps r back if it is an event to be kept back, and reports whether it is.
func (h *held) add(r *record) bool {
	if h.grace <= 0 || r.event.Name != channels.ChannelVacated && r.event.Name != channels.MemberRemoved {
		return false
	}
	if h.byKey == nil {
		h.byKey = make(map[heldKey]*list.Element)
	}
	h.byKey[keyOf(r.event.Name, r)] = h.order.PushBack(r)
	return true
}

// cancel forgets the event that r takes back, and returns it, or nil if there is none.
func (h *held) cancel(r *record) *record {
	name := reverses(r.event.Name)
	if name == "" {
		return nil
	}
	e := h.byKey[keyOf(name, r)]
	if e == nil {
		return nil
	}
	return h.remove(e)
}

// due removes and returns the oldest record if its time has come, and all have when isOver.
func (h *held) due(now time.Time, isOver bool) *record {
	e := h.order.Front()
	if e == nil || !isOver && now.Sub(e.Value.(*record).at) < h.grace {
		return nil
	}
	return h.remove(e)
}

// next returns when the next record is due; ok is false when there is none.
func (h *held) next() (at time.Time, ok bool) {
	e := h.order.Front()
	if e == nil {
		return time.Time{}, false
	}
	return e.Value.(*record).at.Add(h.grace), true
}

func (h *held) remove(e *list.Element) *record {
	r := h.order.Remove(e).(*record)
	// An event that came twice, because the one between was dropped, has two elements and one key.
	if key := keyOf(r.event.Name, r); h.byKey[key] == e {
		delete(h.byKey, key)
	}
	return r
}
