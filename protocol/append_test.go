package protocol

import "testing"

// Every message but the presence list, which has its own test.
func TestAppend(t *testing.T) {
	client := func(data, userID string) []byte {
		var raw []byte
		if data != "" {
			raw = []byte(data)
		}
		return AppendClientEvent(nil, []byte("client-x"), []byte("C"), raw, userID)
	}
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"P:CON-02", AppendConnectionEstablished(nil, NewSocketID(915103662, 465664145), 30),
			`{"event":"pusher:connection_established","data":"{\"socket_id\":\"915103662.465664145\",\"activity_timeout\":30}"}`},
		{"P:LIV-01", []byte(Pong), `{"event":"pusher:pong"}`},
		{"P:LIV-05", []byte(Ping), `{"event":"pusher:ping"}`},
		{"P:FRM-10", AppendError(nil, ErrUnauthorized), `{"event":"pusher:error","data":{"code":4009,"message":"Connection is unauthorized"}}`},
		{"R:CE-10", AppendError(nil, ErrNotMember), `{"event":"pusher:error","data":{"code":4009,"message":"The client is not a member of the specified channel."}}`},
		{"R:CE-12", AppendError(nil, ErrClientEventsDisabled), `{"event":"pusher:error","data":{"code":4301,"message":"The app does not have client messaging enabled."}}`},
		{"R:MSG-14", AppendError(nil, ErrRateLimited), `{"event":"pusher:error","data":{"code":4301,"message":"Rate limit exceeded"}}`},
		{"R:CH-01", AppendSubscriptionSucceeded(nil, `foo`), `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"foo"}`},
		{"R:CH-16", AppendSubscriptionSucceeded(nil, `a/"é😀`), `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"a/\"é😀"}`},
		{"P:PRV-02", AppendSubscriptionError(nil, `private-x`, "AuthError", ErrUnauthorized, 401),
			`{"event":"pusher:subscription_error","channel":"private-x","data":{"type":"AuthError","error":"Connection is unauthorized","status":401}}`},
		{"R:PR-02", AppendMemberAdded(nil, `presence-x`, `{"user_id":2,"user_info":{"name":"U\"2"}}`),
			`{"event":"pusher_internal:member_added","data":"{\"user_id\":2,\"user_info\":{\"name\":\"U\\\"2\"}}","channel":"presence-x"}`},
		{"R:PR-06", AppendMemberRemoved(nil, `presence-x`, `3`), `{"event":"pusher_internal:member_removed","data":"{\"user_id\":3}","channel":"presence-x"}`},
		{"R:PR-07", AppendMemberRemoved(nil, `presence-x`, `"abc"`), `{"event":"pusher_internal:member_removed","data":"{\"user_id\":\"abc\"}","channel":"presence-x"}`},
		{"P:CAC-01", AppendCacheMiss(nil, `cache-x`), `{"event":"pusher:cache_miss","channel":"cache-x","data":"{}"}`},
		{"R:API-01", AppendEvent(nil, `App\Events\X`, `"{\"a\":\"\u00e9\/<b>\"}"`, `C`), `{"event":"App\\Events\\X","data":"{\"a\":\"\u00e9\/<b>\"}","channel":"C"}`},
		{"P:EVT-01", AppendEvent(nil, []byte(`e`), []byte(`"\u0000 </script>😀"`), `C`), `{"event":"e","data":"\u0000 </script>😀","channel":"C"}`},
		{"P:CLI-07", client(`{ "a" : [ 1, "b \" \\ \n c" ] }`, ""), `{"event":"client-x","channel":"C","data":"{\"a\":[1,\"b \\\" \\\\ \\n c\"]}"}`},
		{"P:CLI-08", client(`"{\"a\":\u0031 }"`, ""), `{"event":"client-x","channel":"C","data":"{\"a\":\u0031 }"}`},
		{"P:CLI-09", client(``, ""), `{"event":"client-x","channel":"C","data":"{}"}`},
		{"P:CLI-02", client(`{}`, `u"8`), `{"event":"client-x","channel":"C","data":"{}","user_id":"u\"8"}`},
		{"R:CE-05", client(`null`, ""), `{"event":"client-x","channel":"C","data":"null"}`},
		{"R:CE-06", client(`{ }`, ""), `{"event":"client-x","channel":"C","data":"{}"}`},
		{"R:CE-09", client(`""`, ""), `{"event":"client-x","channel":"C","data":""}`},
		{"R:CE-16", client(`[1.0, 1e25, 9223372036854775808]`, "7"), `{"event":"client-x","channel":"C","data":"[1.0,1e25,9223372036854775808]","user_id":"7"}`},
	}
	for _, tt := range tests {
		equal(t, tt.name, string(tt.got), tt.want)
		checkJSON(t, tt.got, new(any))
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	m, err := Parse([]byte(benchClientEvent))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 1024)
	equal(t, "AppendEvent", testing.AllocsPerRun(100, func() {
		AppendEvent(dst, `App\Events\X`, `"{\"a\":1}"`, "private-x")
	}), 0)
	equal(t, "AppendClientEvent", testing.AllocsPerRun(100, func() {
		AppendClientEvent(dst, m.Event, m.Channel, m.Data, "7")
	}), 0)
}

func TestError(t *testing.T) {
	equal(t, "text", ErrInvalidFormat.Error(), "pusher error 4200: Invalid message format")
}
