package crew

import (
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/pusher"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
)

// listening is subscribers, and publishers over the HTTP API. With P publishers and fewer channels, publisher p
// is one of several of channel p mod C; otherwise it has the channels c with c mod P = p to itself.
// Either way each has streams of its own, whose order can be checked.
type listening struct {
	group     *group
	sending   *sending
	listeners []int64 // of ours, by channel
}

func newListening(g *group) *listening {
	a := &listening{group: g, listeners: make([]int64, g.Channels)}
	if g.Rate == 0 {
		return a
	}
	c := g.crew
	a.sending = &sending{loop: c.sender(), group: g, of: g.Publishers, each: g.Batch}
	for i := range g.Publishers {
		// At full speed only those who also see deliveries can know that they are confirmed, and the first
		// crew does.
		if g.Rate == plan.Max && c.job.Index != 0 || g.Rate != plan.Max && !g.mine(i) {
			continue
		}
		a.addPublisher(i)
	}
	c.sendings = append(c.sendings, a.sending)
	return a
}

func (a *listening) addPublisher(i int) {
	g := a.group
	p := &publisher{listening: a, place: len(a.sending.senders), stream: uint16(i / g.Channels)}
	for channel := i % g.Channels; channel < g.Channels; channel += g.Publishers {
		p.channels = append(p.channels, channel)
	}
	p.seqs = make([]uint32, len(p.channels))
	c := g.crew
	p.http = c.app.NewPublisher(c.sender().Loop, c.source(i), p.answered)
	a.sending.senders = append(a.sending.senders, p)
	a.sending.indexes = append(a.sending.indexes, i)
}

func (a *listening) cast() (members []*member) {
	g := a.group
	for channel := range g.Channels {
		for i := range g.Subscribers {
			number := channel*g.Subscribers + i
			if !g.mine(number) {
				continue
			}
			m := g.newMember(channel, number)
			m.slow = i < g.Slow
			if m.slow {
				m.loop.slow = append(m.loop.slow, m)
			} else {
				m.expect()
				a.listeners[channel]++
			}
			members = append(members, m)
		}
	}
	a.group.gate.window = int64(g.Window) * max(sum(a.listeners)/int64(g.Channels), 1)
	return members
}

func sum(numbers []int64) (total int64) {
	for _, n := range numbers {
		total += n
	}
	return total
}

func (a *listening) start(l *loop) {
	if a.sending != nil && l == a.sending.loop {
		a.sending.start()
	}
}

func (a *listening) ready(*member, int64)       {}
func (a *listening) closed(*member, error) bool { return false }

// publisher is one connection to the HTTP API.
type publisher struct {
	listening *listening
	place     int // among the senders
	http      *pusher.Publisher
	stream    uint16
	channels  []int
	seqs      []uint32 // by channel
	next      int      // of the channels
	intended  int64
	body      []byte
}

func (p *publisher) busy() bool { return p.http.Busy() }

func (p *publisher) fan() (n int64) {
	for i := range p.listening.group.Batch {
		n += p.listening.listeners[p.channels[(p.next+i)%len(p.channels)]]
	}
	return n
}

func (p *publisher) send(intended int64) int {
	p.intended = intended
	g := p.listening.group
	if g.Batch == 1 {
		channel, s := p.take()
		p.body = g.appendEvent(p.body[:0], channel, s)
		p.http.Post("/events", p.body)
		return 1
	}
	p.body = append(p.body[:0], `{"batch":[`...)
	for i := range g.Batch {
		if i > 0 {
			p.body = append(p.body, ',')
		}
		channel, s := p.take()
		p.body = g.appendItem(p.body, channel, s)
	}
	p.body = append(p.body, `]}`...)
	p.http.Post("/batch_events", p.body)
	return g.Batch
}

// take returns the next message: its channel and its stamp.
func (p *publisher) take() (channel int, s stamp.Stamp) {
	i := p.next
	p.next = (i + 1) % len(p.channels)
	p.seqs[i]++
	g := p.listening.group
	return p.channels[i], stamp.Stamp{
		Run:     g.crew.plan.Run,
		Channel: g.FirstChannel + uint32(p.channels[i]),
		Stream:  p.stream,
		Seq:     p.seqs[i],
		Time:    p.intended,
	}
}

func (p *publisher) answered(err error, now int64) {
	l := p.listening.sending.loop
	if err != nil {
		l.problem("publish: " + err.Error())
	} else {
		l.Published += int64(p.listening.group.Batch)
	}
	if l.times.covers(p.intended) {
		l.record(plan.Publish, now-p.intended)
	}
	p.listening.sending.answered(p.place)
}

func (p *publisher) sent(streams map[Stream]uint32) {
	for i, channel := range p.channels {
		streams[Stream{p.listening.group.FirstChannel + uint32(channel), p.stream}] = p.seqs[i]
	}
}
