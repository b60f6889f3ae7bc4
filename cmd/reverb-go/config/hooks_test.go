package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/server/webhook"
)

const hookedApp = `
apps:
  apps:
    - app_id: 1
      key: k
      secret: s
      enabled: false
      max_subscriptions: 7
`

func TestHooksOfFile(t *testing.T) {
	place(t, map[string]string{"reverb.yaml": hookedApp + `
      webhooks:
        - url: https://user:secret@one.example/token
          events: [member_added, member_removed]
          channels: ["presence-*"]
          headers: {Authorization: Bearer x}
        - url: https://two.example/
          unbatched: true
      jobs: {class: 'App\Jobs\ReverbEvent', queue: high}
      streams:
        - key: events
          max_len: 5
`})
	c := mustLoad(t, Sources{File: "reverb.yaml"})
	want := webhook.Destinations{
		Endpoints: []webhook.Endpoint{
			{
				URL: "https://user:secret@one.example/token", Events: []channels.EventName{"member_added", "member_removed"},
				Channels: []string{"presence-*"}, Headers: map[string]string{"Authorization": "Bearer x"},
			},
			{URL: "https://two.example/", Unbatched: true},
		},
		Jobs:    []webhook.Jobs{{Class: `App\Jobs\ReverbEvent`, Queue: "high"}},
		Streams: []webhook.Stream{{Key: "events", MaxLen: 5}},
	}
	if got := c.Apps[0].Hooks; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if a := c.Apps[0]; !a.IsDisabled || a.MaxSubscriptions != 7 {
		t.Errorf("got disabled %t, max subscriptions %d", a.IsDisabled, a.MaxSubscriptions)
	}
	wantSetting(t, c, "apps.apps.0.webhooks", []string{"one.example", "two.example"}, "reverb.yaml:11")
}

func TestHooksOfVariables(t *testing.T) {
	place(t, map[string]string{})
	c := mustLoad(t, Sources{Environ: []string{
		"REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s",
		"REVERB_GO_WEBHOOK_URL=https://one.example/", "REVERB_GO_WEBHOOK_EVENTS=cache_miss, client_event",
		`REVERB_GO_JOBS_CLASS=App\Jobs\ReverbEvent`, "REVERB_GO_EVENT_STREAM=events",
	}})
	want := webhook.Destinations{
		Endpoints: []webhook.Endpoint{{URL: "https://one.example/", Events: []channels.EventName{"cache_miss", "client_event"}}},
		Jobs:      []webhook.Jobs{{Class: `App\Jobs\ReverbEvent`}},
		Streams:   []webhook.Stream{{Key: "events"}},
	}
	if got := c.Apps[0].Hooks; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	wantSetting(t, c, "apps.apps.0.webhook_url", "••••", "environment REVERB_GO_WEBHOOK_URL")
}

func TestHookErrors(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{"      webhooks: [{urls: https://one.example/}]", `has the unknown key "urls"`},
		{"      webhooks: here", "no list of blocks"},
		{"      webhooks: [{url: ftp://one.example/}]", "a url is not one of a web server"},
		{"      webhooks: [{url: https://one.example/, events: [member_add]}]", `there is no event "member_add"`},
		{"      jobs: [{class: no-class}]", `"no-class" is not the name of a PHP class`},
		{"      streams: [{max_len: 5}]", "a stream has no key"},
		{"      streams: [{key: a, max_len: many}]", "no whole number"},
		{"      webhooks: [{url: https://one.example/, headers: no}]", "no block of texts"},
	} {
		place(t, map[string]string{"reverb.yaml": hookedApp + tt.yaml + "\n"})
		_, err := Load(Sources{File: "reverb.yaml"})
		var p *Problem
		if !errors.As(err, &p) || !strings.Contains(p.Sentence, tt.want) || p.Hint == "" {
			t.Errorf("%s: got %#v, want a problem with %q", tt.yaml, err, tt.want)
		}
	}
}

func TestServerTargetErrors(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"REVERB_GO_TRUSTED_PROXIES=10.0.0.0/99", `"10.0.0.0/99" is no address`},
		{"REVERB_GO_MEMORY_LIMIT=lots", "no percentage"},
		{"REVERB_GO_MEMORY_LIMIT=101", "no percentage"},
		{"REVERB_GO_BRIDGE=maybe", "means nothing here"},
	} {
		place(t, map[string]string{})
		_, err := Load(Sources{Environ: []string{tt.env}})
		var p *Problem
		if !errors.As(err, &p) || !strings.Contains(p.Sentence, tt.want) || p.Hint == "" {
			t.Errorf("%s: got %#v, want a problem with %q", tt.env, err, tt.want)
		}
	}
}
