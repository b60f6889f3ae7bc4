package protocol

import (
	"strconv"
	"time"
)

// Broadcast is a message on its way to the subscribers of one channel, on this node and on
// others.
type Broadcast struct {
	AppID    string
	Channel  string
	Payload  []byte        // the JSON text of the frame's message, ready to send; not to be changed, valid until the receiver returns
	Except   SocketID      // not sent to this connection; 0 = to all
	Cache    bool          // on a cache channel: keep it for later subscribers
	CacheTTL time.Duration // for how long
	ID       uint64        // grows with each message between nodes, see IsLater; 0 on a node that is alone

	// Published is when, of a message that comes late: who subscribed since is not to hear it. Usually it is zero.
	Published time.Time
}

// AppendEvent appends an event published through the HTTP API. dataJSON is a JSON string token
// and passes unchanged.
func AppendEvent[T ~string | ~[]byte](dst []byte, event T, dataJSON T, channel string) []byte {
	dst = append(dst, `{"event":`...)
	dst = AppendString(dst, event)
	dst = append(dst, `,"data":`...)
	dst = append(dst, dataJSON...)
	dst = append(dst, `,"channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, '}')
}

// AppendClientEvent appends an event that came from a client. data is the [Message].Data it came
// with, userID the sender's on a presence channel, else "".
//
// Data always leaves as a string, as from Pusher; Reverb forwards the bare value, which the
// Swift, .NET and Python clients cannot read. A string passes byte for byte.
func AppendClientEvent(dst []byte, event, channel, data []byte, userID string) []byte {
	dst = append(dst, `{"event":`...)
	dst = AppendString(dst, event)
	dst = append(dst, `,"channel":`...)
	dst = AppendString(dst, channel)
	dst = append(dst, `,"data":`...)
	dst = appendClientData(dst, data)
	if userID != "" {
		dst = append(dst, `,"user_id":`...)
		dst = AppendString(dst, userID)
	}
	return append(dst, '}')
}

func appendClientData(dst, data []byte) []byte {
	switch {
	case len(data) == 0: // Echo's whisper without an argument
		return append(dst, `"{}"`...)
	case data[0] == '"':
		return append(dst, data...)
	}
	return appendCompactString(dst, data)
}

// ClientEventData returns the string that subscribers get as the data of a client event.
func ClientEventData(data []byte) string {
	return string(decodeString(appendClientData(nil, data)))
}

// AppendCacheMiss appends what a subscriber of a cache channel hears when nothing is cached. Its
// data, which Reverb leaves out, keeps Java's encrypted channels from decrypting nothing.
func AppendCacheMiss(dst []byte, channel string) []byte {
	dst = append(dst, `{"event":"pusher:cache_miss","channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, `,"data":"{}"}`...)
}

// AppendSubscriptionCount appends how many connections are subscribed to a channel.
func AppendSubscriptionCount(dst []byte, channel string, n int) []byte {
	dst = append(dst, `{"event":"pusher_internal:subscription_count","channel":`...)
	dst = AppendString(dst, channel)
	dst = append(dst, `,"data":"{\"subscription_count\":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, `}"}`...)
}
