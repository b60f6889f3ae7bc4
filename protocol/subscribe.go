package protocol

import "strconv"

// Subscribe is the data of a pusher:subscribe message. Its slices borrow from the bytes given to
// [ParseSubscribe] and are valid as long as those.
type Subscribe struct {
	Channel     []byte // decoded, not blank
	Auth        []byte // decoded; nil when absent, null or not a string
	ChannelData []byte // decoded string exactly as signed; nil when absent, null or ""; always a valid JSON object or array
}

// ParseSubscribe reads the Data of a pusher:subscribe message, which it may rewrite: an object,
// or a JSON string that holds one. The only error is [ErrInvalidFormat]; Channel is set all the
// same if it could be read, so that it can be named in a pusher:subscription_error.
func ParseSubscribe(data []byte) (Subscribe, error) {
	var channel, auth, channelData []byte
	w := walkData(data)
	for w.next() {
		switch string(w.key) {
		case "channel":
			channel = w.value
		case "auth":
			auth = w.value
		case "channel_data":
			channelData = w.value
		}
	}
	if !w.complete() {
		return Subscribe{}, ErrInvalidFormat
	}
	s := Subscribe{Channel: decodeName(channel), Auth: decodeString(auth)}
	if s.Channel == nil {
		return s, ErrInvalidFormat
	}
	if !isPresent(channelData) {
		return s, nil
	}
	s.ChannelData = decodeString(channelData)
	if !validContainer(s.ChannelData) {
		s.ChannelData = nil
		return s, ErrInvalidFormat
	}
	return s, nil
}

// isPresent reports whether a raw value is something other than nothing, null and "".
func isPresent(raw []byte) bool {
	return raw != nil && raw[0] != 'n' && string(raw) != `""`
}

// ParseUnsubscribe reads the Data of a pusher:unsubscribe message, which it may rewrite, like
// [ParseSubscribe].
func ParseUnsubscribe(data []byte) (channel []byte, err error) {
	w := walkData(data)
	for w.next() {
		if string(w.key) == "channel" {
			channel = w.value
		}
	}
	channel = decodeName(channel)
	if channel == nil || !w.complete() {
		return nil, ErrInvalidFormat
	}
	return channel, nil
}

// walkData starts a walk through data or, if that is a string, through the JSON text it holds.
func walkData(data []byte) walk {
	if skipString(data, 0) == len(data) {
		data = decodeString(data)
	}
	return walkContainer(data)
}

// AppendSubscriptionSucceeded appends the answer to a subscribe on all but presence channels.
// Its data is exactly the string "{}": Java's encrypted channels try to decrypt anything else.
func AppendSubscriptionSucceeded(dst []byte, channel string) []byte {
	dst = append(dst, `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, '}')
}

// AppendSubscriptionError appends a pusher:subscription_error, the only refusal that names its
// channel. kind is a word such as AuthError, status what HTTP would have answered.
func AppendSubscriptionError(dst []byte, channel string, kind string, e *Error, status int) []byte {
	dst = append(dst, `{"event":"pusher:subscription_error","channel":`...)
	dst = AppendString(dst, channel)
	dst = append(dst, `,"data":{"type":`...)
	dst = AppendString(dst, kind)
	dst = append(dst, `,"error":`...)
	dst = AppendString(dst, e.Message)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	return append(dst, `}}`...)
}
