package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/protocol/php"
)

// A reverbNode does on Redis what a node of Laravel Reverb does, to the letter: what ends the one ends the other, and
// fails the test. It has no sockets; its connections are entries in its channels.
type reverbNode struct {
	t      *testing.T
	client *redis.Client
	pubsub *redis.PubSub
	done   chan struct{} // it has ended

	mu       sync.Mutex // guards what follows
	channels []*reverbChannel
	said     []string // by nodes of reverb-go: events, and what else is no question and no answer
	answers  map[string][]json.RawMessage
	died     error
	changed  chan struct{} // closed and replaced at each message
}

type reverbChannel struct {
	name  string
	conns []*reverbConn
}

type reverbConn struct {
	id     string
	data   map[string]json.RawMessage // channel_data
	heard  []string
	closed bool
}

// reverbApp is the app of the tests, as Laravel Reverb serializes it, with ␀ for NUL.
const reverbApp = `O:26:"Laravel\Reverb\Application":11:{s:5:"␀*␀id";s:1:"1";s:6:"␀*␀key";s:7:"app-key";s:9:"␀*␀secret";s:10:"app-secret";` +
	`s:15:"␀*␀pingInterval";i:60;s:18:"␀*␀activityTimeout";i:30;s:17:"␀*␀allowedOrigins";a:1:{i:0;s:1:"*";}s:17:"␀*␀maxMessageSize";i:10000;` +
	`s:17:"␀*␀maxConnections";N;s:25:"␀*␀acceptClientEventsFrom";s:7:"members";s:15:"␀*␀rateLimiting";a:4:{s:7:"enabled";b:0;s:12:"max_attempts";i:60;` +
	`s:13:"decay_seconds";i:60;s:18:"terminate_on_limit";b:0;}s:10:"␀*␀options";a:0:{}}`

func serializedApp() string { return strings.ReplaceAll(reverbApp, "␀", "\x00") }

// startReverb starts a node that is known to Redis when this returns.
func startReverb(t *testing.T, r *redisServer) *reverbNode {
	t.Helper()
	n := &reverbNode{
		t: t, client: redis.NewClient(&redis.Options{Addr: r.addr}), done: make(chan struct{}),
		answers: make(map[string][]json.RawMessage), changed: make(chan struct{}),
	}
	n.pubsub = n.client.Subscribe(t.Context(), "reverb")
	if _, err := n.pubsub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	go n.run()
	t.Cleanup(n.stop)
	return n
}

func (n *reverbNode) run() {
	defer close(n.done)
	for m := range n.pubsub.Channel() {
		n.mu.Lock()
		if n.died == nil {
			n.died = n.handle(m.Payload)
		}
		close(n.changed)
		n.changed = make(chan struct{})
		n.mu.Unlock()
	}
}

// stop ends the node, and the test fails if it had ended by itself.
func (n *reverbNode) stop() {
	n.pubsub.Close()
	<-n.done
	n.client.Close()
	if n.died != nil {
		n.t.Errorf("a node of Laravel Reverb has exited: %v", n.died)
	}
}

// until waits for a condition, which is asked under the lock.
func (n *reverbNode) until(what string, isSo func() bool) {
	n.t.Helper()
	deadline := time.After(patience)
	for {
		n.mu.Lock()
		ok, changed := isSo(), n.changed
		n.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			n.t.Fatalf("never: %s", what)
		}
	}
}

// subscribe makes a connection a subscriber; data is its channel_data, or "".
func (n *reverbNode) subscribe(id, channel, data string) *reverbConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &reverbConn{id: id}
	if data != "" {
		if err := json.Unmarshal([]byte(data), &c.data); err != nil {
			n.t.Fatal(err)
		}
	}
	ch := n.find(channel)
	if ch == nil {
		ch = &reverbChannel{name: channel}
		n.channels = append(n.channels, ch)
	}
	ch.conns = append(ch.conns, c)
	return c
}

