package http

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
)

// What is documented is served, and what is served for programs is documented.
func TestRoutesAreThoseOfTheAPI(t *testing.T) {
	var want, got []string
	for _, r := range api.Routes {
		want = append(want, r.Method+" "+r.Path)
	}
	s := &Server{metrics: serveAvatar} // something that is plain
	for _, r := range s.table() {
		isFile := r.plain != nil || strings.HasPrefix(r.path, "/horizon") && !strings.HasPrefix(r.path, "/horizon/api/")
		if !isFile {
			got = append(got, r.method+" "+r.path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// room makes a conversation of alice and bob with a message in it.
func (s *stage) room(alice *actor) (room, message int64) {
	s.t.Helper()
	r := alice.do("POST", "/api/messages/conversations", fmt.Sprintf(`{"participant_ids":[%d],"body":"secret"}`, s.users["bob"]))
	var answer api.ConversationUpdated
	s.check(json.Unmarshal(r.Body(), &answer))
	return answer.Conversation.ID, answer.Conversation.LastMessage.ID
}

// bodies are good requests, so that nothing but the stranger is wrong with them.
func goodBody(r api.Route, message int64) string {
	switch r.Request.(type) {
	case api.SendMessage, api.EditMessage:
		return `{"body":"x"}`
	case api.MarkRead:
		return fmt.Sprintf(`{"message_id":%d}`, message)
	}
	return ""
}

// A conversation one is not in is not there, whatever one asks of it, and guests learn even less.
func TestStrangersFindNothing(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newStage(t, b)
			alice, mallory, guest := s.newActor(), s.newActor(), s.newActor()
			alice.signIn("alice")
			mallory.signIn("mallory")
			guest.do("GET", "/api/messages/config", "")
			room, message := s.room(alice)
			for _, r := range api.Routes {
				path := strings.NewReplacer("{conversation_id}", fmt.Sprint(room), "{message_id}", fmt.Sprint(message)).Replace(r.Path)
				if path == r.Path {
					continue
				}
				if strings.HasSuffix(path, "/delta") {
					path += "?after_message_id=0"
				}
				body := goodBody(r, message)
				if got := mallory.do(r.Method, path, body); got.StatusCode() != 404 || string(got.Body()) != `{"message":"Not found."}` {
					t.Errorf("%s %s: a stranger got %d %s", r.Method, r.Path, got.StatusCode(), got.Body())
				}
				if got := guest.do(r.Method, path, body); got.StatusCode() != 401 {
					t.Errorf("%s %s: a guest got %d %s", r.Method, r.Path, got.StatusCode(), got.Body())
				}
			}
			beat := mallory.do("POST", "/api/messages/presence/heartbeat", fmt.Sprintf(`{"conversation_id":%d}`, room))
			if beat.StatusCode() != 404 {
				t.Errorf("a stranger looks at the conversation: %d", beat.StatusCode())
			}
			own, _, _, err := s.store.CreateConversation(t.Context(), newDirect(s.users["mallory"], s.users["bob"]))
			s.check(err)
			// Nor does a conversation of one's own lead to the messages of another.
			for _, method := range []string{"PATCH", "DELETE"} {
				if got := mallory.do(method, fmt.Sprintf("/api/messages/%d/%d", own, message), `{"body":"x"}`); got.StatusCode() != 404 {
					t.Errorf("%s of another conversation's message: %d", method, got.StatusCode())
				}
			}
		})
	}
}

func TestSendLimit(t *testing.T) {
	s := newStage(t, backends[0])
	alice := s.newActor()
	alice.signIn("alice")
	room, _ := s.room(alice) // which sends a message
	path := fmt.Sprintf("/api/messages/%d", room)
	for i := range 59 {
		if r := alice.do("POST", path, `{"body":"x"}`); r.StatusCode() != 201 {
			t.Fatalf("message %d: %d %s", i, r.StatusCode(), r.Body())
		}
	}
	r := alice.do("POST", path, `{"body":"x"}`)
	if r.StatusCode() != 429 || len(r.Header.Peek("Retry-After")) == 0 {
		t.Errorf("message 61: got %d, want 429 and Retry-After", r.StatusCode())
	}
}

// Who asks for no limit gets a hundred messages at once.
func TestDeltaLimit(t *testing.T) {
	s := newStage(t, backends[0])
	alice := s.newActor()
	alice.signIn("alice")
	room, first := s.room(alice)
	var lines []store.Line
	for range 250 {
		lines = append(lines, store.Line{Sender: s.users["bob"], Body: "x", UUID: uuid.NewString(), At: time.Now()})
	}
	s.check(s.store.AddHistory(t.Context(), room, lines, nil))
	after := first
	for _, want := range []int{100, 100, 50} {
		var delta api.Delta
		r := alice.do("GET", fmt.Sprintf("/api/messages/%d/delta?after_message_id=%d", room, after), "")
		s.check(json.Unmarshal(r.Body(), &delta))
		if got := len(delta.Messages); got != want || delta.HasMore != (want == 100) {
			t.Errorf("after %d: got %d messages, more: %v, want %d", after, got, delta.HasMore, want)
		}
		after = delta.NextAfterMessageID
	}
}

func TestBodyIsCountedInCharacters(t *testing.T) {
	s := newStage(t, backends[0])
	alice := s.newActor()
	alice.signIn("alice")
	room, _ := s.room(alice)
	path := fmt.Sprintf("/api/messages/%d", room)
	for n, want := range map[int]int{5000: 201, 5001: 422} {
		escaped := `{"body":"` + strings.Repeat(`\ud83d\ude00`, n) + `"}` // the longest way to write them
		if r := alice.do("POST", path, escaped); r.StatusCode() != want {
			t.Errorf("%d characters: got %d, want %d", n, r.StatusCode(), want)
		}
	}
}

// TestBodyTooLong only announces the body: the server answers and closes without reading it, so whoever still writes may hear of the
// closed connection before the answer.
func TestBodyTooLong(t *testing.T) {
	s := newStage(t, backends[0])
	c, err := s.ln.Dial()
	s.check(err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "POST /api/messages/1 HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", maxRequestBody+1)
	s.check(err)
	var r fasthttp.Response
	s.check(r.Read(bufio.NewReader(c)))
	if r.StatusCode() != 413 {
		t.Errorf("got %d, want 413", r.StatusCode())
	}
}

// A browser asks for several things at once, all with the old cookie, and loses answers.
func TestRotationWithManyRequests(t *testing.T) {
	s := newStage(t, backends[1])
	alice := s.newActor()
	alice.signIn("alice")
	old := maps.Clone(alice.cookies)
	s.ahead.Add(int64(rotateAfter + time.Second))
	var mu sync.Mutex
	cookies := map[string]int{}
	var tabs sync.WaitGroup
	for range 8 {
		tab := s.newActor()
		tab.cookies = maps.Clone(old)
		tabs.Go(func() {
			r := tab.do("GET", "/api/user", "")
			mu.Lock()
			defer mu.Unlock()
			cookies[tab.cookies[sessionCookie]]++
			if r.StatusCode() != 200 {
				t.Errorf("got %d %s", r.StatusCode(), r.Body())
			}
		})
	}
	tabs.Wait()
	delete(cookies, old[sessionCookie]) // of those who came in the same moment as the first
	if len(cookies) != 1 {
		t.Errorf("%d new cookies, want 1", len(cookies))
	}
	late := s.newActor()
	late.cookies = maps.Clone(old)
	if r := late.do("GET", "/api/user", ""); r.StatusCode() != 200 || cookies[late.cookies[sessionCookie]] == 0 {
		t.Errorf("who lost the answer got %d and no new cookie", r.StatusCode())
	}
	s.ahead.Add(int64(rotateGrace + time.Second))
	late.cookies = old
	if r := late.do("GET", "/api/user", ""); r.StatusCode() != 401 {
		t.Errorf("the old cookie is still good: %d", r.StatusCode())
	}
}

// A program that was built without the page says how to build one with it, and everything else works.
func TestPageNotBuilt(t *testing.T) {
	s := newStage(t, backends[0])
	s.server.Page = nil
	guest := s.newActor()
	r := guest.do("GET", "/", "")
	if body := string(r.Body()); r.StatusCode() != 503 || !strings.Contains(body, "make messaging") {
		t.Errorf("got %d %s", r.StatusCode(), body)
	}
	if r := guest.do("GET", "/assets/a.js", ""); r.StatusCode() != 404 {
		t.Errorf("a file of the page: got %d", r.StatusCode())
	}
	guest.signIn("alice")
}

// Without the database nothing can be done, and /up says so with its status.
func TestDatabaseAway(t *testing.T) {
	s := newStage(t, backends[0])
	s.check(s.store.Close())
	r := s.newActor().do("GET", "/up", "")
	var health api.Health
	s.check(json.Unmarshal(r.Body(), &health))
	if r.StatusCode() != 503 || health.Status != "down" || health.Checks["database"].OK || !health.Checks["redis"].OK {
		t.Errorf("got %d %s", r.StatusCode(), r.Body())
	}
}

// unused is a queue that is to be given nothing.
type unused struct{ t *testing.T }

func (u unused) Dispatch(jobs []domain.Job) { u.t.Errorf("got jobs %+v", jobs) }

// Who types is told while the request lasts, past the queues, and is nothing to the database.
func TestTypingIsToldAtOnce(t *testing.T) {
	s := newStage(t, backends[0])
	alice := s.newActor()
	alice.signIn("alice")
	room, _ := s.room(alice)
	s.settle()
	s.heard.Take()
	s.server.Queue = unused{t}
	path := fmt.Sprintf("/api/messages/%d/typing", room)
	for method, want := range map[string]string{"POST": api.TypingStarted, "DELETE": api.TypingStopped} {
		s.heard.Take()
		alice.do("POST", path, "")
		alice.do(method, path, "")
		if events := s.heard.Take(); len(events) != 2 || events[1].Name != want {
			t.Errorf("%s: got %+v, want one more %s", method, events, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := newStage(t, backends[0])
	guest := s.newActor()
	guest.do("GET", "/api/user", "")
	guest.do("GET", "/api/messages/12/delta", "")
	body := string(guest.do("GET", "/metrics", "").Body())
	for _, want := range []string{
		`messaging_http_requests_total{method="GET",route="/api/user",status="401"} 1`,
		`messaging_http_request_seconds_count{method="GET",route="/api/messages/{conversation_id}/delta"} 1`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

// Scripts get at the CSRF token and not at the session, and other sites send neither with what they post. Behind https nothing
// goes without it.
func TestCookieAttributes(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := newStage(t, backends[0])
		s.server.Secure = secure
		alice := s.newActor()
		alice.do("GET", "/api/messages/config", "")
		login := alice.do("POST", "/login", fmt.Sprintf(`{"username":"alice","password":%q}`, password))
		got := map[string]string{}
		for name, line := range login.Header.Cookies() {
			var c fasthttp.Cookie
			s.check(c.ParseBytes(line))
			got[string(name)] = fmt.Sprintf("%s secure=%v http=%v lax=%v", c.Path(), c.Secure(), c.HTTPOnly(), c.SameSite() == fasthttp.CookieSameSiteLaxMode)
		}
		want := map[string]string{
			sessionCookie: fmt.Sprintf("/ secure=%v http=true lax=true", secure),
			csrfCookie:    fmt.Sprintf("/ secure=%v http=false lax=true", secure),
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// Who changes what a cookie says is a guest, and so is who brings one of another key.
func TestForgedCookies(t *testing.T) {
	s := newStage(t, backends[0])
	alice := s.newActor()
	alice.signIn("alice")
	good := alice.cookies[sessionCookie]
	secret, signature, _ := strings.Cut(good, ".")
	other := &Server{Config: Config{Key: []byte("another key of 32 bytes.........")}}
	for name, cookie := range map[string]string{
		"empty": "", "no signature": secret, "other secret": secret[1:] + secret[:1] + "x." + signature,
		"other key": secret + "." + other.mac("proof", secret), "signed, but unknown": "made-up." + s.server.mac("proof", "made-up"),
	} {
		alice.cookies[sessionCookie] = cookie
		if r := alice.do("GET", "/api/user", ""); r.StatusCode() != 401 {
			t.Errorf("%s: got %d", name, r.StatusCode())
		}
	}
}

func TestDecodeStrict(t *testing.T) {
	title := "t"
	for _, tt := range []struct {
		body string
		want api.CreateConversation
		err  string
	}{
		{`{}`, api.CreateConversation{}, ""},
		{` {"participant_ids":[1,2],"title":"t","body":null} `, api.CreateConversation{ParticipantIDs: []int64{1, 2}, Title: &title}, ""},
		{`{"participant_ids":[1.5]}`, api.CreateConversation{}, "The participant ids field must be an array of integers."},
		{`{"participant_ids":[9223372036854775808]}`, api.CreateConversation{}, "The participant ids field must be an array of integers."},
		{`{"title":1}`, api.CreateConversation{}, "The title field must be a string."},
		{`{"":1}`, api.CreateConversation{}, "The  field is not known here, or is there twice."},
		{`[]`, api.CreateConversation{}, errNotJSON.message},
		{`null`, api.CreateConversation{}, errNotJSON.message},
		{`{"title":"t"`, api.CreateConversation{}, errNotJSON.message},
		{`{"title":"t",}`, api.CreateConversation{}, errNotJSON.message},
		{"{\"title\":\"\xff\"}", api.CreateConversation{}, errNotJSON.message},
	} {
		var got api.CreateConversation
		err := decodeStrict([]byte(tt.body), &got)
		if text := fmt.Sprint(err); err != nil && text != tt.err || err == nil && tt.err != "" {
			t.Errorf("%s: got error %q, want %q", tt.body, text, tt.err)
		}
		if err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.body, got, tt.want)
		}
	}
}

func FuzzDecodeStrict(f *testing.F) {
	f.Add(`{"body":"x","client_temp_id":null}`)
	f.Add(`{"body":1,"nobody":[{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		var got api.SendMessage
		if decodeStrict([]byte(body), &got) != nil {
			return
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var second api.SendMessage
		if err := decodeStrict(again, &second); err != nil || !reflect.DeepEqual(got, second) {
			t.Errorf("%s became %s: %v", body, again, err)
		}
	})
}

func TestClientIP(t *testing.T) {
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "1.2.3.4", "1.2.3.4"},
		{"127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"127.0.0.1", "nonsense", "127.0.0.1"},
		{"5.6.7.8", "1.2.3.4", "5.6.7.8"},
	} {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, addr(tt.remote), nil)
		ctx.Request.Header.Set("X-Forwarded-For", tt.forwarded)
		if got := (&request{http: &ctx}).clientIP(); got != tt.want {
			t.Errorf("%s for %q: got %s, want %s", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}
