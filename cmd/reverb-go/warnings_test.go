package main

import (
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server/webhook"
)

func TestWarnings(t *testing.T) {
	app := func(host, port, scheme string) config.Config {
		a := config.App{Host: host, Port: port, Scheme: scheme, App: auth.App{ID: "1", Key: "k", Secret: "s"}}
		return config.Config{Port: 8080, Apps: []config.App{a}}
	}
	credentials := func(key, secret string) config.Config {
		return config.Config{Apps: []config.App{{App: auth.App{ID: "1", Key: key, Secret: secret}}}}
	}
	jobs := func(prefix string) config.Config {
		hooks := webhook.Destinations{Jobs: []webhook.Jobs{{Class: "A"}}}
		return config.Config{RedisPrefix: prefix, Apps: []config.App{{App: auth.App{ID: "1", Key: "k", Secret: "s"}, Hooks: hooks}}}
	}
	tests := []struct {
		name   string
		cfg    config.Config
		secure bool
		files  uint64
		want   string // "" is no warning
	}{
		{name: "nothing"},
		{name: "from the configuration", cfg: config.Config{Warnings: []config.Problem{{Sentence: "so it is", Hint: "h"}}}, want: "so it is"},
		{name: "enough files", files: 10_000},
		{name: "few files", files: 1024, want: "only 1024 files"},
		{name: "PROXY protocol with nobody", cfg: config.Config{ProxyProtocol: true}, want: "no proxy is trusted"},
		{name: "jobs without a prefix", cfg: jobs(""), want: "without a prefix"},
		{name: "jobs with one", cfg: jobs("laravel_database_")},

		{name: "key of an example", cfg: credentials("my-app-key", "s"), want: `the key of app "1"`},
		{name: "secret of an example", cfg: credentials("k", "secret"), want: `the secret of app "1"`},

		{name: "as reverb:install writes it", cfg: app("localhost", "8080", "http")},
		{name: "as Laravel's defaults are", cfg: app("", "443", "https")},
		{name: "behind a proxy", cfg: app("ws.example.com", "443", "https")},
		{name: "behind a proxy on this machine", cfg: app("localhost", "443", "https")},
		{name: "with a certificate", cfg: app("ws.example.com", "8080", "https"), secure: true},
		{name: "an address to listen on", cfg: app("0.0.0.0", "8080", "http"), want: "sent to the host 0.0.0.0"},
		{name: "the same in IPv6", cfg: app("[::]", "8080", "http"), want: "sent to the host [::]"},
		{name: "https without a certificate", cfg: app("localhost", "8080", "https"), want: "https://localhost:8080, where this server listens without"},
		{name: "http with one", cfg: app("localhost", "8080", "http"), secure: true, want: "http://localhost:8080, where this server expects TLS"},
		{name: "another port of this machine", cfg: app("127.0.0.1", "6001", "http"), want: "http://127.0.0.1:6001, and this server listens on port 8080"},
		{name: "an escape sequence", cfg: app("127.0.0.1", "\x1b[2J", "http"), want: "http://127.0.0.1:\uFFFD[2J,"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := warnings(&tt.cfg, tt.secure, tt.files)
			if tt.want == "" {
				if len(got) != 0 {
					t.Errorf("got %q, want none", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0].Sentence, tt.want) || got[0].Hint == "" {
				t.Errorf("got %q, want one with %q and a hint", got, tt.want)
			}
		})
	}
}
