package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// What takes more clients than a conversation has room for.

func crowd(t *testing.T, on *stage, n int) []*client {
	t.Helper()
	all := make([]*client, n)
	for i := range all {
		all[i] = &client{name: fmt.Sprintf("client %d", i+1)}
		enter(t, on, all[i])
	}
	return all
}

// enter connects a client, with these headers, and has it greeted.
func enter(t *testing.T, on *stage, c *client, headers ...string) {
	t.Helper()
	t.Cleanup(func() { c.leave(false) })
	if err := c.connect(on, "/app/"+on.apps[0].key, headers); err != nil {
		t.Fatal(err)
	}
	if greeting := c.next(); c.id == "" {
		t.Fatalf("%s heard %s", c.name, greeting)
	}
}

func wantNext(t *testing.T, c *client, want string) {
	t.Helper()
	if got := c.next(); got != want {
		t.Fatalf("%s heard\n got: %s\nwant: %s", c.name, got, want)
	}
}

// wantSilence fails if c has heard anything by the time the server has taken all that c said.
func wantSilence(t *testing.T, c *client) {
	t.Helper()
	c.settle()
	c.settle()
	if len(c.unheard) > 0 {
		t.Fatalf("%s heard %s, want nothing", c.name, c.unheard[0])
	}
}

func (c *client) says(format string, args ...any) {
	c.frame(ws.OpText, true, fmt.Appendf(nil, format, args...))
}

// joins subscribes to a presence channel as a user of this id.
func (c *client) joins(on *stage, channel string, user int) {
	data := fmt.Sprintf(`{"user_id":%d}`, user)
	c.says(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q,"channel_data":%q}}`,
		channel, on.apps[0].key+":"+hmacHex(on.apps[0].secret, c.id+":"+channel+":"+data), data)
}

// P:CON-03: no two connections have the same socket ID, on whatever node and loop.
func TestSocketIDsAreDistinct(t *testing.T) {
	script := &script{file: "crowd"}
	owner := make(map[string]string)
	for node := range 2 {
		on := openStage(t, script, engine{nodes: 1})
		for _, c := range crowd(t, on, 500) {
			if other := owner[c.id]; other != "" {
				t.Fatalf("%s of node %d and %s are both %s", c.name, node, other, c.id)
			}
			owner[c.id] = fmt.Sprintf("%s of node %d", c.name, node)
		}
	}
}

// P:CNT-04: with more than 100 subscribers their number is told every five seconds at most.
func TestManySubscribersAreCountedNowAndThen(t *testing.T) {
	on := openStage(t, &script{file: "crowd", files: map[string][]byte{
		"apps.json": []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret","subscription_count":true}]`),
	}}, engine{nodes: 1})
	subscribe := func(c *client) {
		c.says(`{"event":"pusher:subscribe","data":{"channel":"news"}}`)
		wantNext(t, c, `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"news"}`)
	}
	count := func(n int) string {
		return fmt.Sprintf(`{"event":"pusher_internal:subscription_count","channel":"news","data":"{\"subscription_count\":%d}"}`, n)
	}
	all := crowd(t, on, 103)
	for i, c := range all[:100] {
		subscribe(c)
		wantNext(t, all[0], count(i+1))
	}
	for _, c := range all[100:] {
		subscribe(c)
		wantSilence(t, c)
	}
	wantSilence(t, all[0])
	on.clock.advance(5 * time.Second)
	on.tick()
	wantNext(t, all[0], count(103))
	wantNext(t, all[102], count(103))
	all[102].says(`{"event":"pusher:unsubscribe","data":{"channel":"news"}}`)
	wantSilence(t, all[102])
	wantSilence(t, all[0])
	on.clock.advance(5 * time.Second)
	on.tick()
	wantNext(t, all[0], count(102))
	wantSilence(t, all[0])
}

// P:PRE-23: when many join at the same time, each sees in the end who is there.
func TestManyJoinAtOnce(t *testing.T) {
	for _, name := range []string{"epoll", "portable", "cluster"} {
		t.Run(name, func(t *testing.T) {
			on := openStage(t, &script{file: "crowd"}, newEngine(t, name))
			all := crowd(t, on, 50)
			var joining sync.WaitGroup
			for i, c := range all {
				joining.Go(func() { c.joins(on, "presence-room", i+1) })
			}
			joining.Wait()
			for _, c := range all {
				members := make(map[string]bool)
				for len(members) < len(all) {
					noteMembers(t, c, members)
				}
			}
		})
	}
}

// noteMembers takes the next thing c hears, which is about the members of its channel.
func noteMembers(t *testing.T, c *client, members map[string]bool) {
	t.Helper()
	heard := c.next()
	var message struct{ Event, Data string }
	var data struct {
		UserID   json.Number `json:"user_id"`
		Presence struct{ Hash map[string]any }
	}
	if json.Unmarshal([]byte(heard), &message) != nil || json.Unmarshal([]byte(message.Data), &data) != nil {
		t.Fatalf("%s heard %s, knowing of %v", c.name, heard, slices.Sorted(maps.Keys(members)))
	}
	switch kind := strings.TrimPrefix(message.Event, "pusher_internal:"); {
	case kind == "subscription_succeeded" && len(members) == 0:
		for id := range data.Presence.Hash {
			members[id] = true
		}
	case kind == "member_added" && len(members) > 0 && !members[data.UserID.String()]:
		members[data.UserID.String()] = true
	default:
		t.Fatalf("%s heard %s, knowing of %v", c.name, heard, slices.Sorted(maps.Keys(members)))
	}
}
