package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

func testApp(t *testing.T) *auth.App {
	t.Helper()
	a := auth.DefaultApp()
	a.ID, a.Key, a.Secret = "3", "278d425bdf160c739803", "7ad3773142a6692b25b8"
	app, err := auth.NewApp(a)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// newPusher returns a Pusher whose requests are answered by the handler.
func newPusher(t *testing.T, app *auth.App, handler fasthttp.RequestHandler) *Pusher {
	t.Helper()
	ln := fasthttputil.NewInmemoryListener()
	go fasthttp.Serve(ln, handler)
	t.Cleanup(func() { ln.Close() })
	p := New(Settings{App: app, Host: "reverb", Port: 8080, Scheme: "http", Path: "/ws/", MaxRequestSize: 10_000, Timeout: time.Minute})
	p.http.Dial = func(string) (c net.Conn, err error) { return ln.Dial() }
	return p
}

func TestPublishIsSigned(t *testing.T) {
	app := testApp(t)
	var got publishBody
	p := newPusher(t, app, func(ctx *fasthttp.RequestCtx) {
		r := auth.Request{Method: string(ctx.Method()), Path: ctx.URI().PathOriginal(), Query: ctx.URI().QueryString(), Body: ctx.PostBody()}
		if err := app.VerifyRequest(r, "ws", time.Now()); err != nil {
			ctx.Error(err.Error(), 401)
			return
		}
		if path := string(ctx.Path()); path != "/ws/apps/3/events" {
			ctx.Error("path "+path, 404)
			return
		}
		json.Unmarshal(ctx.PostBody(), &got)
		ctx.SetBodyString("{}")
	})
	payload := api.ReadMarker{ConversationID: 7, UserID: 1, LastReadMessageID: 5}
	err := p.Publish(t.Context(), Event{Channel: "private-conversation.7", Name: "message.read", Payload: payload, SocketID: "1.2"})
	if err != nil {
		t.Fatal(err)
	}
	want := publishBody{Name: "message.read", Channel: "private-conversation.7", SocketID: "1.2",
		Data: `{"conversation_id":7,"user_id":1,"last_read_message_id":5,"last_read_at":null}`}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestPublishTellsOfRefusals(t *testing.T) {
	p := newPusher(t, testApp(t), func(ctx *fasthttp.RequestCtx) { ctx.Error(`{"error":"no"}`, 413) })
	err := p.Publish(t.Context(), Event{Channel: "c", Name: "e"})
	if err == nil || !strings.Contains(err.Error(), `413: {"error":"no"}`) {
		t.Errorf("got %v, want the answer", err)
	}
	if err := p.Ping(t.Context()); err == nil {
		t.Error("Ping did not notice")
	}
}

// A server that is restarted closes connections that were kept.
func TestPublishReconnectsOnce(t *testing.T) {
	var requests atomic.Int64
	broken := int64(1)
	p := newPusher(t, testApp(t), func(ctx *fasthttp.RequestCtx) {
		if requests.Add(1) > broken {
			return
		}
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(c net.Conn) { c.Close() })
	})
	if err := p.Publish(t.Context(), Event{Channel: "c", Name: "e"}); err != nil {
		t.Errorf("got %v, want a second try", err)
	}
	broken = 100
	requests.Store(0)
	if err := p.Publish(t.Context(), Event{Channel: "c", Name: "e"}); err == nil {
		t.Error("a server that always breaks off was no error")
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestPublishFits(t *testing.T) {
	var people []api.Participant
	for i := range 50 {
		people = append(people, api.Participant{User: api.User{ID: int64(i), Name: strings.Repeat("n", 60), Username: "someone", AvatarURL: "/avatars/x.svg"}, Role: "member"})
	}
	long := api.Message{ID: 1, Body: strings.Repeat("👋\"", 2500)}
	p := &Pusher{maxBody: 9000}
	for name, payload := range map[string]any{
		"message":      long,
		"conversation": api.ConversationUpdated{Conversation: api.Conversation{LastMessage: &long, Participants: people}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := p.body(Event{Channel: "c", Name: "e", Payload: payload})
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > 9000 {
				t.Errorf("%d bytes are too many", len(b))
			}
			if !strings.Contains(string(b), `\"truncated\":true`) {
				t.Error("it does not say that it was cut")
			}
		})
	}
	if len(long.Body) != len(strings.Repeat("👋\"", 2500)) {
		t.Error("the message itself was changed")
	}
	if _, err := p.body(Event{Payload: strings.Repeat("x", 10_000)}); err == nil {
		t.Error("what cannot be cut was sent")
	}
}

type rooms map[string]bool

func (r rooms) IsParticipant(_ context.Context, user, conversation int64) (bool, error) {
	return r[fmt.Sprint(user, ":", conversation)], nil
}

func TestChannel(t *testing.T) {
	app := testApp(t)
	g := &Gatekeeper{App: app, Rooms: rooms{"7:3": true, "7:4": true}}
	u := domain.User{ID: 7, Name: `Zoë "Z" </script>`, AvatarURL: "/a.svg"}
	const socket = "1234.1234"
	for _, tt := range []struct {
		channel string
		want    bool
	}{
		{"presence-messaging", true},
		{"presence-conversation.3", true},
		{"private-conversation.4", true},
		{"private-App.Models.User.7", true},
		{"private-App.Models.User.8", false},
		{"private-App.Models.User.07", false},
		{"private-conversation.5", false},
		{"private-conversation.03", false},
		{"private-conversation.+3", false},
		{"private-conversation.3.4", false},
		{"private-conversation.", false},
		{"private-conversation.99999999999999999999", false},
		{"presence-conversation.5", false},
		{"private-messaging", false},
		{"public", false},
		{"", false},
	} {
		got, err := g.Channel(t.Context(), u, socket, tt.channel)
		if ok := err == nil; ok != tt.want || (!ok && !errors.Is(err, ErrRefused)) {
			t.Errorf("%s: got %v, want allowed %v", tt.channel, err, tt.want)
		}
		if tt.want && !app.VerifyChannel([]byte(socket), []byte(tt.channel), []byte(got.ChannelData), []byte(got.Auth)) {
			t.Errorf("%s: the signature is wrong", tt.channel)
		}
	}
	got, err := g.Channel(t.Context(), u, socket, "presence-messaging")
	if want := `{"user_id":"7","user_info":{"id":7,"name":"Zoë \"Z\" </script>","avatar_url":"/a.svg"}}`; err != nil || got.ChannelData != want {
		t.Errorf("got %s, %v\nwant %s", got.ChannelData, err, want)
	}
}

func TestSocketID(t *testing.T) {
	g := &Gatekeeper{App: testApp(t)}
	for id, want := range map[string]bool{
		"1.2": true, "915103662.465664145": true, "": false, "1": false, ".1": false, "1.": false, "1.2:presence-x": false,
		"1.2\n": false, "1.2.3": false, "a.b": false, strings.Repeat("1", 70) + ".1": false,
	} {
		if _, err := g.Channel(t.Context(), domain.User{ID: 7}, id, "presence-messaging"); (err == nil) != want {
			t.Errorf("%q: got %v, want allowed %v", id, err, want)
		}
		if _, err := g.User(domain.User{ID: 7}, id); (err == nil) != want {
			t.Errorf("sign in on %q: got %v, want allowed %v", id, err, want)
		}
	}
}

func TestUser(t *testing.T) {
	app := testApp(t)
	got, err := (&Gatekeeper{App: app}).User(domain.User{ID: 7, Name: "A", AvatarURL: "/a.svg"}, "1234.1234")
	want := api.UserAuth{UserData: `{"id":"7","user_info":{"id":7,"name":"A","avatar_url":"/a.svg"}}`}
	want.Auth = app.SignUser("1234.1234", want.UserData)
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// A log tells what was told to whom, and nothing of what people write.
func TestLog(t *testing.T) {
	var out strings.Builder
	e := Event{Channel: "private-conversation.1", Name: api.MessageCreated, Payload: api.Message{Body: "secret"}}
	if err := (Log{slog.New(slog.NewTextHandler(&out, nil))}).Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "channel="+e.Channel+" event="+e.Name) || strings.Contains(got, "secret") {
		t.Errorf("got %s", got)
	}
}
