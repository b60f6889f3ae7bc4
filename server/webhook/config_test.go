package webhook

import (
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/channels"
)

func TestValidate(t *testing.T) {
	headers := func(name, value string) Destinations {
		return Destinations{Endpoints: []Endpoint{{URL: hook, Headers: map[string]string{name: value}}}}
	}
	for _, tc := range []struct {
		name string
		cfg  Destinations
		want string // what the error says; "" is none
	}{
		{"nothing", Destinations{}, ""},
		{"everything", Destinations{
			Endpoints: []Endpoint{{URL: hook, Events: eventNames[:], Channels: []string{"*", "presence-*"}, Headers: map[string]string{"authorization": "Bearer x", "Host": "a"}}},
			Jobs:      []Jobs{{Class: `App\Jobs\ReverbEvent`, Queue: "high"}, {Class: "Événement_2"}},
			Streams:   []Stream{{Key: "reverb:events", MaxLen: 10}},
		}, ""},
		{"no url", Destinations{Endpoints: []Endpoint{{}}}, "not one of a web server"},
		{"a path", Destinations{Endpoints: []Endpoint{{URL: "/hooks"}}}, "not one of a web server"},
		{"another scheme", Destinations{Endpoints: []Endpoint{{URL: "ftp://t0k3n@a/"}}}, "not one of a web server"},
		{"an unknown event", Destinations{Endpoints: []Endpoint{{URL: hook, Events: []channels.EventName{"member-added"}}}}, "channel_occupied, channel_vacated, member_added"},
		{"an empty pattern", Destinations{Endpoints: []Endpoint{{URL: hook, Channels: []string{""}}}}, "pattern is empty"},
		{"a header with a space", headers("X Y", "z"), "not a header"},
		{"a header with a line end", headers("X", "z\r\nY: z"), "not a header"},
		{"Pusher's header", headers("x-pusher-key", "z"), "X-Pusher-Key is set by reverb-go"},
		{"the content type", headers("content-type", "z"), "Content-Type is set by reverb-go"},
		{"jobs without class", Destinations{Jobs: []Jobs{{Queue: "default"}}}, "not the name of a PHP class"},
		{"a class written with slashes", Destinations{Jobs: []Jobs{{Class: "App/Jobs/ReverbEvent"}}}, "not the name of a PHP class"},
		{"a class with a leading backslash", Destinations{Jobs: []Jobs{{Class: `\App\Jobs\ReverbEvent`}}}, "not the name of a PHP class"},
		{"a class with an escaped backslash", Destinations{Jobs: []Jobs{{Class: `App\\Jobs`}}}, "not the name of a PHP class"},
		{"an unknown event for jobs", Destinations{Jobs: []Jobs{{Class: "A", Events: []channels.EventName{"x"}}}}, "no event"},
		{"a stream without key", Destinations{Streams: []Stream{{}}}, "no key"},
		{"a stream of negative length", Destinations{Streams: []Stream{{Key: "a", MaxLen: -1}}}, "cannot keep"},
		{"an empty pattern for a stream", Destinations{Streams: []Stream{{Key: "a", Channels: []string{""}}}}, "pattern is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Config{"1": tc.cfg}.Validate()
			if tc.want == "" {
				if err != nil {
					t.Errorf("Validate: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "hint: ") {
				t.Errorf("Validate: got %v, want something about %q, with a hint", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "t0k3n") {
				t.Errorf("the error has a secret: %v", err)
			}
		})
	}
}
