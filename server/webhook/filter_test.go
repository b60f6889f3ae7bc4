package webhook

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"orders", "orders", true},
		{"orders", "orders.1", false},
		{"orders", "", false},
		{"", "", true},
		{"*", "", true},
		{"*", "anything", true},
		{"presence-*", "presence-x", true},
		{"presence-*", "presence-", true},
		{"presence-*", "presence", false},
		{"presence-*", "private-presence-x", false},
		{"*-cache-*", "private-cache-x", true},
		{"*.1", "orders.11.1", true},
		{"*.1", "orders.11.12", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"a**b", "ab", true},
		{"a.b", "axb", false},
		{"é*", "été", true},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 5000), false}, // in no time
	} {
		if got := matches(tc.pattern, tc.name); got != tc.want {
			t.Errorf("matches(%q, %q) = %v, want %v", tc.pattern, tc.name, got, tc.want)
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("presence-*", "presence-x")
	f.Add("a*b*c", "a-b-b-c")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(name) || len(pattern) > 50 {
			t.Skip("regexp takes no other strings")
		}
		re := regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `\z`)
		if got, want := matches(pattern, name), re.MatchString(name); got != want {
			t.Errorf("matches(%q, %q) = %v, want %v", pattern, name, got, want)
		}
	})
}
