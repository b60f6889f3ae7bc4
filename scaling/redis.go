package scaling

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// A Node is what a broker calls up to: this node's channels. All methods may be called from the broker's
// goroutines, one at a time for a channel, and keep nothing of their arguments. It is an alias, so that
// the package that implements it need not know this one.
type Node = interface {
	// Deliver sends a message to the subscribers here.
	Deliver(protocol.Broadcast)
	// Change applies a change of members.
	Change(protocol.Change)
	// Linked says that messages of a channel arrive from now on, and how the channel is at this moment.
	Linked(appID, channel string, s protocol.Snapshot)
	// Heard says that messages of a channel arrive. The node calls Sync to learn what was before.
	Heard(appID, channel string)
	// Resync asks the node to call Sync for all it has: the broker may have lost something.
	Resync()
	// Refused says that a presence channel has no room for a user of this node.
	Refused(appID, channel, userID string)
	// Observe is told of a transition in the cluster that this node has made happen.
	Observe(protocol.Transition)
	// Counted is told how many subscriptions a channel has on all nodes.
	Counted(appID, channel string, total int)
	// Terminate closes the connections of a user.
	Terminate(appID, userID string)
	// Held says that Redis believes this node to have something of a channel. If it has not, it calls Sync.
	Held(appID, channel string)
	// WaitForRoom blocks while the node has more to deliver than it should.
	WaitForRoom()
	// Connections returns how many there are of each app.
	Connections() map[string]int
}

