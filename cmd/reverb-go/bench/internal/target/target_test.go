package target

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		url  string
		want Target
	}{
		{"ws://127.0.0.1:8080", Target{Name: "127.0.0.1:8080", Host: "127.0.0.1:8080"}},
		{"http://localhost", Target{Name: "localhost:80", Host: "localhost:80"}},
		{"wss://x.test/ws/", Target{Name: "x.test:443", Host: "x.test:443", Secure: true, Prefix: "/ws"}},
		{"ws://k:s@[::1]:6001/7", Target{Name: "[::1]:6001", Host: "[::1]:6001", Key: "k", Secret: "s", AppID: "7"}},
		{"ws://k:s%2F@h:1/a/b/7", Target{Name: "h:1", Host: "h:1", Key: "k", Secret: "s/", AppID: "7", Prefix: "/a/b"}},
		{"ws://k:s@h:1", Target{Name: "h:1", Host: "h:1", Key: "k", Secret: "s"}},
		{"ws://h:1?pid=12&metrics=http://h:2/metrics", Target{Name: "h:1", Host: "h:1", PID: 12, Metrics: "http://h:2/metrics"}},
	} {
		t.Run(tt.url, func(t *testing.T) {
			got, err := Parse("", tt.url)
			if err != nil || got != tt.want {
				t.Errorf("Parse = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "127.0.0.1:8080", "ftp://h", "ws://", "ws:///x", "ws://k:geheim@h:x/1", "ws://h?pid=0", "ws://h?pids=1"} {
		t.Run(text, func(t *testing.T) {
			_, err := Parse("", text)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	for _, tt := range []struct {
		url  string
		own  bool
		want error
	}{
		{"ws://127.0.0.1:1", false, nil},
		{"ws://127.9.8.7:1", false, nil},
		{"ws://[::1]:1", false, nil},
		{"ws://[::ffff:127.0.0.1]:1", false, nil},
		{"ws://192.0.2.1:1", false, ErrNotLoopback},
		{"ws://0.0.0.0:1", false, ErrNotLoopback},
		{"ws://[2001:db8::1]:1", false, ErrNotLoopback},
		{"ws://192.0.2.1:1", true, nil},
	} {
		t.Run(tt.url, func(t *testing.T) {
			target, err := Parse("", tt.url)
			if err != nil {
				t.Fatal(err)
			}
			if err := target.Resolve(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := target.Allow(tt.own); !errors.Is(err, tt.want) {
				t.Errorf("Allow(%v) = %v, want %v", tt.own, err, tt.want)
			}
		})
	}
}

// TestAllowBeforeResolve must not take an unknown address for a local one.
func TestAllowBeforeResolve(t *testing.T) {
	if err := (Target{Host: "127.0.0.1:1"}).Allow(false); err == nil {
		t.Error("a target without an address is allowed")
	}
}

func TestStringHasNoSecret(t *testing.T) {
	target, err := Parse("", "ws://k:geheim@h:1/p/7")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := target.String(), "ws://h:1/p"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	target.Secret = ""
	if err := target.Check(); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("Check() = %v, want the secret missed", err)
	}
}
