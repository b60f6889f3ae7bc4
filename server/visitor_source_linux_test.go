package server_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

// slowApps is a source that may wait, and counts who asks.
type slowApps struct {
	server.AppSource
	asked atomic.Int32
}

func (s *slowApps) ByKey(key string) (*auth.App, error) {
	s.asked.Add(1)
	return s.AppSource.ByKey(key)
}

func (s *slowApps) ByID(id string) (*auth.App, error) {
	s.asked.Add(1)
	return s.AppSource.ByID(id)
}

// rememberingApps recalls apps once it has been asked for one.
type rememberingApps struct {
	slowApps
	all *auth.Apps
}

func (r *rememberingApps) RecallByKey(key string) (*auth.App, bool) {
	if r.asked.Load() == 0 {
		return nil, false
	}
	return r.all.RecallByKey(key)
}

func (r *rememberingApps) RecallByID(id string) (*auth.App, bool) {
	if r.asked.Load() == 0 {
		return nil, false
	}
	return r.all.RecallByID(id)
}

// TestSourceThatWaits has apps looked up somewhere: a loop answers for those that can be recalled, and never asks.
func TestSourceThatWaits(t *testing.T) {
	apps, known := readApps(t, &script{})
	slow := &slowApps{AppSource: apps}
	remembering := &rememberingApps{slowApps{AppSource: apps}, apps}
	for _, tt := range []struct {
		name   string
		source server.AppSource
		asked  *atomic.Int32
		want   int32 // lookups for two handshakes, two events and a request of nobody
	}{
		{"always", slow, &slow.asked, 5},
		{"once", remembering, &remembering.asked, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on := &stage{apps: known, now: time.Now}
			raise(t, on, []server.Broker{scaling.NewLocal()}, server.Config{Apps: tt.source, Loops: 2})
			ear, c := subscriber(t, on, "ear"), call(t, on, "")
			for _, data := range []string{"a", "b"} {
				c.say(eventText(on, data))
				c.wantAnswers(okay)
				ear.wantEvents(t, data)
			}
			c.say("POST /apps/nobody/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
			c.wantAnswers(`404 {"error":"No matching application for ID [nobody].","code":404}`)
			c.say(wsHead + "\r\n")
			c.wantAnswers("101")
			c.wantText("connection_established")
			if got := tt.asked.Load(); got != tt.want {
				t.Errorf("the source was asked %d times, want %d", got, tt.want)
			}
		})
	}
}
