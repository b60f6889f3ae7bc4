package server

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/metrics"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// Config says how a Server is to work. Zero values mean the defaults named here.
type Config struct {
	Apps             AppSource        // whom to serve; required
	Hooks            Hooks            // told of what happens to channels; none
	Path             string           // prefix of all routes; slashes around it do not matter
	MaxRequestSize   int              // bytes of a whole HTTP request; 10,000
	MaxQueued        int              // bytes that may wait for one connection; 1 MiB
	MaxNodeQueued    int              // bytes that may wait for all slow connections together; 256 MiB
	MaxConnections   int              // of the node; no limit
	MaxHandshakes    int              // in a second; no limit
	TrustedProxies   []netip.Prefix   // whose X-Forwarded-For is believed; none
	TrustUnix        bool             // whether that of who connects to a unix socket is, too
	IsOverloaded     func() bool      // whether memory is too short for new connections; never
	MaxFiles         int              // descriptors the process may have, of which clients do not get the last; not known
	Checks           []Check          // for GET /healthz, besides Redis; none
	HandshakeTimeout time.Duration    // for a whole HTTP request to arrive; 10 s
	IdempotencyTTL   time.Duration    // for which an idempotency key is remembered; 2 minutes
	PongTimeout      time.Duration    // for a sign of life after a ping; 30 s
	Drain            time.Duration    // over which Shutdown spreads its closes; 0 closes all at once
	Loops            int              // event loops; one per processor, at most 64
	Portable         bool             // a goroutine per connection even where epoll exists
	NoIOUring        bool             // a system call for each write even where io_uring exists
	WelcomePage      []byte           // HTML for GET /; none
	Inspector        Inspector        // answers below /inspector; none
	Logger           *slog.Logger     // none
	Debug            Tracer           // told of all that passes; none
	Metrics          *metrics.Metrics // counted into; unregistered ones
	Now              func() time.Time // the clock; time.Now
}

// Hooks is told of what happens to the channels of an app. Notify is called by loops and under locks:
// it must only queue.
type Hooks interface {
	Notify(*auth.App, channels.Event)
}

// A Broker carries messages to all nodes, this one included. Package scaling has two.
type Broker interface {
	// Start is called once, before anything else.
	Start(Node)
	// Publish hands a message on. It never blocks and keeps nothing of its argument: loops call it.
	Publish(protocol.Broadcast)
}

// A Departer is a Broker that wants to know that its node is about to end, before its clients are sent away.
type Departer interface{ Depart() }

// A Node is what a Broker calls up to. Its methods may be called from any goroutine.
type Node = interface {
	Deliver(protocol.Broadcast)
	Change(protocol.Change)
	Linked(appID, channel string, s protocol.Snapshot)
	Heard(appID, channel string)
	Resync()
	Refused(appID, channel, userID string)
	Observe(protocol.Transition)
	Counted(appID, channel string, total int)
	Terminate(appID, userID string)
	Held(appID, channel string)
	WaitForRoom()
	Connections() map[string]int
}

// A Cluster is a Broker between several nodes. The methods in the first group never block, and neither does IsFull.
type Cluster interface {
	Broker
	Link(appID, channel string)
	Unlink(appID, channel string)
	Join(appID, channel string, m protocol.Member, limit int)
	Leave(appID, channel, userID string)
	Count(appID, channel string, n int)
	Sync(appID, channel string, h protocol.Holding, limit int)
	Announce(appID, channel string, payload []byte)
	// Health returns what keeps messages from reaching other nodes, or nil.
	Health() error
	// Elsewhere returns how many connections an app has on other nodes, as far as is known.
	Elsewhere(appID string) int
	// Census is Elsewhere as of now.
	Census(ctx context.Context, appID string) (int, error)

	// IsFull reports whether publishers should wait, and WaitForRoom does it.
	IsFull() bool
	WaitForRoom()

	Terminate(ctx context.Context, appID, userID string) error
	// Claim and Answer share the answers to requests with an idempotency key; see package scaling.
	Claim(ctx context.Context, appID, key, sum string, ttl time.Duration) (answer []byte, isFirst bool, err error)
	Answer(ctx context.Context, appID, key, sum string, answer []byte, ttl time.Duration) error
	Lookup(ctx context.Context, appID string, channels ...string) ([]protocol.ChannelInfo, error)
	List(ctx context.Context, appID, prefix string) ([]protocol.ChannelInfo, error)
	Users(ctx context.Context, appID, channel string) ([]string, error)
}

const (
	defaultMaxRequestSize   = 10_000
	defaultMaxQueued        = 1 << 20
	defaultMaxNodeQueued    = 256 << 20
	defaultHandshakeTimeout = 10 * time.Second
	defaultIdempotencyTTL   = 2 * time.Minute
	defaultPongTimeout      = 30 * time.Second
)

func (c Config) withDefaults() (Config, error) {
	if c.Apps == nil {
		return c, errors.New("server: no apps to serve")
	}
	setDefault(&c.MaxRequestSize, defaultMaxRequestSize)
	setDefault(&c.MaxQueued, defaultMaxQueued)
	setDefault(&c.MaxNodeQueued, defaultMaxNodeQueued)
	setDefault(&c.HandshakeTimeout, defaultHandshakeTimeout)
	setDefault(&c.IdempotencyTTL, defaultIdempotencyTTL)
	setDefault(&c.PongTimeout, defaultPongTimeout)
	setDefault(&c.Loops, runtime.GOMAXPROCS(0))
	c.Loops = min(c.Loops, channels.MaxShards)
	c.Portable = c.Portable || !poll.Native
	c.NoIOUring = c.NoIOUring || c.Portable
	if c.Path = strings.Trim(c.Path, "/"); c.Path != "" {
		c.Path = "/" + c.Path
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = metrics.New(prometheus.NewRegistry())
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
