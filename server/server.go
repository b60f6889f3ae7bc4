package server

import (
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server/internal/poll"
)

// A Server speaks the Pusher protocol to clients, and its HTTP API to apps, on the same ports.
type Server struct {
	// Static after construction.
	cfg     Config
	broker  Broker
	cluster Cluster // the broker, if there may be other nodes; else nil
	outage  outage  // of the cluster
	log     *slog.Logger
	apps    appTable
	loops   []*loop
	http    *fasthttp.Server
	started time.Time

	hasVisitors bool // loops answer HTTP requests
	counts      counts

	queued     atomic.Int64 // bytes waiting for slow connections
	total      atomic.Int64 // established connections
	draining   atomic.Bool
	unhealthy  atomic.Bool // draining is to begin
	pausing    atomic.Bool // loops read nothing, and no time passes
	isHolding  atomic.Bool // loops hear no visitors
	visitors   atomic.Int64
	arrivals   atomic.Uint64 // at loops
	handshakes lockedBucket
	lookupLog  lockedBucket
	filesLog   lockedBucket
	peers      peerTable

	tracersMu sync.Mutex               // held while tracers is replaced
	tracers   atomic.Pointer[[]Tracer] // nil while nobody watches

	listenersMu sync.Mutex // guards listeners, and that none comes while draining
	listeners   []*listener

	httpMu    sync.Mutex // guards httpConns
	httpConns map[*httpConn]struct{}

	loopsWG   sync.WaitGroup
	streamsWG sync.WaitGroup
}

// New starts the loops of a server, which then waits for Serve. It gives the broker its way back.
func New(cfg Config, broker Broker) (*Server, error) {
	s, err := newServer(cfg, broker)
	if err == nil {
		s.start()
	}
	return s, err
}

// newServer returns a server whose loops do not run yet.
func newServer(cfg Config, broker Broker) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, broker: broker, log: cfg.Logger, started: cfg.Now(), counts: newCounts(cfg.Metrics)}
	if cfg.Debug != nil {
		s.addTracer(cfg.Debug)
	}
	s.cluster, _ = broker.(Cluster)
	s.apps.byID = make(map[string]*app)
	s.peers.count = make(map[peer]int)
	s.httpConns = make(map[*httpConn]struct{})
	s.http = s.newHTTP()
	_, isPrompt := cfg.Apps.(PromptSource)
	s.hasVisitors = isPrompt && poll.Native && !cfg.Portable
	for i := range cfg.Loops {
		l, err := newLoop(s, i)
		if err != nil {
			return nil, fmt.Errorf("start event loop %d: %w", i, err)
		}
		s.loops = append(s.loops, l)
	}
	return s, nil
}

func (s *Server) start() {
	s.broker.Start(node{s})
	for _, l := range s.loops {
		s.loopsWG.Go(l.run)
	}
}

// Deliver sends a message to the subscribers of its channel on this node. It may be called from any
// goroutine and keeps nothing of its argument.
func (s *Server) Deliver(b protocol.Broadcast) {
	a := s.apps.find(b.AppID)
	if a == nil {
		return // nobody has ever connected to it, or published to it here
	}
	if s.isTraced() {
		s.trace(TraceEvent{Kind: TraceBroadcast, App: b.AppID, Channel: b.Channel, Payload: b.Payload})
	}
	a.registry.Publish(s.cfg.Now(), b)
}

// post puts a message of a channel, encoded once, into the inboxes of the loops that have
// subscribers. The channel is locked meanwhile, which keeps the order.
func (s *Server) post(a *app, n channels.Note) {
	if s.isTraced() {
		s.trace(TraceEvent{Kind: TraceDelivered, App: a.id, Channel: n.Channel.Name(), Payload: n.Payload})
	}
	f := newFrame(ws.OpText, n.Payload)
	f.refs.Store(int32(bits.OnesCount64(n.Shards)))
	for shards := n.Shards; shards != 0; shards &= shards - 1 {
		l := s.loops[bits.TrailingZeros64(shards)]
		if !l.inbox.post(note{channel: n.Channel, frame: f, seq: n.Seq, except: n.Except, isLate: n.IsLate, published: n.Published}) {
			f.release()
		}
	}
}

// isCongested reports whether a loop, or Redis, has more to do than it should have. The loops then stop
// reading from their clients until it has caught up, so that nothing grows.
func (s *Server) isCongested() bool {
	for _, l := range s.loops {
		if l.inbox.isFull() {
			return true
		}
	}
	return s.cluster != nil && s.cluster.IsFull()
}

// WaitForRoom has whoever brings messages, and is no loop, wait while a loop is behind.
func (s *Server) WaitForRoom() {
	for _, l := range s.loops {
		l.inbox.waitForRoom()
	}
}

// waitToPublish has an HTTP publisher wait while a loop or Redis is behind.
func (s *Server) waitToPublish() {
	s.WaitForRoom()
	if s.cluster != nil {
		s.cluster.WaitForRoom()
	}
}

// Tick wakes the loops, so that they notice when a test has moved the clock.
func (s *Server) Tick() {
	for _, l := range s.loops {
		l.inbox.post(note{do: func(*loop) {}})
	}
}

// closed counts the end of an established connection.
func (s *Server) closed(c *conn, why closeReason) {
	s.trace(TraceEvent{Kind: TraceClosed, Socket: c.id})
	s.counts.closed[why].Inc()
	s.total.Add(-1)
	c.app.connections.Add(-1)
	c.app.gauge.Dec()
	if c.deflates {
		s.counts.Compressed.Dec()
	}
}
