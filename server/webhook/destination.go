package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A destination is one place that events are sent to. It never changes: a reload makes another one, with the
// same id, to go on where it was.
type destination interface {
	// id tells the destinations of an app apart. It begins with a word for their kind, and may contain secrets.
	id() string
	// String names the destination to people, without its secrets.
	fmt.Stringer
	// pack makes a parcel of the first of the records, or of more of them.
	pack(now time.Time, records []*record) parcel
	// send delivers the parcel, which may have been packed before a reload. It keeps to ctx.
	send(ctx context.Context, p parcel) error
	// interval is how long a record may wait for others to be packed with.
	interval() time.Duration
	// patience is how long the sending of one parcel is tried; 0 is for ever.
	patience() time.Duration
}

// A parcel is one batch of events, ready to be sent any number of times.
type parcel struct {
	events  int
	created time.Time

	// To an endpoint.
	body           []byte
	key, signature string

	// To Redis: a job, or the fields of an entry, for each event.
	entries []any
}

// A leg is the last part of an event's way: to a destination, if the filter lets it pass.
type leg struct {
	filter filter
	to     destination
	key    string // stands for id: the same for each reload, different within an app, and no secret
}

// legs returns those to all destinations of one app.
func (d Destinations) legs(o *Options) ([]leg, error) {
	var all []leg
	for _, e := range d.Endpoints {
		all = append(all, leg{filter: newFilter(e.Events, e.Channels), to: newEndpoint(e, o)})
	}
	for _, j := range d.Jobs {
		r, err := o.Redis(j.Connection)
		if err != nil {
			return nil, fmt.Errorf("jobs %s: %w", j.Class, err)
		}
		all = append(all, leg{filter: newFilter(j.Events, j.Channels), to: newJobs(j, r, o)})
	}
	for _, s := range d.Streams {
		r, err := o.Redis(s.Connection)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", s.Key, err)
		}
		all = append(all, leg{filter: newFilter(s.Events, s.Channels), to: newStream(s, r, o)})
	}
	setKeys(all)
	return all, nil
}

// setKeys makes keys of the ids, and of the position among destinations that have the same id, such as an endpoint
// that is configured twice with different filters.
func setKeys(legs []leg) {
	same := make(map[string]int)
	for i := range legs {
		id := legs[i].to.id()
		sum := sha256.Sum256(fmt.Append(nil, id, "\x00", same[id]))
		kind, _, _ := strings.Cut(id, " ")
		legs[i].key = kind + "-" + hex.EncodeToString(sum[:8])
		same[id]++
	}
}
