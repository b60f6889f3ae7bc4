package server_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/scaling/bridge"
)

func TestBridgeEvents(t *testing.T) {
	ours, theirs := mixed(t)
	a, b := ours[0].connects("a"), ours[1].connects("b")
	joins(t, a, "private-x", "")
	joins(t, b, "private-x", "")
	p, q := theirs[0].subscribe("11.1", "private-x", ""), theirs[1].subscribe("12.2", "private-x", "")

	ours[0].publishes(`{"name":"App\\E","channels":["private-x","nobody"],"data":"{\"é\":1}"}`)
	theirs[0].say("message", `{"event":"theirs","channels":["private-x","nobody"],"data":"\/"}`, "")
	fromOurs := `{"event":"App\\E","data":"{\"é\":1}","channel":"private-x"}`
	fromTheirs := `{"event":"theirs","data":"\/","channel":"private-x"}`
	hears(t, a, sorted(a, fromOurs, fromTheirs)...)
	hears(t, b, sorted(b, fromOurs, fromTheirs)...)

	ours[1].publishes(`{"name":"but p","channel":"private-x","data":"1","socket_id":"11.1"}`)
	hears(t, a, `{"event":"but p","data":"1","channel":"private-x"}`)
	hears(t, b, `{"event":"but p","data":"1","channel":"private-x"}`)
	theirs[1].say("message", `{"event":"but a","channel":"private-x","data":"2"}`, `,"socket_id":"`+a.id+`"`)
	hears(t, b, `{"event":"but a","data":"2","channel":"private-x"}`)

	a.frame(1, true, []byte(`{"event":"client-a","channel":"private-x","data":{"k":1}}`))
	hears(t, b, `{"event":"client-a","channel":"private-x","data":"{\"k\":1}"}`)
	theirs[0].say("message", `{"event":"client-p","channel":"private-x","data":{"k":2}}`, `,"socket_id":"11.1"`)
	fromP := `{"event":"client-p","channel":"private-x","data":"{\"k\":2}"}`
	hears(t, a, fromP)
	hears(t, b, fromP)

	// After this nobody can hear anything any more, and nobody has heard anything twice.
	ours[0].publishes(`{"name":"end","channel":"private-x","data":"."}`)
	end := `{"event":"end","data":".","channel":"private-x"}`
	hears(t, a, end)
	hears(t, b, end)
	theirEnd := `{"channel":"private-x","data":".","event":"end"}`
	checkAll(t, theirs, p, q, theirEnd)
	if got, want := len(theirs[0].said), 5; got != want { // "nobody" is a channel of its own
		t.Errorf("nodes of ours have published %d messages, want %d: %s", got, want, strings.Join(theirs[0].said, "\n"))
	}
}

