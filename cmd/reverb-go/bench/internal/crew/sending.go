package crew

import (
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/pace"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// sender sends one thing at a time.
type sender interface {
	// busy reports whether the last thing is still under way.
	busy() bool
	// send sends what was meant for a time, and returns how many messages that are.
	send(intended int64) int
	// fan returns how many deliveries of ours the next thing causes.
	fan() int64
	// sent adds how many messages each stream has.
	sent(map[Stream]uint32)
}

// sending has senders of a group send when it is time, or as fast as the gate allows. It is owned by the
// crew's sending loop.
type sending struct {
	loop    *loop
	group   *group
	senders []sender
	indexes []int // of the senders, among those of all crews
	of      int   // senders of all crews
	each    int   // messages sent at once

	schedules []pace.Schedule
	alarm     netloop.Alarm
	due       []int64 // by sender
	done      []int64 // by sender
	next      int     // sender whose turn it is
	running   bool
}

// start is called on the sending loop.
func (s *sending) start() {
	if len(s.senders) == 0 {
		return
	}
	s.due, s.done = make([]int64, len(s.senders)), make([]int64, len(s.senders))
	s.running = true
	s.alarm.Due = s.loop.times.Start
	if s.group.Rate == plan.Max {
		s.alarm.Fire = func(int64) { s.loop.pumps = append(s.loop.pumps, s) }
		s.group.gate.wake = s.loop.Wake
		s.loop.AddAlarm(&s.alarm)
		return
	}
	rate := float64(s.group.Rate) / float64(s.each)
	for _, i := range s.indexes {
		s.schedules = append(s.schedules, pace.Schedule{Start: s.loop.times.Start, Rate: rate, Index: i, Of: s.of})
	}
	s.alarm.Fire = s.fire
	s.loop.AddAlarm(&s.alarm)
}

// fire sends all that is due. Senders are in the order of their times, and take turns.
func (s *sending) fire(now int64) {
	for s.running {
		at := s.schedules[s.next].At(s.due[s.next])
		if at >= s.loop.times.End {
			s.running = false
			return
		}
		if at > now {
			s.alarm.Due = at
			return
		}
		i := s.next
		s.next = (i + 1) % len(s.senders)
		s.due[i]++
		now = s.sendDue(i, at)
	}
}

// sendDue sends what is due of a sender, the last of it since at. If the sender was free, we note how late we
// are ourselves.
func (s *sending) sendDue(i int, at int64) int64 {
	now := clock.Now()
	if s.done[i] == s.due[i]-1 && !s.senders[i].busy() && s.loop.times.covers(at) {
		s.loop.record(plan.Lag, now-at)
	}
	for s.done[i] < s.due[i] && !s.senders[i].busy() {
		s.send(i, s.schedules[i].At(s.done[i]))
	}
	return now
}

func (s *sending) send(i int, at int64) {
	s.done[i]++
	n := s.senders[i].send(at)
	s.loop.Sent += int64(n)
}

// answered is called when a sender is not busy any more: what became due meanwhile goes out at once, and
// its wait counts.
func (s *sending) answered(i int) {
	if s.group.Rate != plan.Max && s.done[i] < s.due[i] {
		s.send(i, s.schedules[i].At(s.done[i]))
	}
}

// pump sends as much as the gate allows.
func (s *sending) pump(now int64) {
	if !s.running {
		return
	}
	if now >= s.loop.times.End {
		s.running = false
		return
	}
	for idle := 0; idle < len(s.senders); {
		i := s.next
		s.next = (i + 1) % len(s.senders)
		if s.senders[i].busy() {
			idle++
			continue
		}
		if !s.group.gate.enter(s.senders[i].fan()) {
			s.next = i
			return
		}
		idle = 0
		s.due[i]++
		s.send(i, clock.Now())
	}
}

// isDone reports whether nothing is under way any more.
func (s *sending) isDone() bool {
	for i, sender := range s.senders {
		if sender.busy() || len(s.due) > 0 && s.done[i] < s.due[i] {
			return false
		}
	}
	return !s.running
}

// abandon stops sending and returns how many messages were due and are not sent.
func (s *sending) abandon() (unsent int64) {
	s.running = false
	for i := range s.due {
		unsent += (s.due[i] - s.done[i]) * int64(s.each)
		s.due[i] = s.done[i]
	}
	return unsent
}

// unanswered returns how many publishers still wait for the server. At full speed nothing is due meanwhile, so
// nothing else would tell.
func (s *sending) unanswered() (n int64) {
	for _, sender := range s.senders {
		if p, ok := sender.(*publisher); ok && p.busy() {
			n++
		}
	}
	return n
}

func (s *sending) sent(streams map[Stream]uint32) {
	for _, sender := range s.senders {
		sender.sent(streams)
	}
}
