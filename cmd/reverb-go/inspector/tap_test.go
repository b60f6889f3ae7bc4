package inspector

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/server"
)

type tapAnswer struct {
	Events  []message
	Dropped int
}

// tap opens one and returns what reads it.
func (s *stage) tap(body string) (id string, read func() tapAnswer) {
	s.t.Helper()
	var opened struct{ ID string }
	s.call("POST", "taps", body, &opened)
	return opened.ID, func() (a tapAnswer) {
		s.t.Helper()
		s.skip(viewerTime / 10)
		s.call("GET", "tap?id="+opened.ID, "", &a)
		return a
	}
}

// until reads a tap until it has shown the event.
func (s *stage) until(read func() tapAnswer, event string) (seen []message) {
	s.t.Helper()
	s.await(event+" is shown", func() bool {
		seen = append(seen, read().Events...)
		return slices.ContainsFunc(seen, func(m message) bool { return m.Event == event || m.What == event })
	})
	return seen
}

func lines(messages []message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s|%s\n", m.What, m.Event, m.Channel, m.User, m.Auth, m.Data)
	}
	return b.String()
}

func TestTapChannel(t *testing.T) {
	s := serve(t, "")
	_, read := s.tap(`{"app":"1","channel":"presence-room"}`)
	publish := func(app, channel, event string) {
		s.call("POST", "publish", fmt.Sprintf(`{"app":%q,"channel":%q,"event":%q,"data":"{\"address\":\"Elm Street\"}"}`, app, channel, event), &struct{}{})
	}
	publish("1", "presence-room", "early")
	s.join("presence-room 7")
	s.join("presence-room 8")
	publish("1", "presence-other", "other")
	publish("2", "presence-room", "other")
	publish("1", "presence-room", "late")
	got := lines(s.until(read, "late"))
	want := "no subscriber here|early|presence-room|||\n" +
		"delivered|pusher_internal:member_added|presence-room|8||\n" +
		"delivered|late|presence-room|||\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	_, read = s.tap(`{"app":"1","channel":"presence-room","data":true}`)
	publish("1", "presence-room", "shown")
	if got, want := lines(s.until(read, "shown")), "delivered|shown|presence-room|||{\"address\":\"Elm Street\"}\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTapConnection(t *testing.T) {
	s := serve(t, "")
	c := s.join()
	s.join("presence-room 7") // of somebody else
	_, read := s.tap(`{"socket":"` + c.ID + `"}`)
	if err := c.Subscribe("presence-room", `{"user_id":"8","user_info":{"name":"secret"}}`); err != nil {
		t.Fatal(err)
	}
	s.hear(c, "pusher_internal:subscription_succeeded")
	s.call("POST", "close", `{"socket":"`+c.ID+`"}`, &struct{}{})
	got := lines(s.until(read, "closed"))
	want := "received|pusher:subscribe|presence-room|8|app-key:••••|\n" +
		"sent|pusher_internal:subscription_succeeded|presence-room|||\n" +
		"sent|pusher:error||||{\"code\":4009,\"message\":\"You got disconnected by the app.\"}\n" +
		"closed|||||\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	s.refused("POST", "taps", `{"socket":"1.1"}`, http.StatusNotFound, "no connection 1.1")
	s.refused("POST", "taps", `{}`, http.StatusUnprocessableEntity, "one channel or one connection")
	s.refused("POST", "taps", `{"channel":"x","socket":"1.1"}`, http.StatusUnprocessableEntity, "one channel or one connection")
}

// TestTapNeverShowsSignatures asks for data, which is not to have the signature in it.
func TestTapNeverShowsSignatures(t *testing.T) {
	s := serve(t, "")
	c := s.join()
	_, read := s.tap(`{"socket":"` + c.ID + `","data":true}`)
	if err := c.Subscribe("presence-room", `{"user_id":"8"}`); err != nil {
		t.Fatal(err)
	}
	if err := c.Signin(`{"id":"8"}`); err != nil {
		t.Fatal(err)
	}
	text := lines(s.until(read, "pusher:signin_success"))
	for _, signature := range []string{s.app.SignChannel(c.ID, "presence-room", `{"user_id":"8"}`), s.app.SignUser(c.ID, `{"id":"8"}`)} {
		if _, digits, _ := strings.Cut(signature, ":"); strings.Contains(text, digits) {
			t.Errorf("a signature is shown:\n%s", text)
		}
	}
	if !strings.Contains(text, `channel_data`) {
		t.Errorf("the data is not shown:\n%s", text)
	}
}

