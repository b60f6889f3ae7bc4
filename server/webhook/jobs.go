package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/protocol/php"
)

// jobs is the destination of a Jobs.
type jobs struct {
	cfg   Jobs
	redis Redis
	key   string // of the list of jobs, without the prefix
	opts  *Options
}

func newJobs(cfg Jobs, r Redis, o *Options) *jobs {
	if cfg.Queue == "" {
		cfg.Queue = defaultQueue
	}
	return &jobs{cfg: cfg, redis: r, key: queueKey(cfg.Queue, r.Client), opts: o}
}

// queueKey returns Laravel's key of a queue. On a Cluster the queue and its notifications have to be in one
// slot: Laravel 13 adds the braces of a hash tag, and before that the queue has to be named with them.
func queueKey(queue string, client redis.UniversalClient) string {
	if _, isCluster := client.(*redis.ClusterClient); isCluster && !strings.Contains(queue, "{") {
		return "queues:{" + queue + "}"
	}
	return "queues:" + queue
}

func (j *jobs) id() string { return "jobs " + j.cfg.Connection + " " + j.key + " " + j.cfg.Class }

func (j *jobs) String() string { return j.cfg.Class + " on " + j.key }

func (j *jobs) interval() time.Duration { return 0 }

func (j *jobs) patience() time.Duration { return 0 }

func (j *jobs) pack(now time.Time, records []*record) parcel {
	p := parcel{created: now, events: len(records)}
	for _, r := range records {
		p.entries = append(p.entries, appendJob(nil, now, j.cfg.Class, r))
	}
	return p
}

// pushJobs does for each job what Laravel does: it appends it to the queue, and a 1 to the list on which workers
// with block_for wait.
const pushJobs = `
for _, job in ipairs(ARGV) do
	redis.call('RPUSH', KEYS[1], job)
	redis.call('RPUSH', KEYS[2], 1)
end`

func (j *jobs) send(ctx context.Context, p parcel) error {
	key := j.redis.Prefix + j.key
	err := j.redis.Client.Eval(ctx, pushJobs, []string{key, key + ":notify"}, p.entries...).Err()
	if errors.Is(err, redis.Nil) { // the script returns nothing
		return nil
	}
	return err
}

// appendJob appends the payload of a job, whose fields and their order are those of Laravel's RedisQueue (12;
// earlier versions have fewer). What depends on the job's class cannot be known here and is null, which leaves
// it to the options of the worker. As with Horizon, which also shows pushedAt, the id is the uuid.
func appendJob(dst []byte, now time.Time, class string, r *record) []byte {
	id := newUUID()
	dst = appendField(append(dst, '{'), "uuid", id)
	dst = appendField(append(dst, ','), "displayName", class)
	dst = append(dst, `,"job":"Illuminate\\Queue\\CallQueuedHandler@call"`...)
	dst = append(dst, `,"maxTries":null,"maxExceptions":null,"failOnTimeout":false,"backoff":null,"timeout":null,"retryUntil":null`...)
	dst = appendField(append(dst, `,"data":{`...), "commandName", class)
	dst = append(dst, `,"command":`...)
	dst = protocol.AppendString(dst, appendCommand(nil, class, r))
	dst = append(dst, `,"batchId":null},"createdAt":`...)
	dst = strconv.AppendInt(dst, now.Unix(), 10)
	dst = appendField(append(dst, ','), "id", id)
	dst = append(dst, `,"attempts":0,"delay":null`...)
	dst = appendField(append(dst, ','), "pushedAt", fmt.Sprintf("%.4f", float64(now.UnixMicro())/1e6))
	return append(dst, '}')
}

// newUUID returns a random one (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// appendCommand appends the job object, serialized by PHP's rules. All its properties are always there, null
// where the event has none such, so that none is left uninitialized; and they collide with none of those that
// Laravel's traits bring ($queue, $connection, $delay, $job…).
func appendCommand(dst []byte, class string, r *record) []byte {
	e := &r.event
	isClientEvent, isCount := e.Name == channels.ClientEvent, e.Name == channels.SubscriptionCount
	dst = php.AppendObject(dst, class, 9)
	dst = appendProperty(dst, "appId", r.app.ID, true)
	dst = appendProperty(dst, "name", string(e.Name), true)
	dst = appendProperty(dst, "channel", e.Channel, true)
	dst = appendProperty(dst, "userId", e.UserID, e.UserID != "")
	dst = appendProperty(dst, "event", e.Event, isClientEvent)
	dst = appendProperty(dst, "data", e.Data, isClientEvent)
	dst = appendProperty(dst, "socketId", e.SocketID.String(), isClientEvent)
	dst = php.AppendString(dst, "subscriptionCount")
	if isCount {
		dst = php.AppendInt(dst, int64(e.Count))
	} else {
		dst = php.AppendNull(dst)
	}
	dst = php.AppendString(dst, "timeMs")
	dst = php.AppendInt(dst, r.at.UnixMilli())
	return append(dst, '}')
}

// appendProperty appends a property that is a string, or null.
func appendProperty(dst []byte, name, value string, isSet bool) []byte {
	dst = php.AppendString(dst, name)
	if !isSet {
		return php.AppendNull(dst)
	}
	return php.AppendString(dst, value)
}
