package pusher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// A Subscription is a channel to follow.
type Subscription struct {
	Channel     string
	ChannelData string // of a presence channel; "" is to listen without being a member
}

// A Follower is told what Follow hears. An error from any of its functions ends Follow with it.
type Follower struct {
	Subscriptions []Subscription
	UserData      string // of the user to sign in as; "" is nobody

	Connected func(socketID string)
	Lost      func(err error, wait time.Duration) // the next attempt comes after wait
	Event     func(Event) error
}

// Follow stays subscribed until ctx ends, and then returns nil. Once connected, it connects again when pusher-js
// would.
func (s *Server) Follow(ctx context.Context, f Follower) error {
	wasEver := false
	for attempt := 0; ; attempt++ {
		wasConnected, err := s.followOnce(ctx, f)
		if ctx.Err() != nil {
			return nil
		}
		if wasConnected {
			attempt, wasEver = 0, true
		}
		wait, again := retryAfter(err, attempt)
		var stop *stopError
		switch {
		case errors.As(err, &stop):
			return stop.error
		case !again || !wasEver:
			return err
		}
		f.Lost(err, wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// followOnce returns when the connection is lost.
func (s *Server) followOnce(ctx context.Context, f Follower) (wasConnected bool, err error) {
	c, err := s.Connect(ctx, Options{})
	if err != nil {
		return false, err
	}
	defer c.Close()
	f.Connected(c.ID)
	if f.UserData != "" {
		if err := c.Signin(f.UserData); err != nil {
			return true, err
		}
	}
	for _, sub := range f.Subscriptions {
		if err := c.Subscribe(sub.Channel, sub.ChannelData); err != nil {
			return true, err
		}
	}
	for {
		e, err := c.Next()
		if err != nil {
			return true, err
		}
		if err := f.Event(e); err != nil {
			return true, &stopError{err}
		}
	}
}

// stopError is a Follower's wish to end.
type stopError struct{ error }

const (
	firstWait = time.Second
	maxWait   = 30 * time.Second
)

// retryAfter decides whether to connect again, as pusher-js does: not after 4000 to 4099, after a second for 4100
// to 4199, at once for 4200 to 4299, and not for other codes of the protocol. Unlike pusher-js, which asks
// every second for ever, it takes longer each time it cannot connect.
func retryAfter(err error, attempt int) (wait time.Duration, again bool) {
	var closed *CloseError
	var refused *HandshakeError
	backoff := min(firstWait<<min(attempt, 10), maxWait)
	switch {
	case errors.As(err, &closed) && closed.Code >= 4200 && closed.Code < 4300:
		// A server that is still shutting down would otherwise be asked as fast as it can answer.
		if attempt > 0 {
			return backoff, true
		}
		return 0, true
	case errors.As(err, &closed):
		return backoff, closed.Code < 4000 || closed.Code >= 4100 && closed.Code < 4200
	case errors.As(err, &refused):
		return backoff, refused.Status >= 500
	}
	return backoff, isLost(err)
}

// isLost reports whether a fault may pass by itself.
func isLost(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsTemporary || dns.IsTimeout
	}
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, ErrSilent) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, context.DeadlineExceeded)
}

// Reason puts an error of this package into words for people.
func Reason(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection has ended"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return fmt.Sprint(err)
}
