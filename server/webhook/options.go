package webhook

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// Options say how a Dispatcher is to work. Zero values mean the defaults named here.
type Options struct {
	// Redis returns the Redis of that name; the name is "" where a destination has none. It is asked again on
	// each reload and may return the same client, which stays the caller's to close.
	Redis func(connection string) (Redis, error)

	DeadLetters    string // file for what could not be delivered; none, and it is lost
	MaxDeadLetters int64  // bytes of that file before it is renamed to .1, in place of the .1 before; 64 MiB

	Grace     time.Duration // to hold channel_vacated and member_removed back; 3 s, negative is none
	Interval  time.Duration // for an endpoint's events to be collected in one request; 1 s
	MaxBatch  int           // events in one request, or in one push to Redis; 100
	MaxEvents int           // waiting for one destination; 100,000
	MaxBytes  int           // of those events; 32 MiB

	Timeout  time.Duration // of one attempt; 5 s
	RetryFor time.Duration // from the first attempt to the last of an endpoint; 5 minutes

	Transport http.RoundTripper // one of its own
	Counters  Counters          // unregistered ones
	Logger    *slog.Logger      // none
	Now       func() time.Time  // the clock; time.Now

	closeTransport func() // ends idle connections, unless Transport is the caller's
}

// Redis is a server and what its keys begin with: REDIS_PREFIX, as Laravel puts it before every key. The
// client should be made with ContextTimeoutEnabled, or go-redis keeps to its own timeouts.
type Redis struct {
	Client redis.UniversalClient
	Prefix string
}

// Counters are what the Dispatcher counts. All but Failed and Retried count events, once for each destination.
type Counters struct {
	Sent         prometheus.Counter // delivered
	Failed       prometheus.Counter // attempts to deliver that failed
	Retried      prometheus.Counter // attempts that were not the first
	Dropped      prometheus.Counter // lost, because a queue or the file of dead letters was full or there is none
	DeadLettered prometheus.Counter // written to the file of dead letters
	Cancelled    prometheus.Counter // held back, and taken back in time
	Queued       prometheus.Gauge   // waiting, those held back included
}

const (
	defaultMaxDeadLetters = 64 << 20
	defaultGrace          = 3 * time.Second
	defaultInterval       = time.Second
	defaultMaxBatch       = 100
	defaultMaxEvents      = 100_000
	defaultMaxBytes       = 32 << 20
	defaultTimeout        = 5 * time.Second
	// Pusher's libraries for Python refuse what is older than 300 s.
	defaultRetryFor = 5 * time.Minute
)

func (o Options) withDefaults() Options {
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	setDefault(&o.MaxDeadLetters, defaultMaxDeadLetters)
	setDefault(&o.Interval, defaultInterval)
	setDefault(&o.MaxBatch, defaultMaxBatch)
	setDefault(&o.MaxEvents, defaultMaxEvents)
	setDefault(&o.MaxBytes, defaultMaxBytes)
	setDefault(&o.Timeout, defaultTimeout)
	setDefault(&o.RetryFor, defaultRetryFor)
	if o.Redis == nil {
		o.Redis = noRedis
	}
	o.closeTransport = func() {}
	if o.Transport == nil {
		t := newTransport()
		o.Transport, o.closeTransport = t, t.CloseIdleConnections
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Counters = o.Counters.withDefaults()
	return o
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

func noRedis(string) (Redis, error) {
	return Redis{}, errors.New("there is no Redis for jobs and streams; hint: set REDIS_HOST or REDIS_URL")
}

func (c Counters) withDefaults() Counters {
	for _, counter := range []*prometheus.Counter{&c.Sent, &c.Failed, &c.Retried, &c.Dropped, &c.DeadLettered, &c.Cancelled} {
		if *counter == nil {
			*counter = prometheus.NewCounter(prometheus.CounterOpts{Name: "unregistered"})
		}
	}
	if c.Queued == nil {
		c.Queued = prometheus.NewGauge(prometheus.GaugeOpts{Name: "unregistered"})
	}
	return c
}
