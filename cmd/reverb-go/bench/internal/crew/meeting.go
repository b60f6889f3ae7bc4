package crew

import (
	"fmt"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
	"github.com/reverb-go/reverb-go/protocol"
)

// meeting is watchers in presence channels and joiners who come and go there, as a new user each time. The user
// id is a stamp, so each member_added and member_removed can be checked: they are the messages of the
// joiner's stream, in turn. A channel is all in one crew.
type meeting struct {
	group   *group
	sending *sending
	stay    int64 // nanoseconds from join to leave; 0 is unknown
}

func newMeeting(g *group) *meeting {
	a := &meeting{group: g}
	a.sending = &sending{loop: g.crew.sender(), group: g, of: g.Channels * g.Joiners, each: 1}
	if g.Rate != plan.Max {
		a.stay = int64(float64(a.sending.of) * 1e9 / float64(g.Rate))
	}
	g.crew.sendings = append(g.crew.sendings, a.sending)
	return a
}

func (a *meeting) cast() (members []*member) {
	g := a.group
	for channel := range g.Channels {
		if !g.mine(channel) {
			continue
		}
		first := channel * (g.Subscribers + g.Joiners)
		for i := range g.Subscribers {
			m := g.newMember(channel, first+i)
			m.expect()
			members = append(members, m)
		}
		for i := range g.Joiners {
			m := g.newMember(channel, first+g.Subscribers+i)
			m.loop, m.joins = a.sending.loop, true
			a.sending.senders = append(a.sending.senders, &joiner{meeting: a, member: m, stream: uint16(i)})
			a.sending.indexes = append(a.sending.indexes, channel*g.Joiners+i)
			members = append(members, m)
		}
	}
	g.gate.window = int64(g.Window) * int64(g.Subscribers)
	return members
}

func (a *meeting) start(l *loop) {
	if l == a.sending.loop {
		a.sending.start()
	}
}

func (a *meeting) ready(*member, int64)       {}
func (a *meeting) closed(*member, error) bool { return false }

// watched enters what a watcher hears of others: step 0 is their coming, 1 their leaving.
func (m *member) watched(data []byte, step uint32, now int64) {
	a, ok := m.group.actor.(*meeting)
	if !ok {
		return
	}
	s, _, ok := stamp.Find(data)
	if !ok {
		return // another watcher, before the start
	}
	s.Seq += step
	if step == 1 {
		// The user id tells when the user came. At full speed nobody can tell when it should have left.
		if s.Time += a.stay; a.stay == 0 {
			s.Time = 0
		}
	}
	m.delivered(s, m.group.pad, now)
}

// joiner comes and goes.
type joiner struct {
	meeting *meeting
	member  *member
	stream  uint16
	step    uint32
	body    []byte
}

func (j *joiner) busy() bool {
	return j.member.state != ready || j.member.client.Waiting() > maxWaiting
}

func (j *joiner) fan() int64 { return int64(j.meeting.group.Subscribers) }

func (j *joiner) send(intended int64) int {
	g, m := j.meeting.group, j.member
	j.step++
	if j.step%2 == 1 {
		id := stamp.Append(nil, stamp.Stamp{Run: g.crew.plan.Run, Channel: m.channelID(), Stream: j.stream, Seq: j.step, Time: intended})
		m.client.Subscribe(g.name(m.channel), fmt.Sprintf(`{"user_id":"%s","user_info":{"name":"%s"}}`, id, g.pad), true)
		return 1
	}
	b := append(j.body[:0], `{"event":"pusher:unsubscribe","data":{"channel":`...)
	b = protocol.AppendString(b, g.name(m.channel))
	j.body = append(b, `}}`...)
	m.client.Send(j.body)
	return 1
}

func (j *joiner) sent(streams map[Stream]uint32) {
	streams[Stream{j.member.channelID(), j.stream}] = j.step
}
