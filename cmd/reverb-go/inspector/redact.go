package inspector

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// A message is what is shown of what has passed: never a signature, and data only if it was asked for.
type message struct {
	At      time.Time `json:"at"`
	What    string    `json:"what"`
	Size    int       `json:"size"` // bytes of the whole message
	Event   string    `json:"event,omitempty"`
	Channel string    `json:"channel,omitempty"`
	User    string    `json:"user,omitempty"`  // the id of the user it is about
	Auth    string    `json:"auth,omitempty"`  // the key before the signature
	Data    string    `json:"data,omitempty"`  // as asked for
	IsCut   bool      `json:"cut,omitempty"`   // Data is not all
	Hidden  int       `json:"hidden"`          // bytes of data that are not shown
	Fault   string    `json:"fault,omitempty"` // what the client was told
}

// maxShown is how many bytes of an event's data are shown.
const maxShown = 1000

// harmless are events whose data the server itself has made, of nothing that anybody has said.
var harmless = map[string]bool{
	"pusher:error": true, "pusher:subscription_error": true, "pusher_internal:subscription_count": true,
}

// show returns what may be seen of a message.
func (p passed) show(withData bool) message {
	m := message{At: p.at, What: p.what, Size: p.size, Fault: p.fault}
	fields := fieldsOf(p.payload)
	m.Event, m.Channel, m.User = text(fields["event"]), text(fields["channel"]), text(fields["user_id"])
	data := fields["data"]
	inner := fieldsOf([]byte(unquote(data)))
	if m.Channel == "" {
		m.Channel = text(inner["channel"])
	}
	if m.User == "" {
		m.User = userOf(inner)
	}
	if isSigned(m.Event) {
		m.Auth = maskAuth(inner["auth"])
		data = without(inner) // also if it is malformed: somebody has tried to sign it
	}
	switch {
	case len(data) == 0 && len(p.payload) < p.size:
		// It is so long that its data was not copied whole.
		m.Hidden = p.size
		if withData && m.Event != "" && !isSigned(m.Event) {
			m.Hidden, m.Data, m.IsCut = 0, string(p.payload[:maxShown]), true
		}
	case len(data) == 0:
	case withData || harmless[m.Event]:
		m.Data, m.IsCut = shorten(unquote(data))
	default:
		m.Hidden = len(data)
	}
	return m
}

// fieldsOf returns the members of a JSON object, as far as it goes: a copy of a message may have been cut.
func fieldsOf(object []byte) map[string]json.RawMessage {
	fields := make(map[string]json.RawMessage)
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, _ := dec.Token(); t != json.Delim('{') {
		return fields
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			break
		}
		fields[name.(string)] = value
	}
	return fields
}

// text returns a string or a number as text, and "" for everything else.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(value, &n) == nil {
		return n.String()
	}
	return ""
}

// unquote returns what a JSON string holds, and other values as they are.
func unquote(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

// userOf finds the id in what is told of a member, in channel_data, or in user_data.
func userOf(data map[string]json.RawMessage) string {
	if id := text(data["user_id"]); id != "" {
		return id
	}
	for key, name := range map[string]string{"channel_data": "user_id", "user_data": "id"} {
		if inner := fieldsOf([]byte(unquote(data[key]))); len(inner) > 0 {
			return text(inner[name])
		}
	}
	return ""
}

// isSigned reports whether the data of an event has a signature in it.
func isSigned(event string) bool { return event == "pusher:subscribe" || event == "pusher:signin" }

// maskAuth leaves the app's key, which is no secret. Without a colon nobody knows what it is.
func maskAuth(auth json.RawMessage) string {
	if len(auth) == 0 {
		return ""
	}
	key, _, ok := strings.Cut(text(auth), ":")
	if !ok || strings.ContainsAny(key, "{\"") {
		return "••••"
	}
	return key + ":••••"
}

// without returns the data of a signed event without its signature, and nothing if it could not be read.
func without(data map[string]json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return nil
	}
	rest := make(map[string]json.RawMessage)
	for name, value := range data {
		if name != "auth" {
			rest[name] = value
		}
	}
	text, _ := json.Marshal(rest) // which are JSON
	return text
}

// shorten cuts between two characters.
func shorten(s string) (string, bool) {
	if len(s) <= maxShown {
		return s, false
	}
	n := maxShown
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}
