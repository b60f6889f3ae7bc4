package protocol

import "errors"

// ErrBadJSON says that a request body is not JSON, or is a JSON scalar.
var ErrBadJSON = errors.New("the body is not a JSON object")

// Publish is one event of POST /events or one item of POST /batch_events. Its slices borrow from
// the body and are valid as long as that.
type Publish struct {
	Name     []byte   // decoded
	Data     []byte   // raw JSON string token, to be passed on unchanged
	Channels [][]byte // decoded, in order, duplicates kept
	SocketID []byte   // decoded; nil when not given or blank
	Info     []byte   // decoded; nil when not given
	HasInfo  bool     // info was given, even blank

	IdempotencyKey []byte // decoded; nil when not given. In a batch it is the batch's.
}

// ParsePublish reads the body of POST /events, which it may rewrite. The error is [ErrBadJSON]
// or a [*ValidationError].
func ParsePublish(body []byte) (Publish, error) {
	f, ok := readFields(body)
	if !ok {
		return Publish{}, ErrBadJSON
	}
	var e ValidationError
	e.check("name", requiredString(f.name))
	e.check("data", requiredString(f.data))
	e.check("channels", f.checkChannels())
	channels := e.readChannels(f.channels)
	e.check("channel", f.checkChannel())
	e.check("socket_id", optionalString(f.socketID))
	e.check("info", optionalString(f.info))
	if len(e.problems) > 0 {
		return Publish{}, &e
	}
	if len(channels) == 0 {
		channels = [][]byte{decodeString(f.channel)}
	}
	return f.publish(channels), nil
}

// ParseBatch reads the body of POST /batch_events, which it may rewrite. The error is
// [ErrBadJSON] or a [*ValidationError].
func ParseBatch(body []byte) ([]Publish, error) {
	batch, key, ok := readBatch(body)
	if !ok {
		return nil, ErrBadJSON
	}
	var e ValidationError
	e.check("batch", requiredArray(batch))
	items := readItems(batch)
	for _, rule := range batchRules {
		for i := range items {
			e.checkItem(i, rule.field, rule.check(&items[i]))
		}
	}
	if len(e.problems) > 0 {
		return nil, &e
	}
	events := make([]Publish, len(items))
	for i := range items {
		events[i] = items[i].publish([][]byte{decodeString(items[i].channel)})
		events[i].IdempotencyKey = key
	}
	return events, nil
}

// batchRules are applied one after the other, each to all items, as Laravel does.
var batchRules = []struct {
	field string
	check func(*fields) (problem string)
}{
	{"name", func(f *fields) string { return requiredString(f.name) }},
	{"data", func(f *fields) string { return requiredString(f.data) }},
	{"channel", (*fields).checkItemChannel},
	{"socket_id", func(f *fields) string { return optionalString(f.socketID) }},
	{"info", func(f *fields) string { return optionalString(f.info) }},
}

func readBatch(body []byte) (batch, idempotencyKey []byte, ok bool) {
	w := walkContainer(body)
	for w.next() {
		switch string(w.key) {
		case "batch":
			batch = w.value
		case "idempotency_key":
			idempotencyKey = w.value
		}
	}
	return batch, decodeName(idempotencyKey), w.complete()
}

// readItems reads the items of a batch. One that is no object has no fields.
func readItems(batch []byte) (items []fields) {
	for w := walkContainer(batch); w.next(); {
		f, _ := readFields(w.value)
		items = append(items, f)
	}
	return items
}

// fields are the raw values of one event, nil when absent.
type fields struct {
	name, data, channels, channel, socketID, info, idempotencyKey []byte
}

// readFields reads an object; a list is one without fields, as in PHP. ok is false for anything
// else.
func readFields(b []byte) (f fields, ok bool) {
	w := walkContainer(b)
	for w.next() {
		switch string(w.key) {
		case "name":
			f.name = w.value
		case "data":
			f.data = w.value
		case "channels":
			f.channels = w.value
		case "channel":
			f.channel = w.value
		case "socket_id":
			f.socketID = w.value
		case "info":
			f.info = w.value
		case "idempotency_key":
			f.idempotencyKey = w.value
		}
	}
	return f, w.complete()
}

// publish makes the event of fields that were found to be good.
func (f *fields) publish(channels [][]byte) Publish {
	return Publish{
		Name:     decodeString(f.name),
		Data:     f.data,
		Channels: channels,
		SocketID: decodeName(f.socketID),
		Info:     decodeString(f.info),
		HasInfo:  f.info != nil,

		IdempotencyKey: decodeName(f.idempotencyKey),
	}
}