// Options say how a node takes part in a cluster.
type Options struct {
	Prefix    string        // of all keys and channels; "reverb-go:"
	Lease     time.Duration // after which a silent node is taken for dead; 10 s
	MaxQueued int           // bytes of messages kept while Redis is away; 16 MiB
	MaxAge    time.Duration // for which they are kept; 30 s
	StreamLen int           // messages of a bucket that can be read again, for a minute; 10,000
	Sharded   bool          // SPUBLISH and SSUBSCRIBE, for a Redis Cluster
	Logger    *slog.Logger
	// Linger is how long Stop waits after Depart, so that the clients that were closed last can come back to another
	// node as well. Usually none.
	Linger   time.Duration
	About    func() About // what others are told of this node; nothing
	Counters Counters
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "reverb-go:"
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.MaxQueued <= 0 {
		o.MaxQueued = 16 << 20
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 30 * time.Second
	}
	if o.StreamLen <= 0 {
		o.StreamLen = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.About == nil {
		o.About = func() About { return About{} }
	}
	o.Counters = o.Counters.withDefaults()
	return o
}

// buckets is how many parts the channels of all apps fall into. Each part is in one slot of a Cluster, so
// they spread evenly over up to as many masters.
const buckets = 64

// Redis is the broker of a cluster of nodes.
type Redis struct {
	client  redis.UniversalClient
	options Options
	node    Node
	log     *slog.Logger

	identity  atomic.Pointer[string] // of this life of the node: a new one after it was taken for dead
	isUp      atomic.Bool
	nodes     atomic.Pointer[[]NodeInfo]
	instance  string                 // of this process, as the origin of its messages
	trouble   atomic.Pointer[string] // why Redis is away; nil while it is not known to be
	queue     queue
	own       own
	receiver  []*receiver // one, or on a Cluster one for each bucket
	controls  *receiver   // of messages to all nodes; on a Cluster it is not among them
	receivers []*receiver // all of them

	isDeparting atomic.Bool

	isMoved bool // another process has begun this life of the node

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewRedis returns a broker that needs Start. It does not wait for Redis. The client should be made with
// ContextTimeoutEnabled, or a Redis that is silent is noticed only by the client's own timeouts.
func NewRedis(client redis.UniversalClient, options Options) *Redis {
	r := &Redis{client: client, options: options.withDefaults()}
	r.log = r.options.Logger
	r.queue.init(r.options.MaxQueued, r.options.MaxAge)
	r.renew()
	r.instance = r.self()
	r.makeReceivers()
	return r
}

func (r *Redis) makeReceivers() {
	r.controls = newReceiver(r, false)
	r.receiver = []*receiver{r.controls}
	if r.options.Sharded {
		r.receiver = nil
		for range buckets {
			r.receiver = append(r.receiver, newReceiver(r, true))
		}
	}
	r.receivers = r.receiver
	if r.options.Sharded {
		r.receivers = append([]*receiver{r.controls}, r.receiver...)
	}
}

func (r *Redis) now() time.Time { return time.Now() }

// setTrouble keeps what is wrong with Redis, for Health.
func (r *Redis) setTrouble(err error) {
	if err == nil {
		r.trouble.Store(nil)
		return
	}
	text := err.Error()
	r.trouble.Store(&text)
}

// renew gives the node a new identity.
func (r *Redis) renew() {
	id := strings.ToLower(rand.Text()[:12])
	r.identity.Store(&id)
}

// Start connects to Redis and goes on trying. node is told of all that happens.
func (r *Redis) Start(node Node) {
	r.node = node
	r.work()
}

// work starts the goroutines.
func (r *Redis) work() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	for _, rc := range r.receivers {
		r.wg.Go(func() { rc.run(ctx) })
		r.wg.Go(func() { rc.subscribeLoop(ctx) })
	}
	r.wg.Go(func() { r.execute(ctx) })
	r.wg.Go(func() { r.beat(ctx) })
}

// Depart says that this node is about to end. From now on the cluster is not told who leaves here: Stop takes all
// away that have not come back elsewhere by then, and the others have never been gone.
func (r *Redis) Depart() { r.isDeparting.Store(true) }

// Stop leaves the cluster: what this node holds is taken away at once instead of after its lease. First all else has to
// end, or what Redis takes afterwards would stay for good.
func (r *Redis) Stop(ctx context.Context) error {
	if nodes := r.nodes.Load(); r.isDeparting.Load() && nodes != nil && len(*nodes) > 1 {
		pause(ctx, r.options.Linger)
	}
	flush, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	isFlushed := r.Health() == nil && r.Flush(flush) == nil
	r.rest()
	return r.leaveCluster(ctx, isFlushed)
}

// rest ends the goroutines.
func (r *Redis) rest() {
	r.cancel()
	for _, rc := range r.receivers {
		rc.interrupt()
	}
	r.wg.Wait()
}

// Health returns nil if Redis answers and messages arrive, or what is wrong.
func (r *Redis) Health() error {
	if !r.isUp.Load() {
		why := "not connected yet"
		if text := r.trouble.Load(); text != nil {
			why = *text
		}
		return fmt.Errorf("redis is away, and messages reach clients of this node only: %s", why)
	}
	for _, rc := range r.receivers {
		if !rc.isUp.Load() {
			return fmt.Errorf("redis does not deliver: messages of other nodes arrive when it does again")
		}
	}
	return nil
}

// Prefix is in front of all keys and channels of the cluster.
func (r *Redis) Prefix() string { return r.options.Prefix }

// IsFull reports whether Redis is slower than what is published. Those who can should wait.
func (r *Redis) IsFull() bool { return r.queue.isFull() && r.Health() == nil }

// WaitForRoom blocks until Redis has caught up, or is away.
func (r *Redis) WaitForRoom() {
	r.queue.waitForRoom(func() bool { return r.Health() == nil })
}

func (r *Redis) self() string { return *r.identity.Load() }

// A place is where a channel lives in Redis.
type place struct {
	bucket int
	name   string // app:channel
}

// placeOf puts the channels of an app into buckets. The length tells apart what a colon could not.
func placeOf(appID, channel string) place {
	name := fmt.Sprintf("%d:%s:%s", len(appID), appID, channel)
	return place{int(crc32.ChecksumIEEE([]byte(name)) % buckets), name}
}

// split is the reverse of placeOf.
func splitName(name string) (appID, channel string, ok bool) {
	n, rest, ok := strings.Cut(name, ":")
	var size int
	if _, err := fmt.Sscanf(n, "%d", &size); err != nil || !ok || size < 0 || len(rest) < size+1 || rest[size] != ':' {
		return "", "", false
	}
	return rest[:size], rest[size+1:], true
}

func (r *Redis) base(bucket int) string { return fmt.Sprintf("%s{b%d}:", r.options.Prefix, bucket) }

// topic is the pub/sub channel of a place.
func (r *Redis) topic(p place) string { return r.base(p.bucket) + "c:" + p.name }

// placeOfTopic is the reverse of topic.
func (r *Redis) placeOfTopic(topic string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(topic, r.options.Prefix+"{b")
	if !ok {
		return p, false
	}
	bucket, name, ok := strings.Cut(rest, "}:c:")
	if _, err := fmt.Sscanf(bucket, "%d", &p.bucket); err != nil || !ok || p.bucket < 0 || p.bucket >= buckets {
		return p, false
	}
	p.name = name
	return p, true
}

func (r *Redis) receiverOf(p place) *receiver { return r.receiver[p.bucket%len(r.receiver)] }

// Link asks for the messages of a channel. Node.Heard follows when they arrive.
func (r *Redis) Link(appID, channel string) {
	p := placeOf(appID, channel)
	r.receiverOf(p).subscribe(p)
}

// Unlink ends that after a while, lest a page that is loaded again cost two round trips.
func (r *Redis) Unlink(appID, channel string) {
	p := placeOf(appID, channel)
	r.receiverOf(p).unsubscribe(p)
}
