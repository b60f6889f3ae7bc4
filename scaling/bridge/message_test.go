package bridge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
)

func TestParseEvent(t *testing.T) {
	for _, test := range []struct {
		payload string
		want    string // frames, one a line
	}{
		{`{"event":"App\\E","channels":["a","b"],"data":"{\"x\":\"\u00e9\/\"}"}`,
			`{"event":"App\\E","data":"{\"x\":\"\u00e9\/\"}","channel":"a"}` + "\n" + `{"event":"App\\E","data":"{\"x\":\"\u00e9\/\"}","channel":"b"}`},
		{`{"event":"e","channel":"a","data":"d"}`, `{"event":"e","data":"d","channel":"a"}`},
		{`{"event":"e","channels":{"0":"a","2":"b"},"data":""}`, `{"event":"e","data":"","channel":"a"}` + "\n" + `{"event":"e","data":"","channel":"b"}`},
		{`{"event":"e","channels":["a"],"channel":"b","data":"d"}`, `{"event":"e","data":"d","channel":"a"}`},
		{`{"event":"client-x","channel":"a","data":{"k":[]},"user_id":7}`, `{"event":"client-x","channel":"a","data":"{\"k\":[]}","user_id":"7"}`},
		{`{"event":"client-x","channel":"a","data":null,"user_id":"u"}`, `{"event":"client-x","channel":"a","data":"{}","user_id":"u"}`},
		{`{"event":"client-x","channel":"a","data":"s"}`, `{"event":"client-x","channel":"a","data":"s"}`},
		{`{"event":"client-x","channel":"a","extra":1}`, `{"event":"client-x","channel":"a","data":"{}"}`},
	} {
		e, err := parseEvent(json.RawMessage(test.payload))
		if err != nil {
			t.Errorf("parseEvent(%s): %v", test.payload, err)
			continue
		}
		var got []string
		for _, channel := range e.channels {
			got = append(got, string(e.appendFrame(nil, channel)))
		}
		if got := strings.Join(got, "\n"); got != test.want {
			t.Errorf("parseEvent(%s):\n got %s\nwant %s", test.payload, got, test.want)
		}
	}
}

func TestParseEventMalformed(t *testing.T) {
	for _, payload := range []string{
		`[]`, `"x"`, `7`, `null`, `{}`, `{"event":"","channel":"a"}`, `{"event":7,"channel":"a"}`,
		`{"event":"e","channel":"a","data":"\ud800"}`, `{"event":"e","channel":"a","data":{"a":"\ud800"}}`, `{"event":"e","channel":"a","data":1e999}`,
		`{"event":"e","channels":"a"}`, `{"event":"e","channel":"a","data":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`,
	} {
		if e, err := parseEvent(json.RawMessage(payload)); err == nil {
			t.Errorf("parseEvent(%.60s): got %+v, want an error", payload, e)
		}
	}
}

func TestMayBePublished(t *testing.T) {
	for _, c := range []struct {
		event, channel string
		want           bool
	}{
		{"e", "a", true}, {"client-e", "a", true}, {"e", "#server-to-user-1", true}, {"client-e", "#server-to-user-1", false},
		{"e", "", false}, {"e", " \x00", false}, {"e", "\x00online:1", false},
	} {
		e := event{Message: protocol.Message{Event: []byte(c.event)}}
		if got := e.mayBePublished(c.channel); got != c.want {
			t.Errorf("%q to %q: got %v, want %v", c.event, c.channel, got, c.want)
		}
	}
}

func TestUnwritable(t *testing.T) {
	a := newApp(t, func(a *auth.App) { a.Secret = "\xff" })
	payload := protocol.AppendEvent(nil, "e", `"d"`, "c")
	if got, err := appendEvent(nil, a, protocol.Broadcast{Channel: "c", Payload: payload}, ""); err == nil {
		t.Errorf("an app that is not UTF-8 was written: %q", got)
	}
	if got, err := appendTerminate(nil, newApp(t, nil), "\xff", ""); err == nil {
		t.Errorf("a user that is not UTF-8 was written: %q", got)
	}
	if got, err := appendQuestion(nil, question{kind: askChannel, channel: "\xff"}, newApp(t, nil), ""); err == nil {
		t.Errorf("a channel that is not UTF-8 was written: %q", got)
	}
}

// ownNode is a node with two channels.
type ownNode struct{ scaling.Node }

func (ownNode) Own(_, channel string) (channels.Info, []protocol.Member) {
	info := channels.Info{Name: channel, Kind: channels.KindOf(channel)}
	switch channel {
	case "presence-cache-p":
		info.Subscriptions, info.Users, info.Cached = 3, 2, []byte(`{"event":"e","data":"d","channel":"presence-cache-p"}`)
		return info, []protocol.Member{{ID: "1", IDJSON: "1"}, {ID: "é", IDJSON: `"é"`}}
	case "a/b":
		info.Subscriptions = 4
	}
	return info, nil
}

