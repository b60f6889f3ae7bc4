package server_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/server"
)

var steps = flag.Int("steps", 1000, "how many steps TestRandom takes on each engine")

// TestRandom has clients come, subscribe, speak, leave and go in an order that a seed decides, beside publishers
// over HTTP, mostly without waiting for each other. In between, all that is under way is waited for: by
// then every subscriber must have heard what was published while it was there, in the publisher's order, once,
// without anything from before or after, all in one order; and it must know exactly who is present.
func TestRandom(t *testing.T) {
	for _, name := range []string{"epoll", "writes", "portable", "cluster"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, random: server.Seeded(t), on: openStage(t, randomScript, newEngine(t, name)), logs: make(map[source][]string)}
			t.Cleanup(w.end)
			for step := range *steps {
				w.step()
				if step%25 == 24 {
					w.rest()
				}
				if t.Failed() {
					t.Fatalf("after step %d", step)
				}
			}
			if *steps >= 1000 && w.deflated == 0 {
				t.Error("nobody has heard anything compressed")
			}
		})
	}
}

const (
	maxVisitors = 12
	publicKey   = "app-key"
)

var (
	randomChannels = []string{"news", "private-orders", "presence-room", "presence-hall"}
	randomUsers    = []string{"ann", "bob", "eve", "joe"}
)

// randomScript has compression for those who want it, and padding that is long enough for that.
var randomScript = &script{file: "random", files: map[string][]byte{
	"apps.json": []byte(`[{"app_id":"1","key":"app-key","secret":"app-secret","compression":"auto"}]`),
}}

// A world is what happens in the test, and what is known to have happened.
type world struct {
	t        *testing.T
	random   *rand.Rand
	on       *stage
	visitors []*visitor
	came     int                 // visitors so far
	markers  int                 // published so far
	deflated int                 // messages that were heard compressed
	counts   map[source]int      // of messages at the last rest
	logs     map[source][]string // for each message of a publisher to a channel the socket ID it is not for, or ""
}

// A source is one publisher's messages to one channel, which have an order.
type source struct{ publisher, channel string }

func (w *world) step() {
	if len(w.visitors) < 3 || len(w.visitors) < maxVisitors && w.random.IntN(6) == 0 {
		w.connect()
		return
	}
	v := w.visitors[w.random.IntN(len(w.visitors))]
	channel := randomChannels[w.random.IntN(len(randomChannels))]
	switch n := w.random.IntN(20); {
	case v.in[channel] == nil && n < 14:
		w.subscribe(v, channel)
	case n < 3:
		w.publish(channel, v)
	case n < 14:
		w.whisper(v, channel)
	case n < 18 && v.in[channel] != nil:
		w.unsubscribe(v, channel)
	case n == 19:
		w.disconnect(v)
	}
}

func (w *world) connect() {
	w.came++
	v := &visitor{world: w, client: client{name: fmt.Sprintf("visitor%d", w.came)}, in: make(map[string]*stay), marker: make(map[string]int)}
	var headers []string
	if w.random.IntN(2) == 0 {
		headers = append(headers, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	}
	if err := v.connect(w.on, "/app/"+publicKey, headers); err != nil {
		w.t.Fatal(err)
	}
	v.next()
	if v.id == "" {
		w.t.Fatalf("%s was not welcomed", v.name)
	}
	w.visitors = append(w.visitors, v)
}

// subscribe has a visitor and sometimes others subscribe at once, and waits for the answers, because only what is
// published after them must be heard.
func (w *world) subscribe(v *visitor, channel string) {
	all := []*visitor{v}
	for _, other := range w.visitors {
		if other != v && other.in[channel] == nil && w.random.IntN(3) == 0 {
			all = append(all, other)
		}
	}
	for _, v := range all {
		v.joining = &stay{channel: channel, user: randomUsers[w.random.IntN(len(randomUsers))], from: w.counts}
		member := fmt.Sprintf(`{"user_id":%q}`, v.joining.user)
		signature := hmacHex(w.on.app(publicKey).secret, v.id+":"+channel+":"+member)
		v.says(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":"%s:%s","channel_data":%q}}`, channel, publicKey, signature, member))
	}
	for _, v := range all {
		v.hearUntil(func() bool { return v.in[channel] != nil })
		v.in[channel].since = w.published(channel)
	}
}

// whisper says something to the others, and does not wait.
func (w *world) whisper(v *visitor, channel string) {
	if v.in[channel] == nil {
		return
	}
	from := source{v.name, channel}
	for range 1 + w.random.IntN(4) {
		v.says(fmt.Sprintf(`{"event":"client-said","channel":%q,"data":"%s %d%s"}`, channel, v.name, len(w.logs[from]), w.padding()))
		w.logs[from] = append(w.logs[from], v.id)
	}
}

// padding makes some messages long enough to be compressed.
func (w *world) padding() string {
	if w.random.IntN(3) > 0 {
		return ""
	}
	return strings.Repeat(" ", 1+w.random.IntN(2000))
}

// publish has one of the nodes publish; sometimes not for v.
func (w *world) publish(channel string, v *visitor) {
	except := ""
	if w.random.IntN(3) == 0 {
		except = v.id
	}
	from := source{fmt.Sprintf("api%d", (w.on.turn+1)%len(w.on.nodes)), channel}
	w.api(channel, fmt.Sprintf("%s %d%s", from.publisher, len(w.logs[from]), w.padding()), except)
	w.logs[from] = append(w.logs[from], except)
}

func (w *world) api(channel, data, except string) {
	r := request{method: "POST", path: "/apps/1/events"}
	r.body = fmt.Sprintf(`{"name":"told","channel":%q,"data":%q,"socket_id":%q}`, channel, data, except)
	if except == "" {
		r.body = fmt.Sprintf(`{"name":"told","channel":%q,"data":%q}`, channel, data)
	}
	w.on.sign(&r)
	if got, err := w.on.send(r); err != nil || got.status != 200 {
		w.t.Fatalf("publish: %v, %v", got, err)
	}
}

// unsubscribe ends a stay. Before it the visitor may be given time to hear all that was said.
func (w *world) unsubscribe(v *visitor, channel string) {
	if w.random.IntN(3) == 0 {
		w.rest()
	}
	v.says(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))
	v.hearAll()
	v.leaves(v.in[channel])
}

// disconnect ends all stays of a visitor, sometimes without a word.
func (w *world) disconnect(v *visitor) {
	for i := range w.visitors {
		if w.visitors[i] == v {
			w.visitors = append(w.visitors[:i], w.visitors[i+1:]...)
			break
		}
	}
	if w.random.IntN(4) == 0 {
		v.hearAll() // or else what it said last may be lost
		v.client.leave(false)
		w.awaitConnections(len(w.visitors))
	} else {
		v.close(ws.StatusNormalClosure, "")
		for !v.over {
			v.hear(v.next())
		}
	}
	for _, s := range v.in {
		v.leaves(s)
	}
}

func (w *world) end() {
	for _, v := range w.visitors {
		v.client.leave(false)
	}
}
