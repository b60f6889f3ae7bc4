package server_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// An ear is a client that listens, and keeps account.
type ear struct {
	user  string
	node  *rigNode
	conn  net.Conn
	since []int // by publisher, what it needs not have heard

	mu         sync.Mutex       // guards what follows
	err        error            // why nothing is heard any more
	users      map[string]bool  // who is there
	met        map[string]bool  // and who has ever been
	heard      map[stream][]int // numbers
	removed    map[string]int   // member_removed, by user
	surprising []string         // came while they were there, or left while they were not
	subscribed int              // subscription_succeeded
	ended      int              // "end" events
}

// A stream is what one publisher sends to one channel.
type stream struct {
	publisher int
	channel   string
}

func (r *rig) newEar(n *rigNode, user string) *ear {
	r.t.Helper()
	conn, buffered, _, err := ws.Dial(context.Background(), "ws://"+n.addr+"/app/app-key")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	e := &ear{user: user, node: n, conn: conn, users: make(map[string]bool), met: make(map[string]bool), removed: make(map[string]int), heard: make(map[stream][]int)}
	rw := struct {
		io.Reader
		io.Writer
	}{conn, conn}
	if buffered != nil {
		rw.Reader = buffered
	} else {
		rw.Reader = bufio.NewReader(conn)
	}
	hello, err := wsutil.ReadServerText(rw)
	if err != nil {
		r.t.Fatal(err)
	}
	id := socketIDIn(hello)
	for _, channel := range rigChannels {
		data := map[string]string{"channel": channel}
		switch {
		case strings.HasPrefix(channel, "presence-"):
			data["channel_data"] = fmt.Sprintf(`{"user_id":%q}`, user)
			data["auth"] = r.app.SignChannel(id, channel, data["channel_data"])
		case strings.HasPrefix(channel, "private-"):
			data["auth"] = r.app.SignChannel(id, channel, "")
		}
		message, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
		if err := wsutil.WriteClientText(conn, message); err != nil {
			r.t.Fatal(err)
		}
	}
	go e.listen(rw)
	return e
}

func socketIDIn(hello []byte) string {
	_, rest, _ := strings.Cut(string(hello), `\"socket_id\":\"`)
	id, _, _ := strings.Cut(rest, `\"`)
	return id
}

func (e *ear) listen(rw io.ReadWriter) {
	for {
		b, op, err := wsutil.ReadServerData(rw)
		if err != nil {
			e.mu.Lock()
			e.err = err
			e.mu.Unlock()
			return
		}
		if op == ws.OpText {
			e.hear(b)
		}
	}
}

func (e *ear) hear(b []byte) {
	var m struct{ Event, Channel, Data string }
	if json.Unmarshal(b, &m) != nil {
		return // data of errors is an object
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch m.Event {
	case "number":
		var publisher, number int
		fmt.Sscan(m.Data, &publisher, &number)
		s := stream{publisher, m.Channel}
		e.heard[s] = append(e.heard[s], number)
	case "end":
		e.ended++
	case "pusher_internal:member_added":
		e.hearMember(userIn(m.Data), true)
	case "pusher_internal:member_removed":
		e.hearMember(userIn(m.Data), false)
	case "pusher_internal:subscription_succeeded":
		e.subscribed++
		var list struct{ Presence struct{ Hash map[string]any } }
		if json.Unmarshal([]byte(m.Data), &list) == nil {
			for user := range list.Presence.Hash {
				e.users[user], e.met[user] = true, true
			}
		}
	}
}

func (e *ear) hearMember(user string, comes bool) {
	if e.users[user] == comes {
		e.surprising = append(e.surprising, fmt.Sprintf("%s comes: %t", user, comes))
	}
	if e.users[user], e.met[user] = true, true; !comes {
		delete(e.users, user)
		e.removed[user]++
	}
}

func userIn(data string) string {
	var member struct {
		UserID string `json:"user_id"`
	}
	_ = json.Unmarshal([]byte(data), &member)
	return member.UserID
}

func (e *ear) seen() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.users)
}

func (e *ear) ends() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}

func (e *ear) subscriptions() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.subscribed
}

// removals is how often it was told that a user has left.
func (e *ear) removals(user string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.removed[user]
}

func (e *ear) allRemovals() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, times := range e.removed {
		n += times
	}
	return n
}

func (e *ear) surprises() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.surprising
}

// wasThereWith reports whether the ear has ever seen a user.
func (e *ear) wasThereWith(user string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.met[user]
}

// numbers are those it has heard of a stream.
func (e *ear) numbers(s stream) []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard[s])
}

func (e *ear) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// judge counts what was not heard, and what was heard twice or after a later one. What a node had taken when it crashed
// may be missing.
func (e *ear) judge(publishers []*publisher) (lost, doubled int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range publishers {
		since, last := 0, int(p.last.Load())
		if p.index < len(e.since) {
			since = e.since[p.index]
		}
		for i, channel := range rigChannels {
			want := 0
			for n := cmp.Or(i, len(rigChannels)); n <= last; n += len(rigChannels) {
				if n > since {
					want++
				}
			}
			highest, got := 0, 0
			for _, n := range e.heard[stream{p.index, channel}] {
				switch {
				case n <= highest:
					doubled++
					continue
				case n > since:
					got++
				}
				highest = n
			}
			if !p.node.isGone.Load() {
				lost += max(want-got, 0)
			}
		}
	}
	return lost, doubled
}
