package crew

import (
	"bytes"
	"fmt"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/pusher"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
	"github.com/reverb-go/reverb-go/protocol"
)

type memberState uint8

const (
	connecting memberState = iota
	subscribing
	ready
	leaving
	gone
)

// member is one WebSocket connection of a group. It is owned by its loop.
type member struct {
	client   *pusher.Client
	loop     *loop
	group    *group
	channel  int   // of the group
	number   int   // within the group
	line     int   // of its first stream in the loop's book; -1 is not checked
	since    int64 // when it was meant to connect, if that is not when its turn comes
	intended int64 // when it was meant to connect
	asked    int64 // when it subscribed
	state    memberState
	queued   bool // waits in, or was taken from, the loop's queue
	arrived  bool // has been ready
	slow     bool
	joins    bool // subscribes when it is told to
}

func (m *member) channelID() uint32 { return m.group.FirstChannel + uint32(m.channel) }

// connect begins the member's life.
func (m *member) connect(intended int64) {
	m.state, m.intended = connecting, intended
	buffer := 0
	if m.slow {
		buffer = slowBuffer
	}
	m.client = m.loop.crew.app.Connect(m.loop.Loop, m.loop.crew.source(m.number), buffer, m)
}

// slowBuffer is what the system may hold for a slow member, so that the rest waits in the server.
const slowBuffer = 4096

// Established implements pusher.Handler.
func (m *member) Established(now int64) {
	m.asked = now
	if m.group.measuresArrival() && m.loop.times.covers(m.intended) {
		m.loop.record(plan.Connect, now-m.intended)
	}
	if m.joins {
		m.ready(now)
		return
	}
	m.state = subscribing
	m.client.Subscribe(m.group.name(m.channel), m.group.identity(m.number), m.group.Kind != "public")
}

// ready is reached once: with the confirmation of the subscription.
func (m *member) ready(now int64) {
	if m.state == ready {
		return
	}
	m.state, m.arrived = ready, true
	m.loop.Counters.Ready++
	if m.group.measuresArrival() && m.loop.times.covers(m.intended) {
		m.loop.record(plan.Subscribe, now-m.asked)
		m.loop.record(plan.Ready, now-m.intended)
	}
	m.unqueue(true)
	m.group.actor.ready(m, now)
}

func (m *member) unqueue(ok bool) {
	if m.queued {
		m.queued = false
		m.loop.crew.setUp(ok)
		m.loop.settled()
	}
}

// Closed implements pusher.Handler.
func (m *member) Closed(err error) {
	was := m.state
	m.state = gone
	switch {
	case was == leaving:
		m.loop.Left++
	case m.slow && was == ready:
	case m.group.actor.closed(m, err):
	default:
		m.loop.problem("connection: " + describe(err))
	}
	m.unqueue(false)
}

func describe(err error) string {
	if err == nil {
		return "closed"
	}
	return err.Error()
}

// leave says goodbye.
func (m *member) leave() {
	m.state = leaving
	m.client.Leave()
}

// Message implements pusher.Handler. In presence groups the lists of members have stamps too, so the event's name
// is looked at first.
func (m *member) Message(b []byte, now int64) {
	m.loop.Frames++
	if m.group.Role != plan.Presence {
		if s, rest, ok := stamp.Find(b); ok {
			m.delivered(s, rest, now)
			return
		}
	}
	m.control(b, now)
}

// delivered enters a message under test.
func (m *member) delivered(s stamp.Stamp, rest []byte, now int64) {
	l := m.loop
	if m.line < 0 {
		return
	}
	if s.Run != l.crew.plan.Run || s.Channel != m.channelID() || int(s.Stream) >= m.group.Streams() {
		l.book.Stray++
		return
	}
	if !bytes.HasPrefix(rest, m.group.pad) {
		l.altered++
	}
	l.book.Enter(m.line+int(s.Stream), s.Seq)
	l.Deliveries++
	l.turn[m.group.index]++
	if l.times.End != 0 && now >= l.times.End {
		l.Late++
	}
	if l.times.covers(s.Time) {
		l.record(plan.Delivery, now-s.Time)
	}
}

// control handles what is not under test itself.
func (m *member) control(b []byte, now int64) {
	msg, err := protocol.Parse(b)
	if err != nil {
		m.loop.problem("a message that cannot be read")
		return
	}
	switch string(msg.Event) {
	case "pusher_internal:subscription_succeeded":
		m.ready(now)
	case "pusher_internal:member_added":
		m.watched(msg.Data, 0, now)
	case "pusher_internal:member_removed":
		m.watched(msg.Data, 1, now)
	case "pusher:ping":
		m.client.Send([]byte(protocol.Pong))
	case "pusher:error", "pusher:subscription_error":
		if m.slow && m.state == ready {
			return // it is told that it is too slow
		}
		m.loop.problem(fmt.Sprintf("%s %s", msg.Event, msg.Data))
		if m.state == subscribing {
			m.client.Cut()
			m.Closed(fmt.Errorf("the subscription was refused"))
		}
	}
}

// missing returns how many deliveries may still come.
func (m *member) missing(sent map[Stream]uint32) (n int64) {
	for i := range m.group.Streams() {
		n += m.loop.book.Missing(m.line+i, sent[Stream{m.channelID(), uint16(i)}])
	}
	return n
}