func (n *reverbNode) find(channel string) *reverbChannel {
	for _, ch := range n.channels {
		if ch.name == channel {
			return ch
		}
	}
	return nil
}

// connections are all of them, each with the data of the first channel it is in.
func (n *reverbNode) connections() (all []*reverbConn) {
	for _, ch := range n.channels {
		for _, c := range ch.conns {
			if !slices.ContainsFunc(all, func(known *reverbConn) bool { return known.id == c.id }) {
				all = append(all, c)
			}
		}
	}
	return all
}

// handle returns what would end the node.
func (n *reverbNode) handle(text string) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("json_decode: %w: %s", err, text)
	}
	kind := stringOf(m["type"])
	if payload, asked := n.answers[kind]; asked {
		if m["payload"][0] != '[' && m["payload"][0] != '{' {
			return fmt.Errorf("an answer that is no array: %s", text)
		}
		n.answers[kind] = append(payload, m["payload"])
	}
	if _, ok := m["socket_id"]; ok || kind == "message" || kind == "terminate" {
		if got := stringOf(m["application"]); got != serializedApp() {
			return fmt.Errorf("unserialize: the application is %q", got)
		}
	}
	switch kind {
	case "message":
		n.note(text, m)
		return n.dispatch(m)
	case "terminate":
		n.note(text, m)
		return n.terminate(m)
	case "metrics":
		return n.answer(m)
	}
	return nil
}

func (n *reverbNode) note(text string, m map[string]json.RawMessage) {
	if m["from"] != nil {
		n.said = append(n.said, text)
	}
}

