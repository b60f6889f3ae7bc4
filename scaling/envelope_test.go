package scaling

import (
	"errors"
	"fmt"
	"testing"

	"github.com/reverb-go/reverb-go/protocol"
)

// appendChange is what the scripts publish of a member.
func appendChange(k kind, seq uint64, m protocol.Member) []byte {
	return append(fmt.Appendf(nil, "%c%c%020d", version, k, seq), appendMember(nil, m)...)
}

func TestEnvelope(t *testing.T) {
	ann := protocol.Member{ID: "7", IDJSON: "7", Info: `{"name":"Ann"}`, Data: `{"user_id":7,"user_info":{"name":"Ann"}}`}
	tests := []struct {
		name    string
		message string
		want    envelope
	}{
		{"an event", "5-3 " + string(appendEvent(nil, "node", 9, flagCache, protocol.Broadcast{Payload: []byte("{}"), Except: 1 << 40})),
			envelope{id: 5<<21 | 3, kind: kindEvent, origin: "node", number: 9, flags: flagCache, except: 1 << 40, payload: "{}"}},
		{"an event of nothing", "0-0 " + string(appendEvent(nil, "", 0, 0, protocol.Broadcast{})), envelope{kind: kindEvent}},
		{"joined", "1-0 " + string(appendChange(kindJoined, 4, ann)), envelope{id: 1 << 21, kind: kindJoined, seq: 4, member: ann}},
		{"updated", "1-1 " + string(appendChange(kindUpdated, 1<<63, ann)), envelope{id: 1<<21 | 1, kind: kindUpdated, seq: 1 << 63, member: ann}},
		{"left", "1-1 " + string(appendChange(kindLeft, 0, ann)), envelope{id: 1<<21 | 1, kind: kindLeft, member: ann}},
	}
	for _, tt := range tests {
		if got, err := parseEnvelope(tt.message); err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestEnvelopeGarbage(t *testing.T) {
	ann := appendMember(nil, protocol.Member{ID: "7"})
	event := string(appendEvent(nil, "node", 9, 0, protocol.Broadcast{}))
	for _, message := range []string{
		"", " ", "x", "1-1", "1-1 ", "1-1 R", "1-1 RZ", "1-1 SE", "1 " + event, "-1-1 " + event, "1-1-1 " + event, "1--1 " + event,
		"99999999999999-0 " + event, "1-9999999 " + event, "1-1 RE", "1-1 RE\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x",
		"1-1 RE\x05node", "1-1 " + event[:len(event)-1],
		"1-1 RA", "1-1 RA0000000000000000000", "1-1 RA-0000000000000000001" + string(ann), "1-1 RA99999999999999999999" + string(ann),
		"1-1 RA00000000000000000001", "1-1 RA00000000000000000001" + string(ann) + "x", "1-1 RA00000000000000000001" + string(appendMember(nil, protocol.Member{})),
	} {
		if e, err := parseEnvelope(message); !errors.Is(err, errMalformed) {
			t.Errorf("%q was taken for %+v, %v", message, e, err)
		}
	}
}

// FuzzParseEnvelope has nodes hear what nobody of ours has written: it is refused, or it is an envelope that is
// the same when it is written and read again.
func FuzzParseEnvelope(f *testing.F) {
	f.Add("5-3 " + string(appendEvent(nil, "node", 9, flagCache, protocol.Broadcast{Payload: []byte("{}"), Except: 7})))
	f.Add("5-3 " + string(appendChange(kindJoined, 4, protocol.Member{ID: "7", IDJSON: "7", Info: "null", Data: "{}"})))
	f.Fuzz(func(t *testing.T, message string) {
		e, err := parseEnvelope(message)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		text := streamID(e.id) + " "
		if e.kind == kindEvent {
			text += string(appendEvent(nil, e.origin, e.number, e.flags, protocol.Broadcast{Payload: []byte(e.payload), Except: e.except}))
		} else {
			text += string(appendChange(e.kind, e.seq, e.member))
		}
		if again, err := parseEnvelope(text); err != nil || again != e {
			t.Errorf("%+v became %+v, %v", e, again, err)
		}
	})
}

// FuzzSplitName has a name that is a place's come back as app and channel, and any other be refused.
func FuzzSplitName(f *testing.F) {
	f.Add("app", "presence-room", "3:app:presence-room")
	f.Add("a:b", ":", "0::")
	f.Fuzz(func(t *testing.T, app, channel, garbage string) {
		if a, c, ok := splitName(placeOf(app, channel).name); !ok || a != app || c != channel {
			t.Errorf("%q and %q became %q and %q, %t", app, channel, a, c, ok)
		}
		if a, c, ok := splitName(garbage); ok && placeOf(a, c).bucket >= buckets {
			t.Errorf("%q is in a bucket that there is not", garbage)
		}
	})
}

func TestPlaceOfTopic(t *testing.T) {
	r := NewRedis(nil, Options{Prefix: "p:"})
	p := placeOf("1", "presence-room")
	if got, ok := r.placeOfTopic(r.topic(p)); !ok || got != p {
		t.Errorf("got %+v, %t, want %+v", got, ok, p)
	}
	for _, topic := range []string{"", "p:", "p:{b", "p:{b1", "p:{b1}:x", "p:{b64}:c:1:1:x", "p:{b-1}:c:1:1:x", "p:{bx}:c:1:1:x", "q:{b1}:c:1:1:x"} {
		if p, ok := r.placeOfTopic(topic); ok {
			t.Errorf("%q was taken for %+v", topic, p)
		}
	}
}
