package protocol

import (
	"strings"
	"testing"
)

func TestParseSubscribe(t *testing.T) {
	tests := []struct{ data, channel, auth, channelData string }{
		{`{"channel":"news"}`, `news`, ``, ``},                                   // P:SUB-02
		{`{"auth":"","channel":"news"}`, `news`, ``, ``},                         // P:SUB-01
		{`{"channel":"private-x","auth":"key:abc"}`, `private-x`, `key:abc`, ``}, // R:CH-04
		{`{"channel":"private-x","auth":null}`, `private-x`, ``, ``},             // R:CH-03, P:PRV-03
		{`{"channel":"private-x","auth":["x"],"channel_data":null}`, `private-x`, ``, ``},
		{`{"channel":"c","channel_data":""}`, `c`, ``, ``},
		{`{"channel":"é \/\u00e9 ` + strings.Repeat("x", 500) + `"}`, `é /é ` + strings.Repeat("x", 500), ``, ``}, // R:CH-16
		{`{"channel":"0"}`, `0`, ``, ``},                                                                          // R:CH-15
		{`{"channel":"x","channel":"y"}`, `y`, ``, ``},
		{`"{\"channel\":\"news\",\"auth\":\"\\u00e9\"}"`, `news`, `é`, ``}, // R:MSG-12, P:FRM-04
		{`" {\"channel\":\"c\",\"channel_data\":\"{\\\"user_id\\\":1}\"} "`, `c`, ``, `{"user_id":1}`},
		{`{"channel":"presence-x","channel_data":"{\"user_id\":\"5\",\"user_info\":{\"name\":\"Zo\\u00eb\",\"url\":\"http:\\\/\\\/x\"}}"}`,
			`presence-x`, ``, `{"user_id":"5","user_info":{"name":"Zo\u00eb","url":"http:\/\/x"}}`}, // P:PRE-11
		{`{"channel":"c","channel_data":" [1, 2] "}`, `c`, ``, ` [1, 2] `},
	}
	for _, tt := range tests {
		s, err := ParseSubscribe([]byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.data, err)
		}
		equal(t, tt.data+" channel", string(s.Channel), tt.channel)
		equal(t, tt.data+" auth", string(s.Auth), tt.auth)
		equal(t, tt.data+" channel_data", string(s.ChannelData), tt.channelData)
		equal(t, tt.data+" channel_data is nil", s.ChannelData == nil, tt.channelData == "")
	}
}

func TestParseSubscribeRefuses(t *testing.T) {
	tests := []struct{ data, channel string }{
		{``, ``}, {`null`, ``}, {`5`, ``}, {`[]`, ``}, {`{}`, ``}, {`"hello"`, ``}, {`"5"`, ``}, {`""`, ``}, {`"{\"channel\":"`, ``},
		{`"\"{\\\"channel\\\":\\\"c\\\"}\""`, ``},                                // a string in a string is one too many
		{`{"channel":null}`, ``}, {`{"channel":[]}`, ``}, {`{"channel":{}}`, ``}, // R:CH-14, P:SUB-06
		{`{"channel":123}`, ``}, {`{"channel":1.5}`, ``}, {`{"channel":true}`, ``}, // R:CH-13, refused here
		{`{"channel":""}`, ``}, {`{"channel":" \n"}`, ``}, // R:CH-15, refused here
		{`{"channel":"c","channel_data":"{"}`, `c`},     // R:CH-17, P:PRE-15
		{`{"channel":"c","channel_data":"{}x"}`, `c`},   // R:CH-17
		{`{"channel":"c","channel_data":"5"}`, `c`},     // R:CH-18
		{`{"channel":"c","channel_data":"null"}`, `c`},  // R:CH-18
		{`{"channel":"c","channel_data":"\"x\""}`, `c`}, // R:CH-18
		{`{"channel":"c","channel_data":" "}`, `c`},
		{`{"channel":"c","channel_data":{"user_id":1}}`, `c`}, // P:PRE-14b
		{`{"channel":"c","channel_data":7}`, `c`}, {`{"channel":"c","channel_data":false}`, `c`},
		{`{"channel_data":"{}"}`, ``},
		{`"{\"channel\":\"c\",\"channel_data\":\"` + nested(512) + `\"}"`, `c`},
	}
	for _, tt := range tests {
		s, err := ParseSubscribe([]byte(tt.data))
		if err != ErrInvalidFormat {
			t.Errorf("%s: got %v, want ErrInvalidFormat", tt.data, err)
		}
		equal(t, tt.data+" channel", string(s.Channel), tt.channel)
		equal(t, tt.data+" channel_data", string(s.ChannelData), "")
	}
}

func TestParseUnsubscribe(t *testing.T) {
	for _, data := range []string{`{"channel":"c\u0021"}`, `"{\"channel\":\"c\\u0021\"}"`, `{"x":1,"channel":"c!"}`} { // R:CH-19
		channel, err := ParseUnsubscribe([]byte(data))
		equal(t, data, string(channel), "c!")
		equal(t, data, err, nil)
	}
	for _, data := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"channel":null}`, `{"channel":7}`, `{"channel":""}`, `{"channel":"c"`} { // R:CH-21
		channel, err := ParseUnsubscribe([]byte(data))
		equal(t, data, string(channel), "")
		equal(t, data, err, error(ErrInvalidFormat))
	}
}