// checkAll looks at what p and q have heard on the other side. What two nodes publish at once comes in any order.
func checkAll(t *testing.T, theirs [2]*reverbNode, p, q *reverbConn, end string) {
	t.Helper()
	first := []string{`{"channel":"private-x","data":"\/","event":"theirs"}`, `{"channel":"private-x","data":"{\"\u00e9\":1}","event":"App\\E"}`}
	butP := `{"channel":"private-x","data":"1","event":"but p"}`
	rest := []string{`{"channel":"private-x","data":"2","event":"but a"}`, `{"channel":"private-x","data":"{\"k\":1}","event":"client-a"}`}
	fromP := `{"channel":"private-x","data":{"k":2},"event":"client-p"}`
	for i, c := range []struct {
		conn *reverbConn
		want []string
	}{
		{p, slices.Concat(first, rest, []string{end})},
		{q, slices.Concat(first, []string{butP}, rest, []string{fromP, end})},
	} {
		n := theirs[i]
		n.until(c.conn.id+" hears the end", func() bool { return slices.Contains(c.conn.heard, end) })
		n.mu.Lock()
		got := slices.Clone(c.conn.heard)
		n.mu.Unlock()
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s has heard\n%s\nwant\n%s", c.conn.id, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// sorted returns two messages in the order in which a client has heard them, and puts them back.
func sorted(c *client, x, y string) []string {
	first := c.next()
	c.unheard = append([]string{first}, c.unheard...)
	if first == y {
		return []string{y, x}
	}
	return []string{x, y}
}

func TestBridgeTerminate(t *testing.T) {
	ours, theirs := mixed(t)
	a, b, c := ours[0].connects("a"), ours[1].connects("b"), ours[1].connects("c")
	for _, client := range []*client{a, b} {
		joins(t, client, "presence-x", `{"user_id":7,"user_info":{}}`)
	}
	joins(t, c, "presence-x", `{"user_id":"8","user_info":{}}`)
	hears(t, a, `{"event":"pusher_internal:member_added","data":"{\"user_id\":\"8\",\"user_info\":{}}","channel":"presence-x"}`)
	hears(t, b, `{"event":"pusher_internal:member_added","data":"{\"user_id\":\"8\",\"user_info\":{}}","channel":"presence-x"}`)

	theirs[0].say("terminate", `{"user_id":"7"}`, "")
	for _, client := range []*client{a, b} {
		hears(t, client, `{"event":"pusher:error","data":{"code":4009,"message":"You got disconnected by the app."}}`,
			"(closed 4009 You got disconnected by the app.)")
	}
	hears(t, c, `{"event":"pusher_internal:member_removed","data":"{\"user_id\":7}","channel":"presence-x"}`)

	p, q := theirs[0].subscribe("11.1", "presence-y", `{"user_id":"9"}`), theirs[1].subscribe("12.2", "presence-y", `{"user_id":10}`)
	if got := ours[0].asks("POST", "/apps/1/users/9/terminate_connections", "{}"); got != "200 {}" {
		t.Errorf("got %s", got)
	}
	theirs[0].until("p is closed", func() bool { return p.closed })
	theirs[1].until("the other node has heard it, too", func() bool { return len(theirs[1].said) == 1 })

	// A connection without a user would end its node, so nothing may be said.
	r := theirs[1].subscribe("13.3", "private-z", "")
	if got := ours[1].asks("POST", "/apps/1/users/10/terminate_connections", "{}"); got != "200 {}" {
		t.Errorf("got %s", got)
	}
	if got := valueOf(t, ours[1].counts.Withheld); got != 1 {
		t.Errorf("%d terminates were withheld, want 1", got)
	}
	ours[1].publishes(`{"name":"end","channel":"private-z","data":"."}`)
	theirs[1].hears(r, `{"channel":"private-z","data":".","event":"end"}`)
	theirs[1].mu.Lock()
	defer theirs[1].mu.Unlock()
	if q.closed || len(theirs[1].said) != 2 {
		t.Errorf("q is closed: %v; said: %s", q.closed, theirs[1].said)
	}
}

// TestBridgeAsked has a PHP node ask for its metrics. R:SC-06
func TestBridgeAsked(t *testing.T) {
	ours, theirs := mixed(t)
	a, b := ours[0].connects("a"), ours[1].connects("b")
	joins(t, a, "presence-x", `{"user_id":7,"user_info":{}}`)
	joins(t, b, "presence-x", `{"user_id":"8","user_info":{}}`)
	joins(t, b, "private-y", "")
	theirs[1].subscribe("12.2", "presence-x", `{"user_id":"9"}`)

	for _, test := range []struct{ key, kind, options, want string }{
		{"AAAAAAAAAA", "CONNECTIONS", `a:0:{}`, `[] {"12.2":{}} {"A":{}} {"B":{}}`},
		{"BBBBBBBBBB", "CHANNEL_USERS", `a:1:{s:7:"channel";s:10:"presence-x";}`, `[] [{"id":"8"}] [{"id":"9"}] [{"id":7}]`},
		{"CCCCCCCCCC", "CHANNEL", `a:2:{s:7:"channel";s:10:"presence-x";s:4:"info";s:19:"user_count,occupied";}`,
			`{"occupied":false} {"occupied":true,"user_count":1} {"occupied":true,"user_count":1} {"occupied":true,"user_count":1}`},
		{"DDDDDDDDDD", "CHANNELS", `a:2:{s:6:"filter";N;s:4:"info";s:18:"subscription_count";}`,
			`[] {"presence-x":[],"private-y":{"subscription_count":1}} {"presence-x":[]} {"presence-x":[]}`},
		{"EEEEEEEEEE", "CHANNELS", `a:2:{s:4:"info";s:8:"occupied";s:8:"channels";a:1:{i:0;s:9:"private-y";}}`,
			`{"private-y":{"occupied":false}} {"private-y":{"occupied":false}} {"private-y":{"occupied":false}} {"private-y":{"occupied":true}}`},
	} {
		answers := theirs[0].ask(test.key, test.kind, test.options)
		for i := range answers {
			answers[i] = strings.NewReplacer(a.id, "A", b.id, "B").Replace(answers[i])
		}
		slices.Sort(answers)
		if got := strings.Join(answers, " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.kind, got, test.want)
		}
	}
}

// ttl is what changes in an answer from second to second.
var ttl = regexp.MustCompile(`"ttl":1[78]\d\d`)

// TestBridgeAsks answers the HTTP API, for which PHP nodes are asked. R:SC-07
func TestBridgeAsks(t *testing.T) {
	ours, theirs := mixed(t)
	a, b := ours[0].connects("a"), ours[1].connects("b")
	joins(t, a, "presence-x", `{"user_id":7,"user_info":{}}`)
	joins(t, b, "presence-x", `{"user_id":"8","user_info":{}}`)
	joins(t, b, "private-y", "")
	theirs[0].subscribe("11.1", "private-y", "")
	theirs[0].subscribe("11.1", "presence-x", `{"user_id":7}`)
	theirs[1].subscribe("12.2", "presence-x", `{"user_id":9}`)
	theirs[1].subscribe("13.3", "private-z", "")
	theirs[1].subscribe("13.3", "cache-z", "")
	ours[1].publishes(`{"name":"e","channel":"cache-z","data":"d"}`)
	// The nodes tell each other of their connections four times in a second.
	eventually(t, "all connections are counted", func() bool {
		return ours[0].asks("GET", "/apps/1/connections", "") == `200 {"connections":5}`
	})
	for _, test := range []struct{ method, target, body, want string }{
		{"GET", "/apps/1/connections", "", `{"connections":5}`},
		{"GET", "/apps/1/channels", "", `{"channels":{"cache-z":{},"presence-x":{},"private-y":{},"private-z":{}}}`},
		{"GET", "/apps/1/channels?filter_by_prefix=cache-&info=cache", "", `{"channels":{"cache-z":{"cache":{"event":"e","data":"d","channel":"cache-z","ttl":$TTL}}}}`},
		{"GET", "/apps/1/channels?filter_by_prefix=presence-&info=user_count", "", `{"channels":{"presence-x":{"user_count":4}}}`},
		{"GET", "/apps/1/channels?filter_by_prefix=private-&info=subscription_count", "",
			`{"channels":{"private-y":{"subscription_count":2},"private-z":{"subscription_count":1}}}`},
		{"GET", "/apps/1/channels/private-y?info=subscription_count", "", `{"occupied":true,"subscription_count":2}`},
		{"GET", "/apps/1/channels/private-z", "", `{"occupied":true}`},
		{"GET", "/apps/1/channels/nobody", "", `{"occupied":false}`},
		{"GET", "/apps/1/channels/presence-x/users", "", `{"users":[{"id":"7"},{"id":"8"},{"id":"9"}]}`},
		{"POST", "/apps/1/events", `{"name":"e","data":"d","channels":["private-z","private-y"],"info":"subscription_count"}`,
			`{"channels":{"private-z":{"subscription_count":1},"private-y":{"subscription_count":2}}}`},
		{"POST", "/apps/1/batch_events", `{"batch":[{"name":"e","data":"d","channel":"private-z","info":"subscription_count"},{"name":"e","data":"d","channel":"private-y"}]}`,
			`{"batch":[{"subscription_count":1},{}]}`},
	} {
		for i, n := range ours {
			got := ttl.ReplaceAllString(n.asks(test.method, test.target, test.body), `"ttl":$$TTL`)
			if got != "200 "+test.want {
				t.Errorf("%s %s of node %d: got %s, want 200 %s", test.method, test.target, i, got, test.want)
			}
		}
	}
	if got := ours[0].asks("GET", "/apps/1/channels/presence-no/users", ""); got != "404 {}" {
		t.Errorf("users of an unknown channel: got %s, want 404 {}", got)
	}
}

// Somebody who listens and never answers costs the timeout, and nothing else.
func TestBridgeSilentListener(t *testing.T) {
	r := startRedis(t)
	n := startBridged(t, r, newPrefix(), bridge.Options{Timeout: time.Millisecond})
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	listener := client.Subscribe(t.Context(), "reverb")
	defer listener.Close()
	n.knows(1)
	a := n.connects("a")
	joins(t, a, "presence-x", `{"user_id":"7","user_info":{}}`)
	if got := n.asks("GET", "/apps/1/channels/presence-x/users", ""); got != `200 {"users":[{"id":"7"}]}` {
		t.Errorf("got %s", got)
	}
	if got := valueOf(t, n.counts.Incomplete); got != 1 {
		t.Errorf("%d questions were not answered by all, want 1", got)
	}
	// Who does not answer may have connections without a user.
	n.asks("POST", "/apps/1/users/7/terminate_connections", "{}")
	if got := valueOf(t, n.counts.Withheld); got != 1 {
		t.Errorf("%d terminates were withheld, want 1", got)
	}
}

// TestBridgeChannel has another name for the channel of PHP nodes. R:SC-17
func TestBridgeChannel(t *testing.T) {
	r := startRedis(t)
	n := startBridged(t, r, newPrefix(), bridge.Options{Mode: bridge.On, Channel: "other"})
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	listener := client.Subscribe(t.Context(), "other")
	defer listener.Close()
	if _, err := listener.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.publishes(`{"name":"e","channel":"x","data":"d"}`)
	got, err := listener.ReceiveMessage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.Payload, `"type":"message"`) {
		t.Errorf("got %s on the channel, want the event", got.Payload)
	}
}

func TestBridgeGarbage(t *testing.T) {
	r := startRedis(t)
	n := startBridged(t, r, newPrefix(), bridge.Options{Mode: bridge.On})
	a := n.connects("a")
	joins(t, a, "x", "")
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	app, _ := json.Marshal(serializedApp())
	garbage := []string{
		"", "{", "null", "7", `"x"`, "[]", "{}", "\xff", `{"type":7}`, `{"type":"message"}`, `{"type":"message","payload":{}}`,
		`{"type":"message","application":"x","payload":{"event":"e","channel":"x","data":"d"}}`,
		`{"type":"message","application":` + string(app) + `,"payload":"x"}`,
		`{"type":"message","application":` + string(app) + `,"payload":{"event":"e","channel":"x","data":"\ud800"}}`,
		`{"type":"message","application":` + string(app) + `,"payload":{"event":"e","channel":"\u0000online:7","data":"d"}}`,
		`{"type":"terminate","application":` + string(app) + `,"payload":[]}`,
		`{"type":"metrics","payload":"O:8:\"stdClass\":0:{}"}`, `{"type":"metrics","payload":[]}`,
		`{"type":"ABCDEFGHIJ","payload":1}`,
		`{"type":"message","application":` + string(app) + `,"payload":{"event":"e","channel":"x","data":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}}`,
	}
	for _, text := range garbage {
		if err := client.Publish(t.Context(), "reverb", text).Err(); err != nil {
			t.Fatal(err)
		}
	}
	fine := `{"type":"message","application":` + string(app) + `,"payload":{"event":"e","channel":"x","data":"fine"}}`
	if err := client.Publish(t.Context(), "reverb", fine).Err(); err != nil {
		t.Fatal(err)
	}
	hears(t, a, `{"event":"e","data":"fine","channel":"x"}`)
	if got := valueOf(t, n.counts.Malformed); got != len(garbage) {
		t.Errorf("%d messages were malformed, want %d", got, len(garbage))
	}
}

func TestBridgeOnAndOff(t *testing.T) {
	r, prefix := startRedis(t), newPrefix()
	options := bridge.Options{Linger: time.Millisecond}
	ours := [2]*bridgedNode{startBridged(t, r, prefix, options), startBridged(t, r, prefix, options)}
	isOn := func(want int) func() bool {
		return func() bool { return valueOf(t, ours[0].counts.On) == want && valueOf(t, ours[1].counts.On) == want }
	}
	isSilent := func() bool { return ours[0].broker.Why() == "" && ours[1].broker.Why() == "" }
	eventually(t, "it is off while there is only reverb-go", isSilent)
	ours[0].publishes(`{"name":"e","channel":"x","data":"1"}`)
	n := startReverb(t, r)
	p := n.subscribe("11.1", "x", "")
	eventually(t, "it is on", isOn(1))
	if why := ours[0].broker.Why(); !strings.Contains(why, "1") {
		t.Errorf("it is on, because %q", why)
	}
	ours[0].publishes(`{"name":"e","channel":"x","data":"2"}`)
	n.hears(p, `{"channel":"x","data":"2","event":"e"}`)
	n.pubsub.Close()
	<-n.done
	eventually(t, "it is off again", isOn(0))
	ours[0].publishes(`{"name":"e","channel":"x","data":"3"}`)
	if got := valueOf(t, ours[0].counts.Sent); got != 1 {
		t.Errorf("%d events were sent, want 1", got)
	}
}

// restart kills a Redis and starts another one in its place, with nothing in it.
func (r *redisServer) restart(t *testing.T, meanwhile func()) {
	t.Helper()
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	meanwhile()
	r.cmd = exec.Command(r.cmd.Path, r.cmd.Args[1:]...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func TestBridgeOutage(t *testing.T) {
	r := startRedis(t)
	theirs := startReverb(t, r)
	n := startBridged(t, r, newPrefix(), bridge.Options{})
	n.knows(1)
	n.settle = nil
	a, p := n.connects("a"), theirs.subscribe("11.1", "x", "")
	joins(t, a, "x", "")
	r.restart(t, func() {
		eventually(t, "the outage is noticed", func() bool { return n.broker.Health() != nil })
		n.publishes(`{"name":"meanwhile","channel":"x","data":"1"}`)
		hears(t, a, `{"event":"meanwhile","data":"1","channel":"x"}`)
	})
	eventually(t, "events reach the other side again", func() bool {
		n.publishes(`{"name":"again","channel":"x","data":"2"}`)
		theirs.mu.Lock()
		defer theirs.mu.Unlock()
		return slices.Contains(p.heard, `{"channel":"x","data":"2","event":"again"}`)
	})
	theirs.until("no event came twice", func() bool {
		meanwhile := slices.DeleteFunc(slices.Clone(p.heard), func(s string) bool { return !strings.Contains(s, "meanwhile") })
		return len(meanwhile) <= 1
	})
}

func TestBridgeSwitchedOff(t *testing.T) {
	r := startRedis(t)
	theirs := startReverb(t, r)
	n := startBridged(t, r, newPrefix(), bridge.Options{Mode: bridge.Off})
	p := theirs.subscribe("11.1", "x", "")
	n.publishes(`{"name":"e","channel":"x","data":"1"}`)
	theirs.say("message", `{"event":"theirs","channel":"x","data":"2"}`, "")
	theirs.hears(p, `{"channel":"x","data":"2","event":"theirs"}`)
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer client.Close()
	if got := subscribers(t, client, "reverb"); got != 1 {
		t.Errorf("there are %d subscribers, want 1", got)
	}
}

// Two clusters of reverb-go with different prefixes are strangers to each other.
func TestBridgeStrangers(t *testing.T) {
	r := startRedis(t)
	ours := [2]*bridgedNode{startBridged(t, r, newPrefix(), bridge.Options{}), startBridged(t, r, newPrefix(), bridge.Options{})}
	a, b := ours[0].connects("a"), ours[1].connects("b")
	joins(t, a, "x", "")
	joins(t, b, "x", "")
	for i := range ours {
		ours[i].knows(1)
	}
	ours[0].publishes(`{"name":"e","channel":"x","data":"1"}`)
	hears(t, a, `{"event":"e","data":"1","channel":"x"}`)
	hears(t, b, `{"event":"e","data":"1","channel":"x"}`)
	ours[1].publishes(`{"name":"e","channel":"x","data":"2"}`)
	hears(t, a, `{"event":"e","data":"2","channel":"x"}`)
	hears(t, b, `{"event":"e","data":"2","channel":"x"}`)
}

// A cache channel keeps the last event, whichever side it is from.
func TestBridgeCache(t *testing.T) {
	ours, theirs := mixed(t)
	settled := func() {
		t.Helper()
		for _, n := range ours {
			n.settle()
		}
	}
	for i, publish := range []func(data string){
		func(data string) { ours[0].publishes(`{"name":"e","channel":"cache-x","data":"` + data + `"}`) },
		func(data string) {
			theirs[0].say("message", `{"event":"e","channel":"cache-x","data":"`+data+`"}`, "")
		},
		func(data string) { ours[1].publishes(`{"name":"e","channel":"cache-x","data":"` + data + `"}`) },
	} {
		data := fmt.Sprint(i)
		witnesses := [2]*client{ours[0].connects("w"), ours[1].connects("w")}
		for _, w := range witnesses {
			joins(t, w, "cache-x", "")
			w.next() // what is kept so far
		}
		publish(data)
		want := `{"event":"e","data":"` + data + `","channel":"cache-x"}`
		for _, w := range witnesses {
			hears(t, w, want)
			w.leave(true)
		}
		settled()
		for j, n := range ours {
			late := n.connects("late")
			joins(t, late, "cache-x", "")
			if got := late.next(); got != want {
				t.Errorf("after event %d somebody who joins node %d hears %s, want %s", i, j, got, want)
			}
		}
	}
}
