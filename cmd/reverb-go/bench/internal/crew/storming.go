package crew

import (
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
)

// storming is connections that are dropped all at once, a moment into the measured time, and all want
// back. Their time counts from the drop. Whoever is turned away tries again after a second, as
// pusher-js does.
type storming struct {
	group  *group
	shares []*storm
}

// storm is one loop's share. It is owned by it.
type storm struct {
	group   *group
	loop    *loop
	members []*member
	drop    netloop.Alarm
	again   netloop.Alarm
	waiting []departure // to try again
	dropped int64       // when; 0 is not yet
	back    int
	last    int64 // when the last one was back
	window  int   // under way at once; 0 is all
}

// calm is how long the storm waits, so that a chart shows what was before.
const calm = 500 * time.Millisecond

const retryAfter = int64(time.Second)

func newStorming(g *group) *storming {
	a := &storming{group: g}
	loops := g.crew.receivers()
	for _, l := range loops {
		s := &storm{group: g, loop: l}
		if g.Window > 0 {
			s.window = max(g.Window/(len(loops)*g.crew.job.Of), 1)
		}
		a.shares = append(a.shares, s)
	}
	g.crew.storms = append(g.crew.storms, a.shares...)
	return a
}

func (a *storming) cast() (members []*member) {
	g := a.group
	for i := range g.Connections {
		if !g.mine(i) {
			continue
		}
		m := g.newMember(i%g.Channels, i)
		s := a.shares[m.loop.index]
		s.members = append(s.members, m)
		members = append(members, m)
	}
	for _, s := range a.shares {
		if len(s.members) > 0 {
			g.crew.parts.Add(1)
		}
	}
	return members
}

func (a *storming) start(l *loop) {
	if l.index >= len(a.shares) || len(a.shares[l.index].members) == 0 {
		return
	}
	s := a.shares[l.index]
	s.drop.Due, s.drop.Fire = l.times.Measure+int64(calm), s.begin
	s.again.Fire = s.retry
	l.AddAlarm(&s.drop)
	l.AddAlarm(&s.again)
}

// begin drops everybody, then lets everybody come back.
func (s *storm) begin(now int64) {
	s.dropped = now
	for _, m := range s.members {
		m.client.Cut()
	}
	s.loop.limit = s.window
	if s.window == 0 {
		s.loop.limit = len(s.members)
	}
	for _, m := range s.members {
		s.enqueue(m)
	}
	s.loop.admit()
}

func (s *storm) enqueue(m *member) {
	m.queued, m.arrived, m.since = true, false, s.dropped
	s.loop.queue = append(s.loop.queue, m)
}

func (s *storm) retry(now int64) {
	for len(s.waiting) > 0 && s.waiting[0].due <= now {
		s.loop.Retries++
		s.enqueue(s.waiting[0].member)
		s.waiting = s.waiting[1:]
	}
	if len(s.waiting) > 0 {
		s.again.Due = s.waiting[0].due
	}
	s.loop.admit()
}

func (a *storming) ready(m *member, now int64) {
	s := a.shares[m.loop.index]
	if s.dropped == 0 {
		return
	}
	s.back++
	s.last = now
	if s.back == len(s.members) {
		s.loop.crew.partDone()
	}
}

func (a *storming) closed(m *member, _ error) bool {
	s := a.shares[m.loop.index]
	if s.dropped == 0 || m.arrived {
		return false
	}
	s.waiting = append(s.waiting, departure{m, clock.Now() + retryAfter})
	if s.again.Due == 0 {
		s.again.Due = s.waiting[0].due
	}
	return true
}

// recovery returns how long it took until everybody was back, in seconds.
func (s *storm) recovery() float64 {
	if s.last == 0 {
		return 0
	}
	return time.Duration(s.last - s.dropped).Seconds()
}

// missing returns how many are not back.
func (s *storm) missing() int {
	if s.dropped == 0 {
		return 0
	}
	return len(s.members) - s.back
}
