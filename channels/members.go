package channels

import (
	"iter"

	"github.com/reverb-go/reverb-go/protocol"
)

// members is the list of a presence channel: one entry a user, in the order they joined. In a cluster it
// is a copy of what all nodes agree on, and besides has the users of this node that the others have
// not confirmed yet: those are not listed.
type members struct {
	byID        map[string]*member
	first, last *member // of those listed
	listed      int
}

type member struct {
	protocol.Member
	entry      protocol.PresenceEntry
	conns      int // subscriptions on this node that are this user
	isListed   bool
	isLeaving  bool // this node has said that the user left, and nobody has confirmed it
	prev, next *member
}

func newMembers() *members { return &members{byID: make(map[string]*member)} }

// join counts one more subscription here that is m. isFirst says that it is the user's first on this
// node, isNews that the user shows other data than before: the newest is what later joiners are shown.
func (ms *members) join(m protocol.Member) (joined *member, isFirst, isNews bool) {
	known := ms.byID[m.ID]
	if known == nil {
		known = &member{Member: m}
		ms.byID[m.ID] = known
	}
	known.conns++
	isNews = known.Data != m.Data
	if known.conns == 1 || isNews {
		known.show(m)
	}
	return known, known.conns == 1, isNews
}

func (m *member) show(as protocol.Member) {
	m.IDJSON, m.Info, m.Data = as.IDJSON, as.Info, as.Data
	m.entry = protocol.NewPresenceEntry(m.Member)
}

// leave counts one subscription less and reports whether it was the user's last on this node.
func (ms *members) leave(m *member) bool {
	m.conns--
	ms.forget(m)
	return m.conns == 0
}

// forget drops a user whom neither this node nor, as far as it knows, any other has.
func (ms *members) forget(m *member) {
	if m.conns == 0 && !m.isListed {
		delete(ms.byID, m.ID)
	}
}

// list makes a user a member and reports whether that is new.
func (ms *members) list(m *member) bool {
	if m.isListed {
		return false
	}
	m.isListed, m.prev, m.next = true, ms.last, nil
	if ms.last == nil {
		ms.first = m
	} else {
		ms.last.next = m
	}
	ms.last = m
	ms.listed++
	return true
}

// unlist ends a user's membership and reports whether there was one.
func (ms *members) unlist(m *member) bool {
	if !m.isListed {
		return false
	}
	if m.prev == nil {
		ms.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		ms.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.isListed, m.isLeaving, m.prev, m.next = false, false, nil, nil
	ms.listed--
	return true
}

// confirm takes from an old snapshot that users who left here, and are listed still, were not the last to go.
func (ms *members) confirm(s protocol.Snapshot) {
	for _, as := range s.Members {
		if m := ms.byID[as.ID]; m != nil {
			m.isLeaving = false
		}
	}
}

// get returns the user, who is added if unknown.
func (ms *members) get(as protocol.Member) *member {
	m := ms.byID[as.ID]
	if m == nil {
		m = &member{Member: as}
		ms.byID[as.ID] = m
	}
	return m
}

func (ms *members) entries() iter.Seq[protocol.PresenceEntry] {
	return func(yield func(protocol.PresenceEntry) bool) {
		for m := ms.first; m != nil; m = m.next {
			if !yield(m.entry) {
				return
			}
		}
	}
}
