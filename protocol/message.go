package protocol

// Message is one message from a client. Its slices borrow from the bytes given to [Parse] and
// are valid as long as those.
type Message struct {
	Event   []byte // decoded, never blank
	Channel []byte // decoded; nil when absent, not a string, or blank
	Data    []byte // the raw JSON value, white space around it trimmed; nil when absent
}

// Parse reads one message. It may rewrite b, since strings are unescaped in place, but not the
// bytes of Data. It allocates nothing. Any fault is [ErrInvalidFormat]: not an object, trailing
// bytes, bad UTF-8, lone surrogate escapes, more than 511 nested containers, a number that
// overflows a float64, event missing, not a string or blank. Of duplicate keys the last wins.
func Parse(b []byte) (Message, error) {
	var event, channel, data []byte
	w := walkContainer(b)
	for w.next() {
		switch string(w.key) {
		case "event":
			event = w.value
		case "channel":
			channel = w.value
		case "data":
			data = w.value
		}
	}
	if !w.complete() {
		return Message{}, ErrInvalidFormat
	}
	m := Message{Event: decodeName(event), Channel: decodeName(channel), Data: data}
	if m.Event == nil {
		return Message{}, ErrInvalidFormat
	}
	return m, nil
}

// decodeName is decodeString for strings that mean nothing when blank: it returns nil then.
func decodeName(raw []byte) []byte {
	s := decodeString(raw)
	if isBlank(s) {
		return nil
	}
	return s
}
