package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
)

// A Dispatcher sends events to the destinations of their apps. Its methods may be called from any goroutine.
type Dispatcher struct {
	// Static after construction.
	opts    *Options
	letters *letters
	base    context.Context // of all that is sent
	abort   context.CancelFunc
	stop    chan struct{} // closed to end the router
	routed  chan struct{} // closed when the router has ended
	closing chan struct{} // closed when senders are to wait no more
	brake   *brake
	senders sync.WaitGroup

	intake  intake
	held    held     // the router's
	orphans []orphan // between Import and Resume
	routes  atomic.Pointer[routes]

	// mu guards the following, and the router has it while it puts events into queues: no reload takes a
	// sender away from under it.
	mu       sync.Mutex
	byKey    map[senderKey]*sender
	isClosed bool
}

type senderKey struct{ app, leg string }

// routes are where events go, by app id. They never change: a reload makes others.
type routes map[string]*route

type route struct {
	interest []filter // what the router needs to see
	legs     []routedLeg
}

type routedLeg struct {
	filter filter
	sender *sender
}

// wants reports whether the event goes anywhere, or takes another one back.
func (r *route) wants(e *channels.Event) bool {
	for _, f := range r.interest {
		if f.passes(e) {
			return true
		}
	}
	return false
}

// New returns a Dispatcher at work. It has to be closed.
func New(cfg Config, opts Options) (*Dispatcher, error) {
	opts = opts.withDefaults()
	d := &Dispatcher{
		opts:    &opts,
		letters: newLetters(&opts),
		stop:    make(chan struct{}),
		routed:  make(chan struct{}),
		closing: make(chan struct{}),
		brake:   newBrake(),
		intake: intake{
			wake:    make(chan struct{}, 1),
			waiting: queue{bounds: bounds{opts.MaxEvents, opts.MaxBytes}},
		},
		held:  held{grace: opts.Grace},
		byKey: make(map[senderKey]*sender),
	}
	d.routes.Store(&routes{})
	if err := d.letters.check(); err != nil {
		return nil, err
	}
	d.base, d.abort = context.WithCancel(context.Background())
	if err := d.Reload(cfg); err != nil {
		d.abort()
		return nil, err
	}
	go d.runRouter()
	return d, nil
}

// Notify takes note of an event of app. It waits for nobody, and drops the event if too many wait already.
func (d *Dispatcher) Notify(app *auth.App, e channels.Event) {
	r := (*d.routes.Load())[app.ID]
	if r == nil || !r.wants(&e) {
		return
	}
	if d.intake.push(&record{app: app, at: d.opts.Now(), event: e}) {
		d.opts.Counters.Queued.Inc()
	} else {
		d.opts.Counters.Dropped.Inc()
	}
}

// Reload replaces the configuration. What waits for a destination that is still there stays in its queue; a
// destination that is gone gets what waits for it, and no more. What is held back goes by the new configuration. If
// cfg is faulty, nothing changes.
func (d *Dispatcher) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	legs := make(map[string][]leg, len(cfg))
	for id, destinations := range cfg {
		var err error
		if legs[id], err = destinations.legs(d.opts); err != nil {
			return fmt.Errorf("webhooks of app %q: %w", id, err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isClosed {
		return errors.New("webhooks: reload after close")
	}
	d.install(legs)
	return nil
}

// install makes routes of the legs, with the senders there are and new ones. d.mu must be held.
func (d *Dispatcher) install(legs map[string][]leg) {
	next := make(routes, len(legs))
	used := make(map[senderKey]bool)
	for app, all := range legs {
		r := &route{}
		for _, l := range all {
			key := senderKey{app, l.key}
			used[key] = true
			r.interest = append(r.interest, l.filter.withPairs())
			r.legs = append(r.legs, routedLeg{l.filter, d.senderFor(key, l.to)})
		}
		next[app] = r
	}
	d.routes.Store(&next)
	for key, s := range d.byKey {
		if !used[key] {
			s.retire()
		}
	}
}

// senderFor returns the sender that has been sending to this destination, or a new one. d.mu must be held.
func (d *Dispatcher) senderFor(key senderKey, to destination) *sender {
	if s := d.byKey[key]; s != nil && s.resume(to) {
		return s
	}
	s := newSender(key, to, d)
	d.byKey[key] = s
	d.senders.Go(func() {
		s.run(d.base)
		d.forget(s)
	})
	return s
}

// forget is called by a sender that has ended.
func (d *Dispatcher) forget(s *sender) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byKey[s.key] == s {
		delete(d.byKey, s.key)
	}
}

// Close takes in no more events, sends at once what waits or is held back, each batch once, and writes what
// could not be sent to the file of dead letters. When ctx ends first, all that is left goes there, and the
// error is that of ctx. After Pause, nothing is sent or written any more. Close is to be called once.
func (d *Dispatcher) Close(ctx context.Context) error {
	d.mu.Lock()
	d.isClosed = true
	d.mu.Unlock()
	d.intake.close()
	close(d.stop)
	if d.brake.isStopped() {
		d.brake.release(true)
	}
	<-d.routed
	close(d.closing)
	defer d.opts.closeTransport()
	defer d.abort()
	sent := make(chan struct{})
	go func() {
		d.senders.Wait()
		close(sent)
	}()
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		d.abort()
		<-sent
		return ctx.Err()
	}
}

// runRouter takes events from the intake to the queues of destinations.
func (d *Dispatcher) runRouter() {
	defer close(d.routed)
	timer := time.NewTimer(d.opts.Grace)
	defer timer.Stop()
	for {
		isOver := d.awaitTurn(timer)
		if !d.brake.begin() {
			return
		}
		d.turn(d.opts.Now(), isOver)
		d.brake.end()
		if isOver {
			return
		}
		if at, ok := d.held.next(); ok {
			timer.Reset(at.Sub(d.opts.Now()))
		} else {
			timer.Stop()
		}
	}
}

// awaitTurn waits for something to do, and reports whether it is for the last time.
func (d *Dispatcher) awaitTurn(timer *time.Timer) (isOver bool) {
	select {
	case <-d.intake.wake:
	case <-timer.C:
	case <-d.stop:
		return true
	}
	return false
}

// turn routes all that has come in or is due.
func (d *Dispatcher) turn(now time.Time, isOver bool) {
	taken, dropped := d.intake.take()
	if dropped > 0 {
		d.opts.Logger.Error("webhook events dropped: too many are waiting to be sorted", "events", dropped)
	}
	var done load
	d.mu.Lock()
	for _, r := range taken {
		d.accept(r, &done)
	}
	for r := d.held.due(now, isOver); r != nil; r = d.held.due(now, isOver) {
		d.forward(r, &done)
	}
	d.mu.Unlock()
	d.intake.settle(done)
	d.opts.Counters.Queued.Sub(float64(done.events))
}

// accept holds r back, drops it with the event it takes back, or forwards it.
func (d *Dispatcher) accept(r *record, done *load) {
	if d.held.add(r) {
		return
	}
	if undone := d.held.cancel(r); undone != nil {
		done.add(undone)
		done.add(r)
		d.opts.Counters.Cancelled.Add(2)
		return
	}
	d.forward(r, done)
}

// forward puts r into the queues of the destinations that want it.
func (d *Dispatcher) forward(r *record, done *load) {
	done.add(r)
	to := (*d.routes.Load())[r.app.ID]
	if to == nil {
		return
	}
	for _, l := range to.legs {
		if l.filter.passes(&r.event) {
			l.sender.push(r)
		}
	}
}
