package webhook

import (
	"errors"
	"fmt"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/server/handover"
)

// Pause ends all sending, after the attempts that are under way, which have Options.Timeout. Events are taken in
// further. Resume goes on after all; a Dispatcher that is closed instead forgets what it has, since another one has
// imported it. Pause is for one goroutine, and not to be called again before Resume.
func (d *Dispatcher) Pause() { d.brake.stop() }

// Resume ends a Pause.
func (d *Dispatcher) Resume() {
	for _, o := range d.orphans {
		d.letters.write(o.letter, o.records)
	}
	d.orphans = nil
	d.brake.release(false)
}

// An orphan is what another Dispatcher had for a destination that is not configured here. It is not written before
// Resume: until then it is that one's.
type orphan struct {
	letter  letter
	records []*record
}

// Export describes, during a Pause, all that waits. What is taken in later is not part of it.
func (d *Dispatcher) Export() *handover.Hooks {
	h := &handover.Hooks{Fresh: d.intake.export(), Held: d.held.export()}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.byKey {
		if q, waits := s.export(); waits {
			h.Queues = append(h.Queues, q)
		}
	}
	return h
}

// Import takes over, during a Pause, what another Dispatcher has exported. The events are those of the apps as app
// knows them now. What waited for a destination that is not configured any more goes to the dead letters.
func (d *Dispatcher) Import(h *handover.Hooks, app func(id string) (*auth.App, error)) error {
	in := importer{app: app, now: d.opts.Now()}
	fresh, held := in.records(h.Fresh), in.records(h.Held)
	queues := make([][]*record, len(h.Queues))
	for i, q := range h.Queues {
		queues[i] = in.records(q.Events)
	}
	if in.err != nil {
		return fmt.Errorf("take over webhooks: %w", in.err)
	}
	d.intake.restore(fresh, held)
	for _, r := range held {
		d.held.add(r)
	}
	d.opts.Counters.Queued.Add(float64(len(fresh) + len(held)))
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, q := range h.Queues {
		d.importQueue(&q, queues[i], in.now)
	}
	return nil
}

var errNotConfigured = errors.New("this destination is not configured any more")

// importQueue gives records to whoever sends to the destination now. d.mu must be held.
func (d *Dispatcher) importQueue(q *handover.HookQueue, records []*record, now time.Time) {
	if s := d.byKey[senderKey{q.AppID, q.Destination}]; s != nil {
		s.restore(q.Batch, records, now)
		d.opts.Counters.Queued.Add(float64(len(records)))
		return
	}
	l := letter{App: q.AppID, Destination: q.Destination, To: q.To, Reason: errNotConfigured.Error()}
	if q.Batch != nil {
		l.Attempts = q.Batch.Attempts
	}
	for len(records) > 0 {
		n := min(len(records), d.opts.MaxBatch)
		d.orphans = append(d.orphans, orphan{l, records[:n]})
		records = records[n:]
	}
}

func exportRecords(records []*record) []handover.HookEvent {
	all := make([]handover.HookEvent, len(records))
	for i, r := range records {
		all[i] = handover.HookEvent{AppID: r.app.ID, At: r.at.UnixMicro(), Event: r.event}
	}
	return all
}

// An importer makes records of events, until one is none.
type importer struct {
	app func(id string) (*auth.App, error)
	now time.Time
	err error
}

func (in *importer) records(events []handover.HookEvent) []*record {
	all := make([]*record, len(events))
	for i := range events {
		all[i] = in.record(&events[i])
	}
	return all
}

func (in *importer) record(e *handover.HookEvent) *record {
	if in.err != nil {
		return nil
	}
	if setOf(e.Event.Name) == 0 {
		in.err = fmt.Errorf("there is no event %q", e.Event.Name)
		return nil
	}
	app, err := in.app(e.AppID)
	if err != nil {
		in.err = err
		return nil
	}
	return &record{app: app, at: notAfter(time.UnixMicro(e.At), in.now), event: e.Event}
}

// notAfter bounds a time of day that another process has seen: a clock that was set back would have events wait.
func notAfter(at, now time.Time) time.Time {
	if at.After(now) {
		return now
	}
	return at
}

func (in *intake) export() []handover.HookEvent {
	in.mu.Lock()
	defer in.mu.Unlock()
	return exportRecords(in.waiting.records)
}

// restore puts records before those that wait, and counts what the router holds.
func (in *intake) restore(fresh, held []*record) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, r := range fresh {
		in.waiting.load.add(r)
	}
	in.waiting.records = append(fresh, in.waiting.records...)
	for _, r := range held {
		in.held.add(r)
	}
	ring(in.wake)
}

func (h *held) export() []handover.HookEvent {
	var all []*record
	for e := h.order.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*record))
	}
	return exportRecords(all)
}

// export reports false if nothing waits.
func (s *sender) export() (q handover.HookQueue, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue.records) == 0 {
		return q, false
	}
	q = handover.HookQueue{AppID: s.key.app, Destination: s.key.leg, To: s.to.String(), Events: exportRecords(s.queue.records)}
	if b := s.batch; b != nil {
		q.Batch = &handover.HookBatch{
			Events: b.events, Packed: b.created.UnixMicro(), Attempts: b.attempts,
			Wait: int64(max(b.next.Sub(s.opts.Now()), 0)), Reason: b.failure.Error(),
		}
	}
	return q, true
}

// restore puts records before those that wait. They have waited for company already.
func (s *sender) restore(b *handover.HookBatch, records []*record, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		s.queue.load.add(r)
	}
	s.queue.records = append(records, s.queue.records...)
	s.since = time.Time{}
	if b != nil {
		// Packed again it is the same, unless the app or the destination has changed.
		s.batch = &batch{
			parcel:   s.to.pack(notAfter(time.UnixMicro(b.Packed), now), s.queue.front(b.Events)),
			attempts: b.Attempts, next: now.Add(time.Duration(b.Wait)), failure: errors.New(b.Reason),
		}
	}
	ring(s.wake)
}
