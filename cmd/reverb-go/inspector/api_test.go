package inspector

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

func TestOverview(t *testing.T) {
	s := serve(t, "")
	s.join("presence-room 7", "news")
	s.skip(overviewTTL)
	var o overview
	s.call("GET", "overview", "", &o)
	want := appNumbers{ID: "1", Connections: 1, Channels: 2, Subscriptions: 2}
	if len(o.Apps) != 2 || o.Apps[0] != want || o.Apps[1] != (appNumbers{ID: "2"}) {
		t.Errorf("got apps %+v, want %+v and 2", o.Apps, want)
	}
	connections := 0
	for _, l := range o.Loops {
		connections += l.Connections
		if !l.Answers {
			t.Errorf("loop %d does not answer", l.Index)
		}
	}
	if connections != 1 || o.Totals["connections"] != 1 || o.Totals["messages_received_total"] != 2 || o.Version != "v1" || o.Viewers != 1 || o.Health != "" {
		t.Errorf("got %d connections of loops, %+v", connections, o)
	}
	// Whoever asks soon again gets the same.
	var again overview
	s.call("GET", "overview", "", &again)
	if !again.At.Equal(o.At) {
		t.Errorf("it was worked out anew at %v, after %v", again.At, o.At)
	}
}

func TestNodesAlone(t *testing.T) {
	s := serve(t, "")
	var nodes struct{ Nodes []nodeView }
	s.call("GET", "nodes", "", &nodes)
	if nodes.Nodes == nil || len(nodes.Nodes) > 0 {
		t.Errorf("got %v", nodes.Nodes)
	}
}

// TestNodes lists this node and another one, whose lease is over.
func TestNodes(t *testing.T) {
	var asked atomic.Int32
	s := serveWith(t, Options{Nodes: func(context.Context) ([]scaling.NodeInfo, error) {
		asked.Add(1)
		host, _ := os.Hostname()
		return []scaling.NodeInfo{
			{ID: "a", About: scaling.About{Name: host, PID: os.Getpid(), Version: "v1"}, Connections: map[string]int{"1": 3}, Lease: 9 * time.Second},
			{ID: "b", About: scaling.About{Name: "elsewhere", PID: os.Getpid()}, Waiting: 4, Lease: -time.Second},
		}, nil
	}})
	var nodes struct{ Nodes []nodeView }
	for range 2 {
		s.call("GET", "nodes", "", &nodes)
	}
	if a := nodes.Nodes[0]; !a.IsThis || a.Lease != 9 || a.Connections["1"] != 3 || a.Version != "v1" {
		t.Errorf("got %+v", a)
	}
	if b := nodes.Nodes[1]; b.IsThis || b.Lease != -1 || b.Waiting != 4 || len(nodes.Nodes) != 2 {
		t.Errorf("got %+v", b)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("Redis was asked %d times", n)
	}
}

func TestConnections(t *testing.T) {
	s := serve(t, "")
	a := s.join("presence-room 7", "news")
	b := s.join("presence-room 70", "private-orders.7")
	for _, tt := range []struct {
		by, q, app string
		want       []string // socket ids
	}{
		{"", "", "", []string{a.ID, b.ID}},
		{"", "", "1", []string{a.ID, b.ID}},
		{"", "", "2", nil},
		{"user", "7", "", []string{a.ID}},
		{"user", "70", "1", []string{b.ID}},
		{"user", "70", "2", nil},
		{"channel", "room", "", []string{a.ID, b.ID}},
		{"channel", "orders", "", []string{b.ID}},
		{"channel", "7", "", []string{b.ID}},
		{"ip", "127.0.0.1", "", []string{a.ID, b.ID}},
		{"ip", "127.", "", []string{a.ID, b.ID}},
		{"ip", "127.0.0.0/8", "", []string{a.ID, b.ID}},
		{"ip", "10.0.0.0/8", "", nil},
		{"socket", a.ID, "", []string{a.ID}},
		{"", b.ID, "", []string{b.ID}},
		{"", "news", "", []string{a.ID}},
		{"", "7", "", []string{a.ID, b.ID}},
		{"", "127.0.0.1", "", []string{a.ID, b.ID}},
	} {
		var found server.FoundConns
		s.call("GET", "connections?"+url.Values{"by": {tt.by}, "q": {tt.q}, "app": {tt.app}}.Encode(), "", &found)
		var got []string
		for _, c := range found.Connections {
			got = append(got, c.Socket)
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) || found.Total != len(tt.want) || found.IsPartial {
			t.Errorf("%s %q of app %q: got %v of %+v, want %v", tt.by, tt.q, tt.app, got, found, tt.want)
		}
		s.skip(viewerTime / 10)
	}
	s.refused("GET", "connections?by=socket&q=x", "", http.StatusUnprocessableEntity, "no socket id")
	s.refused("GET", "connections?by=shoe", "", http.StatusUnprocessableEntity, "cannot be looked for by shoe")
}

