package bridge

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// maxQuestions is how many questions may wait. The node that asks waits no longer than ten seconds for each.
const maxQuestions = 1024

// publishTimeout is how long Redis may take for one message.
const publishTimeout = 2 * time.Second

// answerAll answers the questions of other nodes. Each must have an answer, if only an empty one: the node that
// asks counts who hears it, and waits for as many.
func (b *Broker) answerAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-b.questions:
			if err := b.publish(ctx, appendAnswer(nil, q, b.node, b.Prefix())); err == nil {
				b.counters.Answered.Inc()
			}
		}
	}
}

func (b *Broker) publish(ctx context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	err := b.client.Publish(ctx, b.options.Channel, message).Err()
	if err != nil {
		b.log.Warn("redis does not take a message for nodes of Laravel Reverb", "err", err)
	}
	return err
}

// appendAnswer appends the message with what this node's own connections are in.
func appendAnswer(dst []byte, q question, node Node, from string) []byte {
	dst = appendText(append(dst, `{"type":`...), q.key)
	dst = append(dst, `,"payload":`...)
	switch q.kind {
	case askConnections:
		dst = appendSockets(dst, node.OwnSockets(q.appID))
	case askChannels:
		dst = appendChannels(dst, q, node)
	case askChannel:
		info, _ := node.Own(q.appID, q.channel)
		dst = appendInfo(dst, info, q.info)
	case askUsers:
		_, members := node.Own(q.appID, q.channel)
		dst = appendUsers(dst, members)
	default:
		dst = append(dst, "[]"...)
	}
	return appendEnd(dst, from)
}

func appendSockets(dst []byte, ids []protocol.SocketID) []byte {
	start := len(dst)
	for _, id := range ids {
		dst = append(appendText(appendComma(dst, start), id.String()), ":{}"...)
	}
	return wrap(dst, start)
}

func appendChannels(dst []byte, q question, node Node) []byte {
	names := q.channels
	if names == nil {
		names = node.OwnChannels(q.appID, q.filter)
	}
	slices.Sort(names)
	start := len(dst)
	for _, name := range slices.Compact(names) {
		info, _ := node.Own(q.appID, name)
		dst = append(appendText(appendComma(dst, start), name), ':')
		dst = appendInfo(dst, info, q.info)
	}
	return wrap(dst, start)
}

func appendComma(dst []byte, start int) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	return dst
}

// wrap makes what was appended since start an object. PHP knows no empty one.
func wrap(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "[]"...)
	}
	return append(slices.Insert(dst, start, '{'), '}')
}

// appendInfo appends what is wanted of a channel and applies to it, in Laravel Reverb's order.
func appendInfo(dst []byte, info channels.Info, words string) []byte {
	wanted := strings.Split(words, ",")
	isPresence, isOccupied := info.Kind.Has(channels.Presence), info.Subscriptions > 0
	start := len(dst)
	if slices.Contains(wanted, "occupied") {
		dst = strconv.AppendBool(append(dst, `"occupied":`...), isOccupied)
	}
	if slices.Contains(wanted, "user_count") && isPresence && isOccupied {
		dst = strconv.AppendInt(append(appendComma(dst, start), `"user_count":`...), int64(info.Users), 10)
	}
	if slices.Contains(wanted, "subscription_count") && !isPresence && isOccupied {
		dst = strconv.AppendInt(append(appendComma(dst, start), `"subscription_count":`...), int64(info.Subscriptions), 10)
	}
	if slices.Contains(wanted, "cache") && info.Kind.Has(channels.Cache) && isOccupied && info.Cached != nil {
		dst = append(append(appendComma(dst, start), `"cache":`...), info.Cached...)
	}
	return wrap(dst, start)
}

func appendUsers(dst []byte, members []protocol.Member) []byte {
	dst = append(dst, '[')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"id":`...), m.IDJSON...), '}')
	}
	return append(dst, ']')
}
