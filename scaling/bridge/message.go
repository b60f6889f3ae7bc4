package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// The types of messages on Reverb's channel. Any other is the key of a question, and the message an answer to it.
const (
	typeMessage   = "message"
	typeTerminate = "terminate"
	typeMetrics   = "metrics"
)

// errMalformed says that a message was not written by any node.
var errMalformed = errors.New("not a message of Laravel Reverb")

// errUnwritable says that something cannot be said in JSON.
var errUnwritable = errors.New("not UTF-8")

const clientPrefix = "client-"

// appendEnd ends a message with the field that says it is one of ours.
func appendEnd(dst []byte, from string) []byte {
	return append(appendText(append(dst, `,"from":`...), from), '}')
}

// appendHead begins a message of a type for an app.
func appendHead(dst []byte, kind string, a *auth.App) ([]byte, error) {
	serialized := appendApplication(nil, a)
	if !utf8.Valid(serialized) {
		return nil, errUnwritable
	}
	dst = appendText(append(dst, `{"type":`...), kind)
	return appendText(append(dst, `,"application":`...), string(serialized)), nil
}

// appendEvent appends the message for an event. Of an event from the HTTP API, Laravel Reverb names the channels in
// a list; that of a client is passed on as it was sent.
func appendEvent(dst []byte, a *auth.App, b protocol.Broadcast, from string) ([]byte, error) {
	var frame struct {
		Event, Data string
		UserID      *string `json:"user_id"`
	}
	if err := json.Unmarshal(b.Payload, &frame); err != nil {
		return nil, err
	}
	dst, err := appendHead(dst, typeMessage, a)
	if err != nil {
		return nil, err
	}
	dst = appendText(append(dst, `,"payload":{"event":`...), frame.Event)
	if strings.HasPrefix(frame.Event, clientPrefix) {
		dst = appendText(append(dst, `,"channel":`...), b.Channel)
	} else {
		dst = appendTexts(append(dst, `,"channels":`...), []string{b.Channel})
	}
	dst = appendText(append(dst, `,"data":`...), frame.Data)
	if frame.UserID != nil {
		dst = appendText(append(dst, `,"user_id":`...), *frame.UserID)
	}
	dst = append(dst, '}')
	if b.Except != 0 {
		dst = appendText(append(dst, `,"socket_id":`...), b.Except.String())
	}
	return appendEnd(dst, from), nil
}

// appendTerminate appends the message that ends a user's connections.
func appendTerminate(dst []byte, a *auth.App, userID, from string) ([]byte, error) {
	if !utf8.ValidString(userID) {
		return nil, errUnwritable
	}
	dst, err := appendHead(dst, typeTerminate, a)
	if err != nil {
		return nil, err
	}
	dst = appendText(append(dst, `,"payload":{"user_id":`...), userID)
	return appendEnd(append(dst, '}'), from), nil
}

// A message is one of Reverb's channel, decoded. Which fields are needed depends on its kind.
type message struct {
	kind        string
	from        string // of ours: the prefix of its node; else ""
	application json.RawMessage
	socketID    string
	payload     json.RawMessage
}

func parseMessage(text string) (message, error) {
	var fields map[string]json.RawMessage
	if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &fields) != nil {
		return message{}, errMalformed
	}
	m := message{
		kind: textOf(fields["type"]), from: textOf(fields["from"]), socketID: textOf(fields["socket_id"]),
		application: fields["application"], payload: fields["payload"],
	}
	if m.kind == "" || m.payload == nil {
		return message{}, errMalformed
	}
	return m, nil
}

// textOf returns a JSON string decoded, a number as it is written, and "" for anything else.
func textOf(raw json.RawMessage) (s string) {
	switch {
	case len(raw) == 0:
		return ""
	case raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9':
		return string(raw)
	}
	_ = json.Unmarshal(raw, &s)
	return s
}

// An event is the payload of a message, ready to be delivered.
type event struct {
	protocol.Message
	channels []string
	userID   string
}

// parseEvent reads the payload of an event. The slices of Message borrow from a copy.
func parseEvent(payload json.RawMessage) (e event, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil {
		return e, errMalformed
	}
	// It is checked like one of a client: what comes from here is sent to clients.
	if e.Message, err = protocol.Parse(bytes.Clone(payload)); err != nil {
		return e, errMalformed
	}
	if string(e.Data) == "null" {
		e.Data = nil
	}
	e.userID = textOf(fields["user_id"])
	e.channels = []string{textOf(fields["channel"])}
	if list := fields["channels"]; list != nil {
		if e.channels, err = textsOf(list); err != nil {
			return e, err
		}
	}
	return e, nil
}

// textsOf reads a list of strings, which PHP may write as an object.
func textsOf(list json.RawMessage) (texts []string, err error) {
	err = eachValue(list, func(_ string, raw json.RawMessage) { texts = append(texts, textOf(raw)) })
	return texts, err
}

// eachValue goes through an array, whose keys are numbers, or through an object.
func eachValue(container json.RawMessage, do func(key string, value json.RawMessage)) error {
	d := json.NewDecoder(bytes.NewReader(container))
	open, err := d.Token()
	if err != nil || open != json.Delim('[') && open != json.Delim('{') {
		return errMalformed
	}
	for i := 0; d.More(); i++ {
		key := any(strconv.Itoa(i))
		if open == json.Delim('{') {
			if key, err = d.Token(); err != nil {
				return errMalformed
			}
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return errMalformed
		}
		do(key.(string), value)
	}
	return nil
}

// appendFrame appends what the clients in a channel are sent, in the same form as events of this server.
func (e *event) appendFrame(dst []byte, channel string) []byte {
	isString := len(e.Data) > 0 && e.Data[0] == '"'
	if isString && e.userID == "" && !e.isOfClient() {
		return protocol.AppendEvent(dst, e.Event, e.Data, channel)
	}
	return protocol.AppendClientEvent(dst, e.Event, []byte(channel), e.Data, e.userID)
}

// mayBePublished reports whether the event could be published to the channel on this server. On a node of Laravel
// Reverb a client can be in a channel that is for another user, and send events to it.
func (e *event) mayBePublished(channel string) bool {
	kind := channels.KindOf(channel)
	isBlank := strings.Trim(channel, " \t\n\r\x00\v") == ""
	return !isBlank && !kind.Has(channels.Watch) && !(kind.IsInternal() && e.isOfClient())
}

func (e *event) isOfClient() bool { return bytes.HasPrefix(e.Event, []byte(clientPrefix)) }
