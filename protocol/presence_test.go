package protocol

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestParseMember(t *testing.T) {
	tests := []struct {
		channelData string
		want        Member
	}{
		{`{"user_id":1,"user_info":{"name":"U1"}}`, Member{`1`, `1`, `{"name":"U1"}`, `{"user_id":1,"user_info":{"name":"U1"}}`}},                            // R:PR-01
		{`{"user_id":"abc"}`, Member{`abc`, `"abc"`, `null`, `{"user_id":"abc"}`}},                                                                           // R:PR-07, R:PR-12, P:PRE-09
		{`{"user_id":"10"}`, Member{`10`, `"10"`, `null`, `{"user_id":"10"}`}},                                                                               // R:PR-08
		{`{"user_id":10}`, Member{`10`, `10`, `null`, `{"user_id":10}`}},                                                                                     // R:PR-08
		{`{"user_id":"010"}`, Member{`010`, `"010"`, `null`, `{"user_id":"010"}`}},                                                                           // R:PR-09
		{`{"user_id":12345678901234567890}`, Member{`12345678901234567890`, `12345678901234567890`, `null`, `{"user_id":12345678901234567890}`}},             // P:PRE-08
		{`{"user_id":0,"user_info":null}`, Member{`0`, `0`, `null`, `{"user_id":0,"user_info":null}`}},                                                       // R:PR-13, R:PR-15
		{`{"user_id":"0","user_info":{}}`, Member{`0`, `"0"`, `{}`, `{"user_id":"0","user_info":{}}`}},                                                       // R:PR-14
		{`{"user_id":-1.5,"user_info":true}`, Member{`-1.5`, `-1.5`, `true`, `{"user_id":-1.5,"user_info":true}`}},                                           // P:PRE-10
		{` { "user_id" : "7" , "user_info" : [ "a b" , 1 ] , "x" : { } } `, Member{`7`, `"7"`, `["a b",1]`, `{"user_id":"7","user_info":["a b",1],"x":{}}`}}, // R:PR-16
		{`{"user_id":"\u00e9\/\n\"","user_info":"Zo\u00eb \/"}`, Member{"é/\n\"", `"é/\n\""`, `"Zo\u00eb \/"`, `{"user_id":"\u00e9\/\n\"","user_info":"Zo\u00eb \/"}`}},
		{`{"user\u005fid":1,"user_id":2}`, Member{`2`, `2`, `null`, `{"user\u005fid":1,"user_id":2}`}},
		{``, Member{}}, {`{}`, Member{}}, {`[]`, Member{}}, {`[1,"user_id"]`, Member{}}, // R:PR-10
		{`{"user_id":null,"user_info":1}`, Member{}}, {`{"user_info":{"a":1}}`, Member{}}, // R:PR-11
	}
	for _, tt := range tests {
		in := []byte(tt.channelData)
		got, err := ParseMember(in)
		equal(t, tt.channelData, err, nil)
		equal(t, tt.channelData, got, tt.want)
		equal(t, "input afterwards", string(in), tt.channelData)
	}
}

func TestParseMemberRefuses(t *testing.T) {
	tests := []string{
		`{"user_id":""}`, `{"user_id":true}`, `{"user_id":false}`, `{"user_id":[]}`, `{"user_id":{}}`, `{"user_id":1,"user_id":""}`, // P:PRE-14
		`5`, `"x"`, ` `, `{`, `{"user_id":1e400}`, `{"user_id":"\ud800"}`, // P:PRE-15
	}
	for _, in := range tests {
		if got, err := ParseMember([]byte(in)); err != ErrInvalidFormat || got != (Member{}) {
			t.Errorf("%s: got %+v, %v, want ErrInvalidFormat", in, got, err)
		}
	}
}

func FuzzParseMember(f *testing.F) {
	for _, s := range []string{`{"user_id":1,"user_info":{"name":"U1"}}`, ` { "user_id" : "\u00e9" } `, `{"user_id":12345678901234567890,"user_info":"\\"}`, `[]`, `{"user_id":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := ParseMember(in)
		if err != nil || m.ID == "" {
			equal(t, "no member", m, Member{})
			return
		}
		var want struct {
			ID json.RawMessage `json:"user_id"`
		}
		checkJSON(t, []byte(m.Data), &want)
		for _, b := range [][]byte{
			[]byte(m.Info),
			AppendMemberAdded(nil, "c", m.Data),
			AppendMemberRemoved(nil, "c", m.IDJSON),
		} {
			checkJSON(t, b, new(any))
		}
		list := AppendPresenceSucceeded(nil, "c", 1, slices.Values([]PresenceEntry{NewPresenceEntry(m)}))
		var frame struct{ Data string }
		checkJSON(t, list, &frame)
		var data struct {
			Presence struct {
				IDs  []json.RawMessage
				Hash map[string]json.RawMessage
			}
		}
		checkJSON(t, []byte(frame.Data), &data)
		equal(t, "id in the list", string(data.Presence.IDs[0]), m.IDJSON)
		equal(t, "info in the list", string(data.Presence.Hash[m.ID]), m.Info)
	})
}

// checkJSON decodes b into v.
func checkJSON(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
}

func TestAppendPresenceSucceeded(t *testing.T) {
	tests := []struct {
		members []Member
		want    string
	}{
		{nil, `{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":0,\"ids\":[],\"hash\":{}}}","channel":"presence-\"x"}`}, // R:PR-10
		{ // R:PR-02, R:PR-07
			[]Member{{`1`, `1`, `{"name":"U1"}`, ``}, {`b`, `"b"`, `null`, ``}},
			`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":2,\"ids\":[1,\"b\"],\"hash\":{\"1\":{\"name\":\"U1\"},\"b\":null}}}","channel":"presence-\"x"}`,
		},
		{ // everything is escaped twice
			[]Member{{`é"\`, `"é\"\\"`, `"a\n\"/"`, ``}},
			`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[\"é\\\"\\\\\"],\"hash\":{\"é\\\"\\\\\":\"a\\n\\\"/\"}}}","channel":"presence-\"x"}`,
		},
	}
	for _, tt := range tests {
		var entries []PresenceEntry
		for _, m := range tt.members {
			entries = append(entries, NewPresenceEntry(m))
		}
		got := AppendPresenceSucceeded(nil, `presence-"x`, len(entries), slices.Values(entries))
		equal(t, "list", string(got), tt.want)
	}
}