func TestConnectionDetails(t *testing.T) {
	s := serve(t, "")
	c := s.join("presence-room 7", "news")
	if err := c.Signin(`{"id":"u","user_info":{"name":"secret"}}`); err != nil {
		t.Fatal(err)
	}
	s.hear(c, "pusher:signin_success")
	var found server.FoundConns
	s.call("GET", "connections?q="+c.ID, "", &found)
	got := found.Connections[0]
	want := []server.ConnChannel{{Name: "presence-room", User: "7"}, {Name: "news"}}
	if got.App != "1" || got.User != "u" || got.Addr != "127.0.0.1" || got.Subscriptions != 2 || !slices.Equal(got.Channels, want) || got.Opened.IsZero() {
		t.Errorf("got %+v", got)
	}
	if _, text, _ := s.do("GET", prefix+"/api/connections", ""); strings.Contains(text, "secret") {
		t.Errorf("more than the id is said about a user: %s", text)
	}
}

// TestAddressBehindProxy looks for a client by the address that a trusted proxy has told.
func TestAddressBehindProxy(t *testing.T) {
	s := serve(t, testToken, "127.0.0.0/8")
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"X-Forwarded-For": {"203.0.113.7"}}}
	conn, buffered, _, err := dialer.Dial(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/app/app-key")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if buffered != nil {
		defer ws.PutReader(buffered)
	}
	s.join()
	s.await("it is found", func() bool {
		s.skip(viewerTime / 10)
		var found server.FoundConns
		s.call("GET", "connections?by=ip&q=203.0.113.0/24", "", &found)
		return found.Total == 1 && found.Connections[0].Addr == "203.0.113.7"
	})
}

func TestChannels(t *testing.T) {
	s := serve(t, "")
	s.join("presence-room 7", "news", "private-cache-x")
	s.join("presence-room 8", "news")
	var list struct {
		Channels []channelView
		Total    int
	}
	s.call("GET", "channels?app=1", "", &list)
	want := `[{news [public] 2 0} {presence-room [presence] 2 2} {private-cache-x [private cache] 1 0}]`
	if got := fmt.Sprint(list.Channels); got != want || list.Total != 3 {
		t.Errorf("got %d: %s\nwant %s", list.Total, got, want)
	}
	s.call("GET", "channels?app=1&q=room", "", &list)
	if list.Total != 1 || list.Channels[0].Name != "presence-room" {
		t.Errorf("got %+v", list)
	}
	var one struct {
		channelView
		Members []string
		Cached  int
	}
	s.call("GET", "channel?app=1&name=presence-room", "", &one)
	slices.Sort(one.Members)
	if one.Subscriptions != 2 || one.Users != 2 || !slices.Equal(one.Members, []string{"7", "8"}) {
		t.Errorf("got %+v", one)
	}
	s.call("POST", "publish", `{"app":"1","channel":"private-cache-x","event":"e","data":"1"}`, &struct{}{})
	s.await("the event is kept", func() bool {
		s.call("GET", "channel?app=1&name=private-cache-x", "", &one)
		s.skip(viewerTime / 10)
		return one.Cached > 0
	})
}

