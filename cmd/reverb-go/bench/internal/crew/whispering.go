package crew

import (
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
	"github.com/reverb-go/reverb-go/protocol"
)

// whispering is members of channels, some of whom send client events to the others. A channel's members are
// all in one crew.
type whispering struct {
	group   *group
	sending *sending
}

func newWhispering(g *group) *whispering {
	a := &whispering{group: g}
	a.sending = &sending{loop: g.crew.sender(), group: g, of: g.Channels * g.Senders, each: 1}
	g.crew.sendings = append(g.crew.sendings, a.sending)
	return a
}

func (a *whispering) cast() (members []*member) {
	g := a.group
	for channel := range g.Channels {
		if !g.mine(channel) {
			continue
		}
		for i := range g.Subscribers {
			m := g.newMember(channel, channel*g.Subscribers+i)
			if i < g.Senders {
				m.loop = a.sending.loop
			}
			m.expect()
			if i < g.Senders {
				m.loop.book.Refuse(m.line + i) // nobody hears itself
				a.sending.senders = append(a.sending.senders, &whisperer{member: m, stream: uint16(i)})
				a.sending.indexes = append(a.sending.indexes, channel*g.Senders+i)
			}
			members = append(members, m)
		}
	}
	g.gate.window = int64(g.Window) * int64(max(g.Subscribers-1, 1))
	return members
}

func (a *whispering) start(l *loop) {
	if l == a.sending.loop {
		a.sending.start()
	}
}

func (a *whispering) ready(*member, int64)       {}
func (a *whispering) closed(*member, error) bool { return false }

// whisperer sends client events.
type whisperer struct {
	member *member
	stream uint16
	seq    uint32
	body   []byte
}

// maxWaiting is how much may wait in us for a server that does not read.
const maxWaiting = 1 << 20

func (w *whisperer) busy() bool {
	return w.member.state != ready || w.member.client.Waiting() > maxWaiting
}

func (w *whisperer) fan() int64 { return int64(w.member.group.Subscribers - 1) }

func (w *whisperer) send(intended int64) int {
	g := w.member.group
	w.seq++
	b := append(w.body[:0], `{"event":"client-bench","channel":`...)
	b = protocol.AppendString(b, g.name(w.member.channel))
	b = append(b, `,"data":`...)
	b = g.appendPayload(b, stamp.Stamp{Run: g.crew.plan.Run, Channel: w.member.channelID(), Stream: w.stream, Seq: w.seq, Time: intended})
	w.body = append(b, '}')
	w.member.client.Send(w.body)
	return 1
}

func (w *whisperer) sent(streams map[Stream]uint32) {
	streams[Stream{w.member.channelID(), w.stream}] = w.seq
}
