package crew

import (
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/pace"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// arriving is connections that are made at a rate and leave after their life. Each receiving loop has its
// share.
type arriving struct {
	group  *group
	shares []*arrivals
}

// arrivals are one loop's share. They are owned by it.
type arrivals struct {
	group *group
	loop  *loop

	schedule pace.Schedule
	alarm    netloop.Alarm // for the next one to come
	exit     netloop.Alarm // for the next one to go
	exits    []departure   // in order
	begun    int64         // how many have come
	open     int           // of them, under way
	window   int           // of open, at full speed
	room     int           // connections the loop may have
	want     int64         // how many are to come, at full speed; negative is no limit
	running  bool
	reported bool
}

type departure struct {
	member *member
	due    int64
}

func newArriving(g *group) *arriving {
	a := &arriving{group: g}
	c := g.crew
	loops := c.receivers()
	for i, l := range loops {
		s := &arrivals{group: g, loop: l, want: -1, room: max(c.job.Sockets/len(loops), 8)}
		s.schedule = pace.Schedule{Rate: float64(g.Rate), Index: i*c.job.Of + c.job.Index, Of: len(loops) * c.job.Of}
		if g.Rate == plan.Max {
			s.window = max(g.Window/s.schedule.Of, 1)
			if g.Life == 0 {
				s.want = share(int64(g.Connections), s.schedule.Index, s.schedule.Of)
			}
			c.parts.Add(1)
		}
		a.shares = append(a.shares, s)
	}
	c.arrivals = append(c.arrivals, a.shares...)
	return a
}

// share returns how many of n things belong to one of several shares.
func share(n int64, index, of int) int64 {
	return (n + int64(of-1-index)) / int64(of)
}

func (a *arriving) cast() []*member { return nil }

func (a *arriving) start(l *loop) {
	if l.index >= len(a.shares) {
		return
	}
	s := a.shares[l.index]
	s.running = true
	s.schedule.Start = l.times.Start
	s.alarm.Due, s.alarm.Fire = l.times.Start, s.fire
	s.exit.Fire = s.depart
	l.AddAlarm(&s.alarm)
	l.AddAlarm(&s.exit)
}

// fire lets come who is due.
func (s *arrivals) fire(now int64) {
	if s.group.Rate == plan.Max {
		s.admit()
		return
	}
	for s.running {
		at := s.schedule.At(s.begun)
		switch {
		case at >= s.loop.times.End:
			s.running = false
		case at > now:
			s.alarm.Due = at
			return
		case s.loop.Conns() >= s.room:
			s.alarm.Due = now + 1e6 // somebody may have left by then; the wait counts
			return
		default:
			now = clock.Now()
			if s.loop.times.covers(at) {
				s.loop.record(plan.Lag, now-at)
			}
			s.come(at)
		}
	}
}

// admit lets as many come as may be under way.
func (s *arrivals) admit() {
	for s.running && s.open < s.window && s.loop.Conns() < s.room {
		now := clock.Now()
		if s.want >= 0 && s.begun >= s.want || now >= s.loop.times.End {
			s.running = false
			break
		}
		s.come(now)
	}
	if s.running && s.open < s.window {
		s.alarm.Due = clock.Now() + 1e6
	}
	if !s.running && s.open == 0 && !s.reported {
		s.reported = true
		s.loop.crew.partDone()
	}
}

func (s *arrivals) come(intended int64) {
	number := int(s.begun)*s.schedule.Of + s.schedule.Index
	s.begun++
	s.open++
	m := s.group.newMember(number%s.group.Channels, number)
	m.loop = s.loop
	m.connect(intended)
}

func (a *arriving) ready(m *member, now int64) {
	s := a.shares[m.loop.index]
	s.open--
	if s.group.Life > 0 {
		s.exits = append(s.exits, departure{m, now + int64(s.group.Life)})
		if s.exit.Due == 0 {
			s.exit.Due = s.exits[0].due
		}
	}
	if s.group.Rate == plan.Max {
		s.admit()
	}
}

func (s *arrivals) depart(now int64) {
	for len(s.exits) > 0 && s.exits[0].due <= now {
		if m := s.exits[0].member; m.state == ready {
			m.leave()
		}
		s.exits = s.exits[1:]
	}
	if len(s.exits) > 0 {
		s.exit.Due = s.exits[0].due
	}
}

// closed keeps count of who never got ready.
func (a *arriving) closed(m *member, _ error) bool {
	s := a.shares[m.loop.index]
	if !m.arrived {
		s.open--
		if s.group.Rate == plan.Max {
			s.admit()
		}
	}
	return false
}

// isDone reports whether nobody is under way.
func (s *arrivals) isDone() bool { return !s.running && s.open == 0 }

// abandon returns how many were due and have not come, or not got ready.
func (s *arrivals) abandon() int64 {
	s.running = false
	if s.group.Rate == plan.Max {
		return int64(s.open)
	}
	return max(s.schedule.Due(s.loop.times.End-1)-s.begun, 0) + int64(s.open)
}
