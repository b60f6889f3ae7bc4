package bridge

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/auth"
)

// Mode says when messages are published to nodes of Laravel Reverb.
type Mode uint8

// The modes. In Off nothing is received either.
const (
	Auto Mode = iota // while there are any
	On
	Off
)

// ParseMode reads a mode: auto, which "" means as well, on or off.
func ParseMode(s string) (Mode, error) {
	switch strings.ToLower(s) {
	case "", "auto":
		return Auto, nil
	case "on", "true", "1":
		return On, nil
	case "off", "false", "0":
		return Off, nil
	}
	return Auto, fmt.Errorf("the bridge to Laravel Reverb is set to %q; hint: REVERB_GO_BRIDGE is auto, on or off", s)
}

// An AppSource knows the apps. ByID may block for a moment, and returns nil for an app that does not exist.
type AppSource interface {
	ByID(id string) (*auth.App, error)
}

// Options say how the bridge works.
type Options struct {
	Apps      AppSource     // required
	Mode      Mode          //
	Channel   string        // of Laravel Reverb, without any prefix; "reverb"
	Interval  time.Duration // between two counts of the nodes; 2 s
	Linger    time.Duration // how long Auto stays on without any; 30 s
	Timeout   time.Duration // for answers; 500 ms
	MaxQueued int           // bytes of messages kept while Redis is away; 16 MiB
	MaxAge    time.Duration // for which they are kept; 30 s
	Logger    *slog.Logger  // none
	Counters  Counters      // unregistered ones
}

func (o Options) withDefaults() Options {
	if o.Channel == "" {
		o.Channel = "reverb"
	}
	setDefault(&o.Interval, 2*time.Second)
	setDefault(&o.Linger, 30*time.Second)
	setDefault(&o.Timeout, 500*time.Millisecond)
	setDefault(&o.MaxAge, 30*time.Second)
	setDefault(&o.MaxQueued, 16<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Counters = o.Counters.withDefaults()
	return o
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Counters are the numbers a bridge counts into. Those that are nil are not counted.
type Counters struct {
	On         prometheus.Gauge   // 1 while messages are published to nodes of Laravel Reverb
	Nodes      prometheus.Gauge   // of Laravel Reverb, or whoever else subscribes to its channel
	Sent       prometheus.Counter // events published to them
	Received   prometheus.Counter // events of theirs
	Dropped    prometheus.Counter // events for them that were lost
	Withheld   prometheus.Counter // terminates that would have ended them
	Malformed  prometheus.Counter // messages on their channel that no node writes
	Answered   prometheus.Counter // questions of theirs
	Asked      prometheus.Counter // questions to them
	Incomplete prometheus.Counter // of those, not answered by all in time
}

func (c Counters) withDefaults() Counters {
	for _, gauge := range []*prometheus.Gauge{&c.On, &c.Nodes} {
		if *gauge == nil {
			*gauge = prometheus.NewGauge(prometheus.GaugeOpts{Name: "unregistered"})
		}
	}
	for _, counter := range []*prometheus.Counter{
		&c.Sent, &c.Received, &c.Dropped, &c.Withheld, &c.Malformed, &c.Answered, &c.Asked, &c.Incomplete,
	} {
		if *counter == nil {
			*counter = prometheus.NewCounter(prometheus.CounterOpts{Name: "unregistered"})
		}
	}
	return c
}