func TestTapsAreBounded(t *testing.T) {
	s := serve(t, "")
	var ids []string
	for range maxTaps {
		id, _ := s.tap(`{"app":"1","channel":"news"}`)
		ids = append(ids, id)
	}
	s.refused("POST", "taps", `{"app":"1","channel":"news"}`, http.StatusTooManyRequests, "too many taps")
	s.call("POST", "tap/end", `{"id":"`+ids[0]+`"}`, &struct{}{})
	s.refused("GET", "tap?id="+ids[0], "", http.StatusNotFound, "has ended")
	s.tap(`{"app":"1","channel":"news"}`)
}

// TestTapExpires lets a tap run out of time.
func TestTapExpires(t *testing.T) {
	s := serve(t, "")
	id, read := s.tap(`{"app":"1","channel":"news"}`)
	read()
	s.inspector.taps.find(id).expiry.Reset(time.Nanosecond)
	s.await("the tap has ended", func() bool { return s.inspector.taps.find(id) == nil })
	s.refused("GET", "tap?id="+id, "", http.StatusNotFound, "has ended")
}

func TestTapDrops(t *testing.T) {
	for _, tt := range []struct {
		name    string
		size, n int
		kept    int
	}{
		{"many", 10, maxWaiting + 5, maxWaiting},
		{"large", 2 * maxCopied, maxHeld/maxCopied + 3, maxHeld / maxCopied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tap := &tap{channel: "news", app: "1", now: time.Now}
			payload := []byte(`{"event":"e","data":"` + strings.Repeat("x", tt.size) + `","channel":"news"}`)
			for range tt.n {
				tap.Trace(server.TraceEvent{Kind: server.TraceDelivered, App: "1", Channel: "news", Payload: payload})
			}
			events, dropped := tap.take()
			if len(events) != tt.kept || dropped != tt.n-tt.kept || tap.held != 0 {
				t.Errorf("%d kept, %d dropped, %d bytes left; want %d, %d", len(events), dropped, tap.held, tt.kept, tt.n-tt.kept)
			}
			if m := events[0].show(false); m.Event != "e" || m.Size != len(payload) || m.Data != "" || m.Hidden == 0 {
				t.Errorf("got %+v", m)
			}
			if m := events[0].show(true); len(m.Data) == 0 || len(m.Data) > maxShown {
				t.Errorf("got %d bytes of data", len(m.Data))
			}
		})
	}
}

func TestShow(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		withData      bool
		want          string
	}{
		{"an event", `{"event":"e","data":"{\"a\":1}","channel":"c"}`, false, "|e|c|||"},
		{"with data", `{"event":"e","data":"{\"a\":1}","channel":"c"}`, true, `|e|c|||{"a":1}`},
		{"a client event", `{"event":"client-e","channel":"c","data":"{}","user_id":"7"}`, false, "|client-e|c|7||"},
		{"a number for a user", `{"event":"pusher_internal:member_removed","data":"{\"user_id\":3}","channel":"c"}`, false, "|pusher_internal:member_removed|c|3||"},
		{"subscribe", `{"event":"pusher:subscribe","data":{"channel":"c","auth":"k:0123"}}`, true, `|pusher:subscribe|c||k:••••|{"channel":"c"}`},
		{"subscribe in a string", `{"event":"pusher:subscribe","data":"{\"channel\":\"c\",\"auth\":\"k:0123\"}"}`, true, `|pusher:subscribe|c||k:••••|{"channel":"c"}`},
		{"auth that is a secret", `{"event":"pusher:subscribe","data":{"channel":"c","auth":"0123"}}`, false, `|pusher:subscribe|c||••••|`},
		{"auth that is no text", `{"event":"pusher:subscribe","data":{"channel":"c","auth":["k:0123"]}}`, true, `|pusher:subscribe|c||••••|{"channel":"c"}`},
		{"subscribe that is cut", `{"event":"pusher:subscribe","data":"{\"auth\":\"k:0123\",\"channel\":"}`, true, `|pusher:subscribe|||k:••••|{}`},
		{"subscribe that is no JSON", `{"event":"pusher:subscribe","data":"auth=k:0123"}`, true, `|pusher:subscribe||||`},
		{"sign-in", `{"event":"pusher:signin","data":{"auth":"k:0123","user_data":"{\"id\":\"7\",\"user_info\":{}}"}}`, false, `|pusher:signin||7|k:••••|`},
		{"an error", `{"event":"pusher:error","data":{"code":4200,"message":"m"}}`, false, `|pusher:error||||{"code":4200,"message":"m"}`},
		{"no JSON", `hello`, true, "|||||"},
		{"an array", `[1]`, true, "|||||"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := passed{payload: []byte(tt.payload), size: len(tt.payload)}.show(tt.withData)
			if got := strings.TrimSuffix(lines([]message{m}), "\n"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
