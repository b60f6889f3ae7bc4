package bridge

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
)

// Answers count up to the number that is missing, and as long as somebody waits for them.
func TestRounds(t *testing.T) {
	rs := rounds{byKey: make(map[string]*round)}
	rs.answer("unknown", json.RawMessage("0"))
	r := rs.open("key", 2)
	other := rs.open("other", 1)
	rs.answer("key", json.RawMessage("1"))
	select {
	case <-r.done:
		t.Error("one of two answers was taken for all")
	default:
	}
	rs.answer("key", json.RawMessage("2"))
	<-r.done
	rs.answer("key", json.RawMessage("3")) // one too many
	answers, isComplete := rs.close("key")
	if got := fmt.Sprintf("%s %t", answers, isComplete); got != "[1 2] true" {
		t.Errorf("got %s, want both answers", got)
	}
	rs.answer("key", json.RawMessage("4")) // late
	if answers, isComplete := rs.close("other"); len(answers) != 0 || isComplete {
		t.Errorf("got %s, %t, want nothing", answers, isComplete)
	}
	rs.answer("other", json.RawMessage("5")) // late, too
	select {
	case <-other.done:
		t.Error("a late answer was taken")
	default:
	}
	if len(rs.byKey) != 0 {
		t.Errorf("%d rounds are kept", len(rs.byKey))
	}
}

// newIdle returns a broker that is not started.
func newIdle(t *testing.T) *Broker {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: deadAddress(t), MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	apps, err := auth.NewApps(newApp(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(scaling.NewRedis(client, scaling.Options{}), client, Options{Apps: apps})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheirInfo(t *testing.T) {
	tests := []struct {
		answer               string
		users, subscriptions int
	}{
		{`{"occupied":true,"user_count":2,"subscription_count":3}`, 2, 3},
		{`{"occupied":true,"user_count":2}`, 2, 2},
		{`{"occupied":true}`, 0, 1},
		{`{"occupied":false}`, 0, 0},
		{`{"user_count":-2,"subscription_count":-3}`, 0, 0},
		{`[]`, 0, 0},
		{`{"user_count":"many"}`, 0, 0},
		{`7`, 0, 0},
		{`null`, 0, 0},
	}
	b := newIdle(t)
	for _, tt := range tests {
		var info protocol.ChannelInfo
		b.theirs(json.RawMessage(tt.answer)).addTo(&info)
		if info.Users != tt.users || info.Subscriptions != tt.subscriptions {
			t.Errorf("%s adds %d users and %d subscriptions, want %d and %d", tt.answer, info.Users, info.Subscriptions, tt.users, tt.subscriptions)
		}
	}
}

// TestDecide goes through what the broker learns of others, one after the other.
func TestDecide(t *testing.T) {
	b := newIdle(t)
	why := unknown
	b.why.Store(&why)
	steps := []struct {
		others   int
		isRecent bool
		why      string
	}{
		{0, true, "somebody else has spoken on the channel"},
		{0, true, "somebody else has spoken on the channel"},
		{2, true, "somebody else has spoken on the channel"},
		{0, false, ""},
		{0, false, ""},
		{1, true, "others than reverb-go are subscribed to the channel: 1"},
		{0, true, "others than reverb-go are subscribed to the channel: 1"},
		{0, false, ""},
		{0, true, "somebody else has spoken on the channel"},
	}
	for i, s := range steps {
		if b.decide(s.others, s.isRecent); b.Why() != s.why {
			t.Errorf("step %d: it is on because %q, want %q", i, b.Why(), s.why)
		}
	}
}

// Without Redis there is no answer, and no harm.
func TestAskWithoutRedis(t *testing.T) {
	t.Parallel()
	b := newIdle(t)
	b.turnOn("it is tested")
	b.others.Store(1)
	for _, app := range []string{"app1", "nobody"} {
		if answers, isComplete := b.ask(t.Context(), question{appID: app, kind: askConnections}); len(answers) > 0 || isComplete {
			t.Errorf("app %s: got %s, %t, want nothing", app, answers, isComplete)
		}
	}
	b.terminateTheirs(t.Context(), "app1", "7") // is withheld
	if _, err := b.count(t.Context()); err == nil {
		t.Error("others were counted on a Redis that is not there")
	}
	for name, err := range map[string]error{
		"Lookup": second(b.Lookup(t.Context(), "app1", "c")), "List": second(b.List(t.Context(), "app1", "")),
		"Users": second(b.Users(t.Context(), "app1", "presence-c")), "Census": second(b.Census(t.Context(), "app1")),
	} {
		if err == nil {
			t.Errorf("%s was answered without Redis", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
