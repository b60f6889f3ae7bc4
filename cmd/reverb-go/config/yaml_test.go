package config

import (
	"errors"
	"testing"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// Whatever is in the file, there is a tree or a fault with its line.
func FuzzParseYAML(f *testing.F) {
	f.Add("servers:\n  reverb: {port: 0x1F90, host: \"::1\"} # c\napps: &a\n  - *a\n")
	f.Add("a: |\n  b\n  c\nd: ~\n<<: {e: [.inf, 1_000, 2026-01-01]}\n---\n? x\n: !!str 5\n")
	f.Fuzz(func(t *testing.T, s string) {
		root, err := parseYAML([]byte(s))
		if err == nil {
			if root == nil {
				t.Error("got neither a tree nor a fault")
			}
			return
		}
		var fault *laravel.SyntaxError
		if !errors.As(err, &fault) || fault.Line < 1 || fault.Hint == "" {
			t.Errorf("got %#v, want a fault with a line and a hint", err)
		}
	})
}
