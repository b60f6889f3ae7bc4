package protocol

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// show renders an event as name data [channels] and what was given of the rest.
func (p Publish) show() string {
	var channels []string
	for _, c := range p.Channels {
		channels = append(channels, string(c))
	}
	s := string(p.Name) + " " + string(p.Data) + " [" + strings.Join(channels, "|") + "]"
	if p.SocketID != nil {
		s += " socket=" + string(p.SocketID)
	}
	if p.HasInfo {
		s += " info=" + string(p.Info)
	}
	return s
}

// answer is what the body of a failed request would be answered with.
func answer(err error) string {
	if e, ok := errors.AsType[*ValidationError](err); ok {
		return string(e.AppendJSON(nil))
	}
	return err.Error()
}

func TestParsePublish(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"name":"n","data":"{\"x\":1}","channel":"c"}`, `n "{\"x\":1}" [c]`},                                      // P:API-02
		{`{"name":"App\\Events\\X","data":"\u00e9\/","channels":["a","b","a"]}`, `App\Events\X "\u00e9\/" [a|b|a]`}, // R:API-02, R:API-03, P:EVT-01
		{`{"name":"n","data":"d","channel":"x","channels":["a"]}`, `n "d" [a]`},                                     // R:API-04
		{`{"name":"n","data":"d","channels":[],"channel":"x"}`, `n "d" [x]`},
		{`{"name":"n","data":"d","channels":" ","channel":"x"}`, `n "d" [x]`},
		{`{"name":"n","data":"d","channels":["a"],"channel":" "}`, `n "d" [a]`},
		{`{"name":"n","data":"d","channels":{"x":"\u0061","\u0079":"b"}}`, `n "d" [a|b]`},
		{`{"name":"n","data":"d","channels":[5,-1.5,true,false,null,"",1e3]}`, `n "d" [5|-1.5|1||||1e3]`},                          // R:API-11
		{`{"name":"n","data":"d","channels":["a"],"socket_id":"1.2","info":"user_count"}`, `n "d" [a] socket=1.2 info=user_count`}, // R:API-05, R:API-15
		{`{"name":"n","data":"d","channels":["a"],"socket_id":" ","info":""}`, `n "d" [a] info=`},                                  // P:EVT-06
		{` {"x":[{}],"name":"m","name":"n","data":" d","channel":"c"} `, `n " d" [c]`},
		{`{"name":"pusher:ping","data":"d","channel":"c"}`, `pusher:ping "d" [c]`}, // R:API-45
	}
	for _, tt := range tests {
		p, err := ParsePublish([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %s", tt.body, answer(err))
			continue
		}
		equal(t, tt.body, p.show(), tt.want)
	}
}

const emptyPublish = `{"name":["The name field is required."],"data":["The data field is required."],` +
	`"channels":["The channels field is required when channel is not present."],"channel":["The channel field is required when channels is not present."]}`

func TestParsePublishRefuses(t *testing.T) {
	const noJSON = "the body is not a JSON object"
	tests := []struct{ body, want string }{
		{`{}`, emptyPublish}, {`[]`, emptyPublish}, {`[1]`, emptyPublish}, // R:API-08, R:API-14
		{``, noJSON}, {` `, noJSON}, {`{`, noJSON}, {`5`, noJSON}, {`"x"`, noJSON}, {`null`, noJSON}, {`a=b`, noJSON}, {`{}x`, noJSON}, {"{\"\xff\":1}", noJSON}, // R:API-13, P:API-14
		{`{"name":null,"data":"d","channel":"c"}`, `{"name":["The name field is required."]}`},
		{`{"name":" \u000b","data":"d","channel":"c"}`, `{"name":["The name field is required."]}`},
		{`{"name":5,"data":"d","channel":"c"}`, `{"name":["The name field must be a string."]}`},
		{`{"name":"n","channel":"c"}`, `{"data":["The data field is required."]}`},                     // R:API-09
		{`{"name":"n","data":"","channel":"c"}`, `{"data":["The data field is required."]}`},           // R:API-09
		{`{"name":"n","data":" \t\u0020","channel":"c"}`, `{"data":["The data field is required."]}`},  // R:API-09
		{`{"name":"n","data":{ },"channel":"c"}`, `{"data":["The data field is required."]}`},          // R:API-09
		{`{"name":"n","data":{"a":1},"channel":"c"}`, `{"data":["The data field must be a string."]}`}, // R:API-09
		{`{"name":"n","data":7,"channel":"c"}`, `{"data":["The data field must be a string."]}`},       // R:API-09
		{`{"name":"n","data":"d","channels":[]}`, // R:API-10
			`{"channels":["The channels field is required when channel is not present."],"channel":["The channel field is required when channels is not present."]}`},
		{`{"name":"n","data":"d","channels":null,"channel":null}`, // R:API-10
			`{"channels":["The channels field is required when channel is not present."],"channel":["The channel field is required when channels is not present."]}`},
		{`{"name":"n","data":"d","channels":"x"}`, `{"channels":["The channels field must be an array."]}`},                // R:API-10
		{`{"name":"n","data":"d","channels":null,"channel":"c"}`, `{"channels":["The channels field must be an array."]}`}, // R:API-10
		{`{"name":"n","data":"d","channel":["c"]}`, `{"channel":["The channel field must be a string."]}`},                 // R:API-10
		{`{"name":"n","data":"d","channels":["c"],"channel":7}`, `{"channel":["The channel field must be a string."]}`},
		{`{"name":"n","data":"d","channels":["a",["x"],{"y":1}]}`, // R:API-12
			`{"channels.1":["The channels.1 field must be a string."],"channels.2":["The channels.2 field must be a string."]}`},
		{`{"name":"n","data":"d","channel":"c","socket_id":null,"info":5}`, // R:API-07
			`{"socket_id":["The socket id field must be a string."],"info":["The info field must be a string."]}`},
	}
	for _, tt := range tests {
		p, err := ParsePublish([]byte(tt.body))
		if err == nil {
			t.Errorf("%s: got %s, want an error", tt.body, p.show())
			continue
		}
		equal(t, tt.body, answer(err), tt.want)
	}
}

func TestParseBatch(t *testing.T) {
	item := `{"channel":"c","name":"n","data":"d"}`
	tests := []struct{ body, want string }{
		{`{"batch":[` + item + `]}`, `n "d" [c]`}, // R:API-18
		{`{"batch":[{"channel":"a","name":"\u0061","data":"\u0061","info":"user_count"},{"channel":"b","name":"n","data":"d","socket_id":"1.2","channels":5}]}`,
			`a "\u0061" [a] info=user_count, n "d" [b] socket=1.2`}, // R:API-19
		{`{"batch":{"x":` + item + `,"y":` + item + `}}`, `n "d" [c], n "d" [c]`},
		{`{"batch":[` + strings.Repeat(item+",", 19) + item + `]}`, strings.Repeat(`n "d" [c], `, 19) + `n "d" [c]`}, // R:API-22
	}
	for _, tt := range tests {
		events, err := ParseBatch([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %s", tt.body, answer(err))
			continue
		}
		var got []string
		for _, p := range events {
			got = append(got, p.show())
		}
		equal(t, tt.body, strings.Join(got, ", "), tt.want)
	}
}

func TestParseBatchRefuses(t *testing.T) {
	const (
		required  = `{"batch":["The batch field is required."]}`
		noArray   = `{"batch":["The batch field must be an array."]}`
		emptyItem = `{"batch.0.name":["The batch.0.name field is required."],"batch.0.data":["The batch.0.data field is required."],` +
			`"batch.0.channel":["The batch.0.channel field is required when channels is not present."]}`
	)
	tests := []struct{ body, want string }{
		{`{}`, required}, {`[]`, required}, {`{"batch":[]}`, required}, {`{"batch":{}}`, required}, {`{"batch":null}`, required}, {`{"batch":" "}`, required}, // R:API-20
		{`{"batch":"x"}`, noArray}, {`{"batch":5}`, noArray}, {`{"batch":false}`, noArray}, // R:API-20
		{``, "the body is not a JSON object"}, {`{"batch":[}`, "the body is not a JSON object"},
		{`{"batch":[{}]}`, emptyItem}, {`{"batch":[5]}`, emptyItem}, {`{"batch":[[]]}`, emptyItem},
		{`{"batch":[{"name":"n","data":"d","channels":["c"]}]}`, `{"batch.0.channel":["The batch.0.channel field is required when channels is not present."]}`},
		{`{"batch":[{"name":"n","data":"d","channel":"c"},{"name":7,"data":[],"channel":["c"],"socket_id":null,"info":1},{"data":"d","channel":"c"}]}`, // R:API-21
			`{"batch.1.name":["The batch.1.name field must be a string."],"batch.2.name":["The batch.2.name field is required."],` +
				`"batch.1.data":["The batch.1.data field is required."],"batch.1.channel":["The batch.1.channel field must be a string."],` +
				`"batch.1.socket_id":["The batch.1.socket_id field must be a string."],"batch.1.info":["The batch.1.info field must be a string."]}`},
	}
	for _, tt := range tests {
		if _, err := ParseBatch([]byte(tt.body)); err == nil {
			t.Errorf("%s: got no error", tt.body)
		} else {
			equal(t, tt.body, answer(err), tt.want)
		}
	}
}

func TestValidationErrorText(t *testing.T) {
	_, err := ParsePublish([]byte(`{}`))
	equal(t, "several", err.Error(), "The name field is required. (and 3 more)")
	_, err = ParseBatch([]byte(`{}`))
	equal(t, "one", err.Error(), "The batch field is required.")
}

// FuzzParsePublish reads each body as one event and as a batch of it.
func FuzzParsePublish(f *testing.F) {
	for _, s := range []string{
		`{"name":"App\\Events\\X","data":"{\"x\":1}","channels":["a","\u0062"],"socket_id":"1.2","info":"user_count"}`,
		`{"name":"n","data":"d","channel":"c"}`, `{"name":"n","data":"d","channels":{"x":5,"y":true,"z":null}}`,
		`{"name":"n","data":"d","channels":[[]]}`, `[1]`, `{"name":5,"data":" ","channels":"x","channel":[],"socket_id":null,"info":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		batch := []byte(`{"batch":[` + string(body) + `]}`)
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(body, &want)

		p, err := ParsePublish(body)
		if err != nil {
			checkAnswer(t, err)
		} else {
			checkPublish(t, p)
			equal(t, "encoding/json's error", wantErr, nil)
			equal(t, "name", string(p.Name), nameStd(want["name"]))
			equal(t, "data", string(p.Data), string(want["data"]))
		}

		events, batchErr := ParseBatch(batch)
		if batchErr != nil {
			checkAnswer(t, batchErr)
		}
		for _, p := range events {
			checkPublish(t, p)
		}
		if err == nil && want["channels"] == nil {
			equal(t, "the batch of one's error", batchErr, nil)
			equal(t, "the batch of one", events[0].show(), p.show())
		}
	})
}

// checkAnswer checks that err is one of the two kinds there are.
func checkAnswer(t *testing.T, err error) {
	t.Helper()
	if err != ErrBadJSON {
		checkJSON(t, []byte(answer(err)), new(map[string][]string))
	}
}

func checkPublish(t *testing.T, p Publish) {
	t.Helper()
	if isBlank(p.Name) || len(p.Channels) == 0 || isBlankString(p.Data) {
		t.Errorf("accepted %s", p.show())
	}
	checkJSON(t, AppendEvent(nil, p.Name, p.Data, string(p.Channels[0])), new(any))
}
