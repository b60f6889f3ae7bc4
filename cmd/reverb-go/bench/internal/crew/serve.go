package crew

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/clock"
)

var (
	errUnexpected = errors.New("an order came out of turn")
	errNoOrders   = errors.New("whoever gives the orders has gone")
)

// Serve does one job: it reads orders, obeys them and answers. It returns when in ends, and then everything it
// began has ended.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &service{orders: make(chan Order), out: json.NewEncoder(out)}
	go s.read(ctx, cancel, in)
	err := s.serve(ctx)
	if err != nil {
		s.answer(Answer{Error: err.Error()})
	}
	return err
}

type service struct {
	orders chan Order

	mu  sync.Mutex // guards out
	out *json.Encoder
}

// read hands on orders until there are no more, which ends everything.
func (s *service) read(ctx context.Context, cancel context.CancelFunc, in io.Reader) {
	defer cancel()
	defer close(s.orders)
	d := json.NewDecoder(in)
	for {
		var o Order
		if err := d.Decode(&o); err != nil {
			return
		}
		select {
		case s.orders <- o:
		case <-ctx.Done():
			return
		}
	}
}

func (s *service) answer(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// If nobody listens any more, the end of the orders says so too.
	_ = s.out.Encode(a)
}

func (s *service) next(ctx context.Context) (Order, error) {
	select {
	case o, ok := <-s.orders:
		if !ok {
			return o, errNoOrders
		}
		return o, nil
	case <-ctx.Done():
		return Order{}, errNoOrders
	}
}

func (s *service) serve(ctx context.Context) error {
	o, err := s.next(ctx)
	if err != nil || o.Job == nil {
		return errors.Join(err, errUnexpected)
	}
	c, err := New(*o.Job)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := s.report(c)
	defer stop()

	if err := c.SetUp(ctx); err != nil {
		return err
	}
	s.answer(Answer{Ready: &Ready{Connections: c.members}})
	if err := s.run(ctx, c); err != nil {
		return err
	}
	// The connections stay until everybody has been asked.
	if _, err := s.next(ctx); err == nil {
		return errUnexpected
	}
	return nil
}

// run is the part from the start to the result.
func (s *service) run(ctx context.Context, c *Crew) error {
	o, err := s.next(ctx)
	if err != nil || o.Start == nil {
		return errors.Join(err, errUnexpected)
	}
	times := *o.Start
	c.Start(times)
	if err := c.untilEnd(ctx, times.End, s.orders, func() { s.answer(Answer{Done: true}) }); err != nil {
		return err
	}
	end := min(clock.Now(), times.End)
	sent := c.End(end)
	s.answer(Answer{Sent: &sent})
	for {
		o, err = s.next(ctx)
		switch {
		case err != nil:
			return err
		case o.Stop: // it was under way when the time was over anyway
		case o.Expect == nil:
			return errUnexpected
		default:
			result := c.Settle(*o.Expect, end)
			s.answer(Answer{Result: &result})
			return nil
		}
	}
}

const reportInterval = 200 * time.Millisecond

// report answers with the progress from time to time until stopped.
func (s *service) report(c *Crew) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(reportInterval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p := c.Progress()
				s.answer(Answer{Progress: &p})
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
