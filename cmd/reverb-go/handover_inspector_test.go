//go:build linux

package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

const inspectorToken = "the-token-of-a-test"

// inspect makes a call of the inspector and returns its status.
func (s *loadServer) inspect(t *testing.T, method, call, body string, answer any) int {
	t.Helper()
	req, err := http.NewRequest(method, s.url()+"/inspector/api/"+call, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+inspectorToken)
	req.Header.Set("X-Reverb-Inspector", "test")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s: %v in %s", call, err, text)
	}
	return resp.StatusCode
}

// An inspected connection is what the inspector says of one that a restart is not to change.
type inspected struct {
	Socket, App, Addr string
	Opened            time.Time
	Channels          []struct{ Name, User string }
}

func (s *loadServer) inspected(t *testing.T) map[string]inspected {
	t.Helper()
	var found struct {
		Connections []inspected
		Total       int
	}
	if status := s.inspect(t, "GET", "connections", "", &found); status != http.StatusOK || found.Total != len(found.Connections) {
		t.Errorf("got %d, %d of %d connections", status, len(found.Connections), found.Total)
	}
	all := make(map[string]inspected)
	for _, c := range found.Connections {
		all[c.Socket] = c
	}
	return all
}

// TestInspectorOverHandover looks at connections before and after a restart, which are to look the same, and at a
// tap, which is to end.
func TestInspectorOverHandover(t *testing.T) {
	srv := startHandoverServers(t, 1, "REVERB_GO_INSPECTOR=true", "REVERB_GO_ADMIN_TOKEN="+inspectorToken,
		"REVERB_GO_TRUSTED_PROXIES=127.0.0.0/8")[0]
	member := srv.join(t, "presence-room", "7")
	proxied := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"X-Forwarded-For": {"203.0.113.7"}}}
	conn, buffered, _, err := proxied.Dial(t.Context(), fmt.Sprintf("ws://127.0.0.1:%d/app/app-key", srv.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if buffered != nil {
		ws.PutReader(buffered)
	}
	before := srv.inspected(t)
	var old, now struct {
		PID    int
		Totals map[string]float64
	}
	srv.inspect(t, "GET", "overview", "", &old)
	var tap struct{ ID string }
	srv.inspect(t, "POST", "taps", `{"socket":"`+member.id+`"}`, &tap)

	srv.restart(t)
	var ended struct{ Error string }
	if status := srv.inspect(t, "GET", "tap?id="+tap.ID, "", &ended); status != http.StatusNotFound || ended.Error != "this tap has ended" {
		t.Errorf("the tap: got %d %s", status, ended.Error)
	}
	compareInspected(t, before, srv.inspected(t))
	srv.inspect(t, "GET", "overview", "", &now)
	if now.PID == old.PID || now.Totals["connections"] != 2 || now.Totals["connections_opened_total"] != old.Totals["connections_opened_total"] {
		t.Errorf("got process %d with %v, after process %d with %v", now.PID, now.Totals, old.PID, old.Totals)
	}
	srv.tapAfterHandover(t, member)
}

func compareInspected(t *testing.T, before, after map[string]inspected) {
	t.Helper()
	addrs := make(map[string]bool)
	for id, was := range before {
		is := after[id]
		addrs[is.Addr] = true
		if moved := is.Opened.Sub(was.Opened).Abs(); moved > 2*time.Second { // both are cut to seconds
			t.Errorf("%s: opened at %v, before the restart at %v", id, is.Opened, was.Opened)
		}
		if is.Opened = was.Opened; !reflect.DeepEqual(is, was) {
			t.Errorf("got %+v, before the restart %+v", is, was)
		}
	}
	if len(after) != 2 || !addrs["127.0.0.1"] || !addrs["203.0.113.7"] {
		t.Errorf("got %+v", after)
	}
}

// tapAfterHandover follows a connection that has come from another process, until that is over for good.
func (s *loadServer) tapAfterHandover(t *testing.T, c *loadClient) {
	t.Helper()
	var tap struct{ ID string }
	if status := s.inspect(t, "POST", "taps", `{"socket":"`+c.id+`"}`, &tap); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	var published struct{ Subscribers int }
	s.inspect(t, "POST", "publish", `{"app":"app-id","channel":"presence-room","event":"test","data":"{}"}`, &published)
	if heard := c.hear(); published.Subscribers != 1 || !strings.Contains(heard, `"event":"test"`) {
		t.Errorf("%d subscribers, heard %s", published.Subscribers, heard)
	}
	var seen struct {
		Events []struct{ What, Event, Channel string }
	}
	s.inspect(t, "GET", "tap?id="+tap.ID, "", &seen)
	if got := fmt.Sprint(seen.Events); got != "[{sent test presence-room}]" {
		t.Errorf("the tap shows %s", got)
	}
}
