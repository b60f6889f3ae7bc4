package webhook

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/channels"
)

// stream is the destination of a Stream.
type stream struct {
	cfg   Stream
	redis Redis
}

func newStream(cfg Stream, r Redis, _ *Options) *stream {
	if cfg.MaxLen == 0 {
		cfg.MaxLen = defaultMaxLen
	}
	return &stream{cfg, r}
}

func (s *stream) id() string { return "stream " + s.cfg.Connection + " " + s.cfg.Key }

func (s *stream) String() string { return "stream " + s.cfg.Key }

func (s *stream) interval() time.Duration { return 0 }

func (s *stream) patience() time.Duration { return 0 }

func (s *stream) pack(now time.Time, records []*record) parcel {
	p := parcel{created: now, events: len(records)}
	for _, r := range records {
		p.entries = append(p.entries, streamFields(r))
	}
	return p
}

// streamFields returns names and values of an entry: those of a webhook, the app, and when it happened.
func streamFields(r *record) []string {
	e := &r.event
	fields := []string{
		"app_id", r.app.ID,
		"time_ms", strconv.FormatInt(r.at.UnixMilli(), 10),
		"name", string(e.Name),
		"channel", e.Channel,
	}
	if e.Name == channels.ClientEvent {
		fields = append(fields, "event", e.Event, "data", e.Data, "socket_id", e.SocketID.String())
	}
	if e.UserID != "" {
		fields = append(fields, "user_id", e.UserID)
	}
	if e.Name == channels.SubscriptionCount {
		fields = append(fields, "subscription_count", strconv.Itoa(e.Count))
	}
	return fields
}

// send adds all entries or none.
func (s *stream) send(ctx context.Context, p parcel) error {
	_, err := s.redis.Client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		for _, fields := range p.entries {
			tx.XAdd(ctx, &redis.XAddArgs{
				Stream: s.redis.Prefix + s.cfg.Key, MaxLen: s.cfg.MaxLen, Approx: true, Values: fields,
			})
		}
		return nil
	})
	return err
}
