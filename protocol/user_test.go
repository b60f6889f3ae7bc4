package protocol

import (
	"slices"
	"strings"
	"testing"
)

func TestParseSignin(t *testing.T) {
	tests := []struct {
		name, data, auth, userData string
		ok                         bool
	}{
		{"object", `{"auth":"k:s","user_data":"{\"id\":\"1\"}"}`, "k:s", `{"id":"1"}`, true},
		{"string", `"{\"auth\":\"k:s\",\"user_data\":\"{}\"}"`, "k:s", "{}", true},
		{"no auth", `{"user_data":"{}"}`, "", "", false},
		{"user_data no string", `{"auth":"k:s","user_data":{"id":"1"}}`, "", "", false},
		{"nothing", ``, "", "", false},
		{"scalar", `5`, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseSignin([]byte(tt.data))
			if (err == nil) != tt.ok || string(s.Auth) != tt.auth || string(s.UserData) != tt.userData {
				t.Errorf("got %q, %q, %v", s.Auth, s.UserData, err)
			}
		})
	}
}

// P:SGN-02
func TestParseUser(t *testing.T) {
	tests := []struct {
		name, data, id, info string
		watchlist            []string
		ok                   bool
	}{
		{"plain", `{"id":"42","user_info":{"n": 1}}`, "42", `{"n":1}`, nil, true},
		{"number", `{"id":42}`, "42", "null", nil, true},
		{"watchlist", `{"id":"a","watchlist":["7",8,null,[]]}`, "a", "null", []string{"7", "8"}, true},
		{"no id", `{"user_info":{}}`, "", "", nil, false},
		{"empty id", `{"id":""}`, "", "", nil, false},
		{"long id", `{"id":"` + strings.Repeat("x", 129) + `"}`, "", "", nil, false},
		{"no JSON", `x`, "", "", nil, false},
		{"scalar", `"x"`, "", "", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := ParseUser([]byte(tt.data))
			if (err == nil) != tt.ok || u.ID != tt.id || u.Info != tt.info || !slices.Equal(u.Watchlist, tt.watchlist) {
				t.Errorf("got %+v, %v", u, err)
			}
		})
	}
}

func TestAppendUserMessages(t *testing.T) {
	tests := []struct{ got, want string }{
		{string(AppendSigninSuccess(nil, `{"id":"42"}`)),
			`{"event":"pusher:signin_success","data":"{\"user_data\":\"{\\\"id\\\":\\\"42\\\"}\"}"}`},
		{string(AppendWatchlistEvents(nil, []string{"7"}, []string{"9", "x"})),
			`{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"7\"]},{\"name\":\"offline\",\"user_ids\":[\"9\",\"x\"]}]}"}`},
		{string(AppendWatchlistEvents(nil, nil, []string{"9"})),
			`{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"offline\",\"user_ids\":[\"9\"]}]}"}`},
		{string(AppendSubscriptionCount(nil, "news", 5)),
			`{"event":"pusher_internal:subscription_count","channel":"news","data":"{\"subscription_count\":5}"}`},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}
