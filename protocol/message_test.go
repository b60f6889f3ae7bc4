package protocol

import (
	"encoding/json"
	"testing"
)

func TestParse(t *testing.T) {
	const none = "<nil>"
	tests := []struct{ in, event, channel, data string }{
		{`{"event":"pusher:ping"}`, `pusher:ping`, none, none},
		{`{"event":"pusher:ping","data":{}}`, `pusher:ping`, none, `{}`},
		{`{"event":"pusher:ping","data":""}`, `pusher:ping`, none, `""`},                                   // P:LIV-02
		{" \r\n\t{ \"event\" : \"a\" , \"data\" : [ 1 , 2 ] } \n", `a`, none, `[ 1 , 2 ]`},                 // R:MSG-03
		{`{"event":"a","event":"b","data":1,"data":2}`, `b`, none, `2`},                                    // R:MSG-05
		{`{"event":5,"event":"b","channel":"c","channel":7}`, `b`, none, none},                             // R:MSG-05, R:CE-11
		{`{"event":"e","data":` + nested(510) + `}`, `e`, none, nested(510)},                               // R:MSG-06
		{`{"\u0065vent":"client-\u00e9\ud83d\ude00","channel":"a\/b"}`, `client-é😀`, `a/b`, none},          // R:CE-18
		{`{"event":"client-x","channel":"c","data":"a\u00e9\/ b"}`, `client-x`, `c`, `"a\u00e9\/ b"`},      // P:CLI-08
		{`{"event":"client-x","channel":"c","data":null}`, `client-x`, `c`, `null`},                        // R:CE-05
		{`{"event":"client-x","channel":"c","data":1e25,"user_id":"7","x":[{}]}`, `client-x`, `c`, `1e25`}, // R:CE-03, R:CE-16
		{`{"event":"foo","channel":""}`, `foo`, none, none},                                                // R:CE-11
		{`{"event":"foo","channel":" \u0009\u0000"}`, `foo`, none, none},                                   // R:CE-11
		{`{"event":"foo","channel":null}`, `foo`, none, none},                                              // R:CE-11
		{`{"event":"foo","channel":["c"]}`, `foo`, none, none},                                             // R:CE-11
		{`{"event":"foo","channel":"0"}`, `foo`, `0`, none},
		{`{"EVENT":"no","event":"yes"}`, `yes`, none, none},
	}
	show := func(b []byte) string {
		if b == nil {
			return none
		}
		return string(b)
	}
	for _, tt := range tests {
		m, err := Parse([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
		}
		equal(t, tt.in+" event", show(m.Event), tt.event)
		equal(t, tt.in+" channel", show(m.Channel), tt.channel)
		equal(t, tt.in+" data", show(m.Data), tt.data)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []string{
		``, `hi`, `"hi"`, `5`, `null`, `true`, `[]`, `{}`, `[{"event":"e"}]`, // R:MSG-01, P:FRM-01, P:FRM-02
		`{"data":1}`, `{"event":""}`, `{"event":" "}`, `{"event":"\n\u000b"}`, `{"event":5}`, `{"event":null}`, `{"event":[]}`, // R:MSG-02
		`{"event":"e"}x`, `{"event":"e"}{}`, "\ufeff" + `{"event":"e"}`, `{'event':'e'}`, // R:MSG-04
		`{"event":"e","event":5}`,                                                           // R:MSG-05
		`{"event":"e","data":` + nested(511) + `}`,                                          // R:MSG-06
		`{"event":"e\ud83d"}`, `{"event":"e","data":"\ude00"}`, `{"event":"e","x\ud83d":1}`, // R:MSG-13
		"{\"event\":\"e\xff\"}", "{\"event\":\"e\",\"x\xff\":1}",
		`{"event":"e","data":1e400}`, // R:CE-17
		`{"event":"e"`, `{"event":"e",`, `{"event":"e","data"`, `{"event":"e","data":`, `{"event`, `{"event":"e","data":"`, `{"event":"e\`,
	}
	for _, in := range tests {
		if m, err := Parse([]byte(in)); err != ErrInvalidFormat {
			t.Errorf("%s: got %+v, %v, want ErrInvalidFormat", in, m, err)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 1024)
	parse := func(in string) func() {
		return func() {
			m, err := Parse(append(buf, in...))
			if err != nil {
				t.Error(err)
			}
			if string(m.Event) != "pusher:subscribe" {
				return
			}
			if _, err = ParseSubscribe(m.Data); err != nil {
				t.Error(err)
			}
		}
	}
	equal(t, "subscribe", testing.AllocsPerRun(100, parse(benchSubscribe)), 0)
	equal(t, "client event", testing.AllocsPerRun(100, parse(benchClientEvent)), 0)
}

// FuzzParse compares with encoding/json, and goes on as the server would.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		benchSubscribe, benchClientEvent, `{"event":"pusher:ping"}`, ` {"event":"a","event":"b"} `,
		`{"event":"pusher:subscribe","data":"{\"channel\":\"c\",\"channel_data\":\"{\\\"user_id\\\":1}\"}"}`,
		`{"\u0065vent":"\ud83d\ude00","channel":"a\/b","data":[1.5e3,null]}`, `{"event":"e","data":1e400}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(in, &want)
		m, err := Parse(in)
		if err != nil {
			if err != ErrInvalidFormat {
				t.Fatalf("got %v", err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("accepted: %v", wantErr)
		}
		equal(t, "event", string(m.Event), nameStd(want["event"]))
		equal(t, "channel", string(m.Channel), nameStd(want["channel"]))
		equal(t, "data", string(m.Data), string(want["data"]))
		if len(m.Data) > 0 && !json.Valid(AppendClientEvent(nil, m.Event, m.Channel, m.Data, "")) {
			t.Error("the client event is not valid")
		}
		if s, err := ParseSubscribe(m.Data); err == nil && s.ChannelData != nil && !json.Valid(s.ChannelData) {
			t.Errorf("channel data %q", s.ChannelData)
		}
	})
}

// nameStd is decodeName with encoding/json.
func nameStd(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil || isBlank([]byte(s)) {
		return ""
	}
	return s
}