func stringOf(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

// dispatch sends the payload to the subscribers of its channels.
func (n *reverbNode) dispatch(m map[string]json.RawMessage) error {
	var payload map[string]json.RawMessage
	if err := json.Unmarshal(m["payload"], &payload); err != nil {
		return fmt.Errorf("a payload that is no array: %s", m["payload"])
	}
	names := []string{stringOf(payload["channel"])}
	if list := payload["channels"]; list != nil {
		names = nil
		if err := json.Unmarshal(list, &names); err != nil {
			return err
		}
	}
	delete(payload, "channels")
	for _, name := range names {
		ch := n.find(name)
		if ch == nil {
			continue
		}
		payload["channel"], _ = json.Marshal(name)
		frame, _ := json.Marshal(payload)
		for _, c := range ch.conns {
			if c.id != stringOf(m["socket_id"]) {
				c.heard = append(c.heard, string(frame))
			}
		}
	}
	return nil
}

func (n *reverbNode) terminate(m map[string]json.RawMessage) error {
	var payload struct {
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal(m["payload"], &payload); err != nil {
		return err
	}
	for _, c := range n.connections() {
		if c.data["user_id"] == nil {
			return errors.New("terminate: a connection has no user_id")
		}
		if strings.Trim(string(c.data["user_id"]), `"`) == payload.UserID {
			c.closed = true
		}
	}
	return nil
}

// answer publishes what a question asks for.
func (n *reverbNode) answer(m map[string]json.RawMessage) error {
	v, err := php.Parse(stringOf(m["payload"]))
	q, ok := v.(*php.Map)
	if err != nil || !ok || q.Class != `Laravel\Reverb\Protocols\Pusher\PendingMetric` || len(q.Keys) != 6 {
		return fmt.Errorf("unserialize: %s", m["payload"])
	}
	kind, _ := q.Get("type").(php.Enum)
	payload := n.metric(string(kind), q.Map("options"))
	text, err := json.Marshal(map[string]any{"type": q.Text("key"), "payload": payload})
	if err != nil {
		return err
	}
	return n.client.Publish(n.t.Context(), "reverb", text).Err()
}

func (n *reverbNode) metric(kind string, options *php.Map) any {
	switch strings.TrimPrefix(kind, `Laravel\Reverb\Protocols\Pusher\MetricType:`) {
	case "CONNECTIONS":
		all := map[string]any{}
		for _, c := range n.connections() {
			all[c.id] = struct{}{}
		}
		return orList(all)
	case "CHANNELS":
		return orList(n.metricChannels(options))
	case "CHANNEL":
		return orList(n.info(options.Text("channel"), options.Text("info")))
	case "CHANNEL_USERS":
		users := []map[string]json.RawMessage{}
		if ch := n.find(options.Text("channel")); ch != nil {
			for _, c := range ch.conns {
				users = append(users, map[string]json.RawMessage{"id": c.data["user_id"]})
			}
		}
		return users
	}
	return []any{}
}

func (n *reverbNode) metricChannels(options *php.Map) map[string]any {
	all := map[string]any{}
	if list := options.Map("channels"); list != nil {
		for _, key := range list.Keys {
			all[list.Text(key)] = orList(n.info(list.Text(key), options.Text("info")))
		}
		return all
	}
	for _, ch := range n.channels {
		if strings.HasPrefix(ch.name, options.Text("filter")) {
			all[ch.name] = orList(n.info(ch.name, options.Text("info")))
		}
	}
	return all
}

func (n *reverbNode) info(channel, words string) map[string]any {
	info, ch := map[string]any{}, n.find(channel)
	for word := range strings.SplitSeq(words, ",") {
		isPresence := strings.HasPrefix(channel, "presence")
		switch {
		case word == "occupied":
			info[word] = ch != nil
		case ch == nil:
		case word == "user_count" && isPresence, word == "subscription_count" && !isPresence:
			info[word] = len(ch.conns) // in these tests nobody is there twice
		}
	}
	return info
}

// orList is how PHP writes an empty array.
func orList(m map[string]any) any {
	if len(m) == 0 {
		return []any{}
	}
	return m
}

// say publishes a message with the app; payload and more are JSON.
func (n *reverbNode) say(kind, payload, more string) {
	n.t.Helper()
	app, _ := json.Marshal(serializedApp())
	n.sayRaw(`{"type":"` + kind + `","application":` + string(app) + `,"payload":` + payload + more + `}`)
}

func (n *reverbNode) sayRaw(text string) (subscribers int) {
	n.t.Helper()
	count, err := n.client.Publish(n.t.Context(), "reverb", text).Result()
	if err != nil {
		n.t.Fatal(err)
	}
	return int(count)
}

// ask asks all nodes, and returns their answers when it has as many as there are subscribers.
func (n *reverbNode) ask(key, kind, options string) (answers []string) {
	n.t.Helper()
	n.mu.Lock()
	n.answers[key] = nil
	n.mu.Unlock()
	question := `O:45:"Laravel\Reverb\Protocols\Pusher\PendingMetric":6:{s:14:"␀*␀subscribers";N;s:7:"␀*␀data";a:0:{}s:6:"␀*␀key";s:10:"` + key +
		`";s:14:"␀*␀application";` + reverbApp + fmt.Sprintf(`s:7:"␀*␀type";E:%d:"Laravel\Reverb\Protocols\Pusher\MetricType:%s";`, 43+len(kind), kind) +
		`s:10:"␀*␀options";` + options + `}`
	payload, _ := json.Marshal(strings.ReplaceAll(question, "␀", "\x00"))
	subscribers := n.sayRaw(`{"type":"metrics","payload":` + string(payload) + `}`)
	n.until("as many answers as subscribers", func() bool { return len(n.answers[key]) == subscribers })
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, answer := range n.answers[key] {
		answers = append(answers, string(answer))
	}
	return answers
}

// hears waits until a connection has heard so much, and compares it.
func (n *reverbNode) hears(c *reverbConn, want ...string) {
	n.t.Helper()
	n.until(fmt.Sprintf("%s hears %d messages", c.id, len(want)), func() bool { return len(c.heard) >= len(want) || n.died != nil })
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(c.heard, want) {
		n.t.Fatalf("%s has heard\n%s\nwant\n%s", c.id, strings.Join(c.heard, "\n"), strings.Join(want, "\n"))
	}
}
