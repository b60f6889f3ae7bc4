package scaling

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol"
)

// repairPage is how many messages of a stream are read at once.
const repairPage = 1000

// A redisClock compares the clock of Redis with the one here: they differ, and either may be set.
type redisClock struct{ here, there time.Time }

func (c *redisClock) compare(ctx context.Context, client redis.UniversalClient) error {
	asked := time.Now()
	there, err := client.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask redis for its time: %w", err)
	}
	c.here, c.there = asked.Add(time.Since(asked)/2), there
	return nil
}

// dated returns when a message was published by the clock here. It was not before earliest.
func (c *redisClock) dated(id uint64, earliest time.Time) time.Time {
	at := c.here.Add(time.UnixMilli(int64(id >> 21)).Sub(c.there))
	if at.Before(earliest) {
		return earliest
	}
	return at
}

// repair reads the messages that were missed while the connection was lost, for the channels this
// receiver has. The first connection has missed nothing. In a part of the channels that nobody here was in, what is read may
// be long over, so messages are handed on with their time.
func (rc *receiver) repair(ctx context.Context, places []place) error {
	if err := rc.clock.compare(ctx, rc.broker.client); err != nil {
		return err
	}
	names := make(map[string]place, len(places))
	var affected [buckets]bool
	for _, p := range places {
		names[p.name] = p
		affected[p.bucket] = true
	}
	for bucket := range buckets {
		stream := rc.broker.base(bucket) + "x"
		var err error
		switch {
		case !rc.begun && rc.broker.receiver[bucket%len(rc.broker.receiver)] == rc:
			err = rc.begin(ctx, bucket, stream)
		case affected[bucket]:
			err = rc.repairBucket(ctx, bucket, stream, names)
		}
		if err != nil {
			return err
		}
	}
	rc.begun = true
	return nil
}

// begin notes where the stream of a bucket is now.
func (rc *receiver) begin(ctx context.Context, bucket int, stream string) error {
	last, err := rc.broker.client.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("read the end of %s: %w", stream, err)
	}
	rc.lastSeen[bucket] = idOf(last)
	return nil
}

func (rc *receiver) repairBucket(ctx context.Context, bucket int, stream string, names map[string]place) error {
	if err := rc.checkStream(ctx, bucket, stream); err != nil {
		return err
	}
	for {
		from := "(" + streamID(rc.lastSeen[bucket])
		page, err := rc.broker.client.XRangeN(ctx, stream, from, "+", repairPage).Result()
		if err != nil {
			return fmt.Errorf("read %s again: %w", stream, err)
		}
		for _, m := range page {
			rc.repairOne(bucket, m, names)
		}
		if len(page) < repairPage {
			return nil
		}
	}
}

func (rc *receiver) repairOne(bucket int, m redis.XMessage, names map[string]place) {
	name, _ := m.Values["c"].(string)
	text, _ := m.Values["e"].(string)
	e, err := parseEnvelope(m.ID + " " + text)
	if err != nil {
		rc.broker.malformed("stream", err)
		return
	}
	if p, ok := names[name]; ok {
		rc.broker.options.Counters.Repaired.Inc()
		rc.broker.node.WaitForRoom()
		rc.handOn(p, e, rc.clock.dated(e.id, time.Time{}))
	} else if e.id > rc.lastSeen[bucket] {
		rc.lastSeen[bucket] = e.id
	}
}

// streamAge is how long the scripts keep messages.
const streamAge = protocol.StreamAge

// checkStream counts when messages may be missing from the stream that were published while there was no
// connection. A stream that ends before what was seen last is another one, of a Redis that has lost its data: it is
// read from the start.
func (rc *receiver) checkStream(ctx context.Context, bucket int, stream string) error {
	client := rc.broker.client
	last, err := client.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("read the end of %s: %w", stream, err)
	}
	first, err := client.XRangeN(ctx, stream, "-", "+", 1).Result()
	if err != nil {
		return fmt.Errorf("read the start of %s: %w", stream, err)
	}
	length, err := client.XLen(ctx, stream).Result()
	if err != nil {
		return fmt.Errorf("measure %s: %w", stream, err)
	}
	seen := rc.lastSeen[bucket]
	if idOf(last) < seen {
		rc.lastSeen[bucket] = 0
	}
	if rc.missing.IsZero() {
		return nil
	}
	wasRecent := seen != 0 && rc.missing.Sub(rc.clock.dated(seen, time.Time{})) < streamAge
	switch {
	case time.Since(rc.missing) > streamAge, // what was published then is gone in any case
		wasRecent && idOf(last) < seen,
		length >= int64(rc.broker.options.StreamLen) && seen != 0 && idOf(first) > seen:
		rc.broker.options.Counters.Unrepaired.Inc()
		rc.broker.log.Warn("messages of other nodes may have been missed", "bucket", bucket)
	}
	return nil
}

// idOf returns the ID of a message read alone, or 0.
func idOf(messages []redis.XMessage) uint64 {
	if len(messages) == 0 {
		return 0
	}
	id, _ := parseStreamID(messages[0].ID, true)
	return id
}

var errReply = errors.New("a script has answered with something else")

// parseSync reads the answer of scriptSync.
func (r *Redis) parseSync(result any) (s protocol.Snapshot, transition any, joined, refused []string, err error) {
	values, ok := result.([]any)
	if !ok || len(values) != 7 {
		return s, nil, nil, nil, errReply
	}
	seq, _ := values[0].(string)
	if s.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return s, nil, nil, nil, errReply
	}
	if s.Members, err = r.parseMembers(values[1]); err != nil {
		return s, nil, nil, nil, err
	}
	parseCached(&s, values[2], values[3])
	return s, values[4], parseStrings(values[5]), parseStrings(values[6]), nil
}

func parseStrings(v any) (all []string) {
	list, _ := v.([]any)
	for _, item := range list {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// parseMembers reads the values of a members hash and puts them in the order of joining.
func (r *Redis) parseMembers(values any) ([]protocol.Member, error) {
	list, ok := values.([]any)
	if !ok {
		return nil, errReply
	}
	joined := make([]joinedMember, 0, len(list))
	for _, v := range list {
		text, _ := v.(string)
		if m, ok := parseJoined(text); ok {
			joined = append(joined, m)
		} else {
			r.malformed("members", errMalformed)
		}
	}
	return inOrder(joined), nil
}

// parseCached reads the event a cache channel keeps, and the milliseconds it has left.
func parseCached(s *protocol.Snapshot, value, ttl any) {
	text, _ := value.(string)
	ms, _ := ttl.(int64)
	if text == "" || ms <= 0 {
		return
	}
	if e, err := parseEnvelope(text); err == nil && e.kind == kindEvent {
		s.Cached, s.CachedID, s.CachedFor = []byte(e.payload), e.id, time.Duration(ms)*time.Millisecond
	}
}

type joinedMember struct {
	seq string
	protocol.Member
}

func parseJoined(text string) (m joinedMember, ok bool) {
	seq, rest, ok := strings.Cut(text, ":")
	if !ok || len(seq) != seqDigits {
		return m, false
	}
	m.seq = seq
	m.Member, ok = parseMember(rest)
	return m, ok
}
