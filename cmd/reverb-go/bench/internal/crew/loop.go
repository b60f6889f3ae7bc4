package crew

import (
	"sync/atomic"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/check"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/netloop"
)

// loop is a netloop with what happens on it. All but the last group is owned by its goroutine.
type loop struct {
	*netloop.Loop
	crew  *Crew
	index int

	tally
	times   Times
	book    check.Book
	members []*member // whose deliveries are checked
	slow    []*member
	queue   []*member // to be connected
	open    int       // of them, under way
	limit   int       // of open
	turn    []int64   // deliveries of this turn, by group
	pumps   []*sending
	begun   work // when the measured time began
	ended   work // and when it ended

	live struct{ connections, deliveries, published, ready, p99 atomic.Int64 }
}

// work is how long a loop had worked at a time.
type work struct{ at, busy int64 }

func (l *loop) work(now int64) work { return work{now, int64(l.Busy())} }

// share returns which share of the time since an earlier moment was work.
func (w work) share(since work) float64 {
	if w.at <= since.at {
		return 0
	}
	return min(float64(w.busy-since.busy)/float64(w.at-since.at), 1)
}

func (c *Crew) newLoop(i int) (*loop, error) {
	nl, err := c.app.NewLoop()
	if err != nil {
		return nil, err
	}
	l := &loop{Loop: nl, crew: c, index: i, limit: setupAtOnce, turn: make([]int64, len(c.groups))}
	l.primary, l.sliceSize = c.plan.Primary, c.job.Slice
	nl.AfterTurn = l.afterTurn
	return l, nil
}

// setupAtOnce is how many connections a loop has under way before the start. Few servers answer more at a
// time, and none is to be measured by that.
const setupAtOnce = 64

// afterTurn tells others what the turn brought.
func (l *loop) afterTurn(now int64) {
	for i, n := range l.turn {
		if n > 0 {
			l.turn[i] = 0
			l.crew.groups[i].gate.deliver(n)
		}
	}
	for _, s := range l.pumps {
		s.pump(now)
	}
	if l.advance(now) {
		if n := len(l.slices); n > 0 {
			l.live.p99.Store(int64(l.slices[n-1].Latency.Quantile(0.99)))
		}
	}
	l.live.connections.Store(int64(l.Conns()))
	l.live.deliveries.Store(l.Deliveries)
	l.live.published.Store(l.Published)
	l.live.ready.Store(l.Counters.Ready)
}

// start is told the times. The tally begins and ends by alarms of its own.
func (l *loop) start(t Times) {
	l.times = t
	l.AddAlarm(&netloop.Alarm{Due: t.Measure, Fire: func(now int64) {
		l.begun = l.work(now)
		l.begin(now)
	}})
	for _, m := range l.slow {
		m.client.Pause()
	}
}

// stop ends the measured time at a given moment, which may be earlier than was said.
func (l *loop) stop(end int64) {
	if l.times.End == 0 || end < l.times.End {
		l.times.End = end
	}
	l.ended = l.work(clock.Now()) // a loop that is behind hears of the end when it is past
	for _, m := range l.slow {
		m.client.Resume()
	}
}

// admit connects who waits for it, as far as there is room.
func (l *loop) admit() {
	for l.open < l.limit && len(l.queue) > 0 {
		m := l.queue[0]
		l.queue = l.queue[1:]
		l.open++
		since := m.since
		if since == 0 {
			since = clock.Now()
		}
		m.connect(since)
	}
}

// settled is called when a queued member is ready, or has failed.
func (l *loop) settled() {
	l.open--
	l.admit()
}

// outstanding returns how many deliveries may still come, given what was sent.
func (l *loop) outstanding(sent map[Stream]uint32) int64 {
	n := int64(l.book.Holes())
	for _, m := range l.members {
		if m.state == ready {
			n += m.missing(sent)
		}
	}
	return n
}

// closeBook counts as lost what has not come.
func (l *loop) closeBook(sent map[Stream]uint32) {
	for _, m := range l.members {
		for i := range m.group.Streams() {
			l.book.Close(m.line+i, sent[Stream{m.channelID(), uint16(i)}])
		}
	}
}