func (ownNode) OwnChannels(appID, prefix string) (names []string) {
	for _, name := range []string{"presence-cache-p", "a/b"} {
		if appID == "app1" && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

func (ownNode) OwnSockets(appID string) (ids []protocol.SocketID) {
	if appID == "app1" {
		ids = append(ids, protocol.NewSocketID(1, 2), protocol.NewSocketID(3, 4))
	}
	return ids
}

func TestAnswers(t *testing.T) {
	const all = "occupied,user_count,subscription_count,cache,nonsense"
	for _, c := range []struct {
		name string
		q    question
		want string
	}{
		{"connections", question{appID: "app1", kind: askConnections}, `{"1.2":{},"3.4":{}}`},
		{"connections of another app", question{appID: "x", kind: askConnections}, `[]`},
		{"channels", question{appID: "app1", kind: askChannels}, `{"a\/b":[],"presence-cache-p":[]}`},
		{"channels by prefix", question{appID: "app1", kind: askChannels, filter: "a", info: "subscription_count"}, `{"a\/b":{"subscription_count":4}}`},
		{"channels of another app", question{appID: "x", kind: askChannels, info: all}, `[]`},
		{"channels by name", question{appID: "app1", kind: askChannels, channels: []string{"no", "a/b", "no"}, info: "occupied"}, `{"a\/b":{"occupied":true},"no":{"occupied":false}}`},
		{"presence channel", question{appID: "app1", kind: askChannel, channel: "presence-cache-p", info: all},
			`{"occupied":true,"user_count":2,"cache":{"event":"e","data":"d","channel":"presence-cache-p"}}`},
		{"public channel", question{appID: "app1", kind: askChannel, channel: "a/b", info: all}, `{"occupied":true,"subscription_count":4}`},
		{"unknown channel", question{appID: "app1", kind: askChannel, channel: "no", info: all}, `{"occupied":false}`},
		{"nothing wanted", question{appID: "app1", kind: askChannel, channel: "a/b"}, `[]`},
		{"users", question{appID: "app1", kind: askUsers, channel: "presence-cache-p"}, `[{"id":1},{"id":"é"}]`},
		{"no users", question{appID: "app1", kind: askUsers, channel: "no"}, `[]`},
		{"something new", question{appID: "app1", kind: "MOOD"}, `[]`},
	} {
		c.q.key = "KEY"
		want := `{"type":"KEY","payload":` + c.want + `,"from":"p:"}`
		if got := string(appendAnswer(nil, c.q, ownNode{}, "p:")); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
	}
}

func TestParseMode(t *testing.T) {
	for s, want := range map[string]Mode{"": Auto, "auto": Auto, "On": On, "true": On, "1": On, "off": Off, "false": Off, "0": Off} {
		if got, err := ParseMode(s); got != want || err != nil {
			t.Errorf("ParseMode(%q): got %v, %v, want %v", s, got, err, want)
		}
	}
	if _, err := ParseMode("maybe"); err == nil || !strings.Contains(err.Error(), "REVERB_GO_BRIDGE") {
		t.Errorf("ParseMode(maybe): got %v, want an error that names the setting", err)
	}
}

func FuzzHandle(f *testing.F) {
	f.Add(`{"type":"message","application":"` + inJSON(stock(f)) + `","payload":{"event":"e","channels":["a"],"data":"d"},"socket_id":"1.2"}`)
	f.Add(`{"type":"terminate","application":"` + inJSON(stock(f)) + `","payload":{"user_id":"1"}}`)
	f.Add(`{"type":"metrics","payload":"` + inJSON(capturedQuestion+stock(f)+"}") + `"}`)
	f.Add(`{"type":"ABCDEFGHIJ","payload":[{"id":1}]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMessage(text)
		if err != nil {
			return
		}
		appIDOf(textOf(m.application))
		if q, err := parseQuestion(m.payload); err == nil {
			checkJSON(t, appendAnswer(nil, q, ownNode{}, "p:"))
		}
		if e, err := parseEvent(m.payload); err == nil {
			for _, channel := range e.channels {
				checkJSON(t, e.appendFrame(nil, channel))
			}
		}
		_ = eachValue(m.payload, func(string, json.RawMessage) {})
	})
}

func checkJSON(t *testing.T, text []byte) {
	t.Helper()
	if !json.Valid(text) {
		t.Errorf("this is not JSON: %q", text)
	}
}
