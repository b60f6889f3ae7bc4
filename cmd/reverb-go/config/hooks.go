package config

import (
	"net/url"
	"strings"

	"github.com/reverb-go/reverb-go/server/webhook"
)

func endpointFields(e *webhook.Endpoint) []field {
	return []field{
		{"url", text(&e.URL)},
		{"events", words(&e.Events)},
		{"channels", words(&e.Channels)},
		{"headers", table(&e.Headers)},
		{"unbatched", truth(&e.Unbatched)},
	}
}

func jobFields(j *webhook.Jobs) []field {
	return []field{
		{"queue", text(&j.Queue)},
		{"class", text(&j.Class)},
		{"events", words(&j.Events)},
		{"channels", words(&j.Channels)},
	}
}

func streamFields(s *webhook.Stream) []field {
	var length int
	return []field{
		{"key", text(&s.Key)},
		{"max_len", target{
			set: func(v any) error {
				err := number(&length, 1).set(v)
				s.MaxLen = int64(length)
				return err
			},
			show: func() any { return length },
		}},
		{"events", words(&s.Events)},
		{"channels", words(&s.Channels)},
	}
}

// hostOf leaves out what may be a secret: a token in the path, the query, or before the host.
func hostOf(e webhook.Endpoint) string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "a url that cannot be read"
	}
	return u.Host
}

func classOf(j webhook.Jobs) string { return j.Class }

func keyOf(s webhook.Stream) string { return s.Key }

// addHooks adds what variables say to the lists, and checks them all.
func (a *App) addHooks() error {
	if a.webhook.URL != "" {
		a.Hooks.Endpoints = append(a.Hooks.Endpoints, a.webhook)
	}
	if a.job.Class != "" {
		a.Hooks.Jobs = append(a.Hooks.Jobs, a.job)
	}
	if a.stream.Key != "" {
		a.Hooks.Streams = append(a.Hooks.Streams, a.stream)
	}
	if err := (webhook.Config{a.ID: a.Hooks}).Validate(); err != nil {
		sentence, hint, _ := strings.Cut(err.Error(), "; hint: ")
		return &Problem{sentence, hint}
	}
	return nil
}
