//go:build !linux

package poll

import (
	"errors"
	"time"
)

// Native reports whether sockets can be added to a Poller here.
const Native = false

// A Poller can be woken and nothing more.
type Poller struct {
	wake  chan struct{}
	timer *time.Timer
}

// New returns a Poller.
func New() (*Poller, error) {
	return &Poller{wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}, nil
}

// Close does nothing.
func (p *Poller) Close() error { return nil }

// Add fails: sockets are read by goroutines here.
func (p *Poller) Add(int) error { return errors.ErrUnsupported }

// Remove does nothing: nothing was added.
func (p *Poller) Remove(int) {}

// Wake makes the current or the next Wait return. Calls may be merged into one.
func (p *Poller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Wait returns events as it got them, once woken or after at most timeout; a timeout below 0 waits
// to be woken.
func (p *Poller) Wait(events []Event, timeout time.Duration) ([]Event, error) {
	if timeout < 0 {
		<-p.wake
		return events, nil
	}
	p.timer.Reset(timeout)
	select {
	case <-p.wake:
	case <-p.timer.C:
	}
	return events, nil
}