func TestPublish(t *testing.T) {
	s := serve(t, "")
	c := s.join("news")
	var answer struct{ Subscribers int }
	s.call("POST", "publish", `{"app":"1","channel":"news","event":"test","data":"{\"a\":\"é/\"}"}`, &answer)
	if e := s.hear(c, "test"); e.Text() != `{"a":"é/"}` || answer.Subscribers != 1 {
		t.Errorf("got %s, %d subscribers", e.Raw, answer.Subscribers)
	}
	s.call("POST", "publish", `{"app":"2","channel":"news","event":"test","data":""}`, &answer)
	if answer.Subscribers != 0 {
		t.Errorf("got %d subscribers of another app", answer.Subscribers)
	}
	s.refused("POST", "publish", `{"app":"3","channel":"news","event":"test"}`, http.StatusNotFound, "there is no app")
	s.refused("POST", "publish", `{"app":"1","event":"test"}`, http.StatusUnprocessableEntity, "no name or no channel")
	s.refused("POST", "publish", `{`, http.StatusBadRequest, "cannot be read")
	s.refused("GET", "publish", ``, http.StatusMethodNotAllowed, "not for publish")
	s.refused("GET", "shoes", ``, http.StatusNotFound, "no call shoes")
}

func TestClose(t *testing.T) {
	s := serve(t, "")
	a, b := s.join("presence-room 7"), s.join("presence-room 8")
	s.call("POST", "close", `{"socket":"`+a.ID+`"}`, &struct{}{})
	s.ended(a)
	s.call("POST", "terminate", `{"app":"1","user":"8"}`, &struct{}{})
	s.ended(b)
	s.await("it has gone", func() bool {
		s.skip(viewerTime / 10)
		status, _, _ := s.do("POST", prefix+"/api/close", `{"socket":"`+a.ID+`"}`)
		return status == http.StatusNotFound
	})
	s.refused("POST", "close", `{"socket":"1.1"}`, http.StatusNotFound, "no connection 1.1")
	s.refused("POST", "terminate", `{"app":"3","user":"8"}`, http.StatusNotFound, "no app")
	s.refused("POST", "terminate", `{"app":"1"}`, http.StatusUnprocessableEntity, "no user")
}

func TestExplain(t *testing.T) {
	s := serve(t, "")
	a, b := s.join("private-orders"), s.join()
	for _, tt := range []struct {
		name, channel, data, auth string
		accepted                  bool
		want                      string
	}{
		{"right", "private-x", "", s.app.SignChannel(a.ID, "private-x", ""), true, ""},
		{"for another connection", "private-x", "", s.app.SignChannel(b.ID, "private-x", ""), false, "for the socket id " + b.ID},
		{"for another channel", "private-x", "", s.app.SignChannel(a.ID, "private-orders", ""), false, `for the channel "private-orders"`},
		{"of another app", "private-x", "", newApp(t, "2", "other-key", "other-secret").SignChannel(a.ID, "private-x", ""), false, `the key is that of app "2"`},
		{"cut", "private-x", "", "app-key:12", false, "2 digits"},
		{"data not signed", "presence-x", `{"user_id":"7"}`, s.app.SignChannel(a.ID, "presence-x", ""), false, "channel_data is not signed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e explanation
			s.call("POST", "explain", fmt.Sprintf(`{"app":"1","socket_id":%q,"channel":%q,"data":%q,"auth":%q}`, a.ID, tt.channel, tt.data, tt.auth), &e)
			if e.Accepted != tt.accepted || !strings.Contains(fmt.Sprint(e.Findings), tt.want) || !strings.HasPrefix(e.StringToSign, a.ID+":"+tt.channel) {
				t.Errorf("got %+v, want %v %s", e, tt.accepted, tt.want)
			}
		})
		s.skip(viewerTime / 10)
	}
	_, text, _ := s.do("POST", prefix+"/api/explain", `{"app":"1","socket_id":"1.1","channel":"private-x","auth":"app-key:12"}`)
	if !strings.Contains(text, "no connection with the socket id 1.1") {
		t.Errorf("got %s", text)
	}
	_, right, _ := strings.Cut(s.app.SignChannel("1.1", "private-x", ""), ":")
	if strings.Contains(text, right) || strings.Contains(text, "app-secret") {
		t.Errorf("the right signature is given away: %s", text)
	}
	s.refused("POST", "explain", `{"app":"3","channel":"x"}`, http.StatusNotFound, "no app")
	s.refused("POST", "explain", `{"app":"1"}`, http.StatusUnprocessableEntity, "the channel has no name")
}
