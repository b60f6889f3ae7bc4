package crew

import (
	"fmt"
	"math/rand/v2"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/stamp"
	"github.com/reverb-go/reverb-go/protocol"
)

// group is a plan's group as one crew plays it.
type group struct {
	plan.Group
	crew  *Crew
	index int
	actor actor
	pad   []byte // what follows the stamp in each payload
	gate  gate
	names []string
}

// actor plays the role of a group. Its methods are called on the loop of the member they are about.
type actor interface {
	// cast returns who is connected before the start.
	cast() []*member
	// start is called on each loop.
	start(l *loop)
	// ready and closed are told of members; closed reports whether that was to be expected.
	ready(m *member, now int64)
	closed(m *member, err error) bool
}

func (c *Crew) newGroup(i int, g plan.Group) *group {
	r := &group{Group: g, crew: c, index: i, pad: padding(g.Payload)}
	for n := range g.Channels {
		r.names = append(r.names, c.plan.ChannelName(&g, n))
	}
	switch g.Role {
	case plan.Listen:
		r.actor = newListening(r)
	case plan.Whisper:
		r.actor = newWhispering(r)
	case plan.Presence:
		r.actor = newMeeting(r)
	case plan.Arrive:
		r.actor = newArriving(r)
	case plan.Storm:
		r.actor = newStorming(r)
	}
	return r
}

// name returns the name of a channel.
func (g *group) name(channel int) string { return g.names[channel] }

// measuresArrival reports whether connecting is what is measured.
func (g *group) measuresArrival() bool { return g.Role == plan.Arrive || g.Role == plan.Storm }

// identity returns who a subscriber of a presence channel is, and "" in other channels.
func (g *group) identity(number int) string {
	if g.Kind != "presence" {
		return ""
	}
	return fmt.Sprintf(`{"user_id":"watcher-%d-%d","user_info":{"name":"Watcher %d"}}`, g.index, number, number)
}

// mine reports whether the n-th of something belongs to this crew.
func (g *group) mine(n int) bool { return n%g.crew.job.Of == g.crew.job.Index }

const (
	payloadHead = `{"type":"bench","m":"`
	payloadTail = `"}`
)

// appendPayload appends the data of an event: a JSON object of the wanted size.
func (g *group) appendPayload(dst []byte, s stamp.Stamp) []byte {
	dst = append(dst, payloadHead...)
	dst = append(stamp.Append(dst, s), g.pad...)
	return append(dst, payloadTail...)
}

// padding returns words that make a payload have the given size. They are random, as text is, so that
// compression finds no more in them than in text, and the same in each process.
func padding(payload int) []byte {
	words := []string{"order", "shipped", "to", "the", "customer", "with", "number", "and", "paid", "by", "invoice", "from", "warehouse", "north"}
	r := rand.New(rand.NewPCG(7, 11))
	size := max(payload-len(payloadHead)-len(payloadTail)-stamp.Size, 0)
	var b []byte
	for len(b) < size {
		b = append(b, words[r.IntN(len(words))]...)
		b = append(b, ' ')
		b = fmt.Append(b, r.IntN(10_000))
		b = append(b, ' ')
	}
	return b[:size]
}

// appendEvent appends the body of a request that publishes one event.
func (g *group) appendEvent(dst []byte, channel int, s stamp.Stamp) []byte {
	dst = append(dst, `{"name":"bench","channels":[`...)
	dst = protocol.AppendString(dst, g.name(channel))
	dst = append(dst, `],"data":`...)
	dst = g.appendData(dst, s)
	return append(dst, '}')
}

// appendItem appends one event of a batch.
func (g *group) appendItem(dst []byte, channel int, s stamp.Stamp) []byte {
	dst = append(dst, `{"name":"bench","channel":`...)
	dst = protocol.AppendString(dst, g.name(channel))
	dst = append(dst, `,"data":`...)
	dst = g.appendData(dst, s)
	return append(dst, '}')
}

func (g *group) appendData(dst []byte, s stamp.Stamp) []byte {
	var room [512]byte
	return protocol.AppendString(dst, g.appendPayload(room[:0], s))
}
