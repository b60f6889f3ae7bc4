package auth

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// R:HS-11, with R:HS-09, R:HS-12 and R:HS-13 at its edges.
func TestAllowsOrigin(t *testing.T) {
	for _, test := range []struct {
		entries string // separated by spaces
		origin  string
		want    bool
	}{
		{"laravel.com", "http://laravel.com", true},
		{"laravel.com", "https://laravel.com:8443/x", true},
		{"laravel.com", "https://laravel.com?x", true},
		{"laravel.com", "http://sub.laravel.com", false},
		{"laravel.com", "http://laravel.com.", false},
		{"laravel.com", "http://laravel.com.evil.org", false},
		{"laravel.com", "http://evil.org/laravel.com", false},
		{"laravel.com", "http://evil.org#laravel.com", false},
		{"laravel.com", "http://laravel.com@evil.org", false},
		{"laravel.com", "http://LARAVEL.com", false},
		{"laravel.com", "laravel.com", false},
		{"laravel.com", "laravel.com:8443", false},
		{"laravel.com", "//laravel.com", false},
		{"laravel.com", "null", false},
		{"laravel.com", "file://", false},
		{"laravel.com", "", false},
		{"LARAVEL.com", "http://LARAVEL.com", true},
		{"null", "null", false},

		{"*", "http://laravel.com", true},
		{"*", "null", true},
		{"*", "", true},
		{"laravel.com *", "", true},
		{"**", "http://laravel.com", true},
		{"**", "", false},
		{"", "http://laravel.com", false},
		{"", "", false},

		{"*.example.com", "https://a.b.example.com", true},
		{"*.example.com", "https://example.com", false},
		{"*.example.com", "https://a.example.com.evil.org", false},
		{"example.*", "http://example.com", true},
		{"example.*", "http://my.example.com", false},
		{"*a*b*c", "http://aabbcc", true},
		{"*a*b*c", "http://aaccbb", false},
		{"ab*ba", "http://aba", false},
		{"a.c", "http://abc", false},
		{"one.com two.com", "http://two.com", true},

		{"https://laravel.com", "https://laravel.com", false},
		{"laravel.com:8443", "https://laravel.com:8443", false},
		{"localhost", "http://localhost:3000", true},
		{"127.0.0.1", "http://127.0.0.1:5173", true},
		{"[::1]", "http://[::1]:3000", true},
		{"[::1]", "http://[::1]", true},
		{"laravel.com", "http://laravel.com:", true},
		{"laravel.com", "http://laravel.com:x", false},
		{"laravel.com", "http://laravel.com\x00", false},
	} {
		a := newApp(t, func(a *App) { a.AllowedOrigins = strings.Fields(test.entries) })
		if got := a.AllowsOrigin(test.origin); got != test.want {
			t.Errorf("%q allows %q: got %v, want %v", test.entries, test.origin, got, test.want)
		}
	}
}

// FuzzAllowsOrigin compares with the regular expression that Reverb makes of an entry.
func FuzzAllowsOrigin(f *testing.F) {
	f.Add("laravel.com", "laravel.com", ":8443")
	f.Add("*.example.com", "a.b.example.com", "")
	f.Add("*a*b*c", "aabbcc", ":")
	f.Add("a.c", "abc", "/path")
	f.Add("[::1]", "[::1]", ":80")
	f.Add("*", "", "")
	plainHost := regexp.MustCompile(`^(\[[0-9a-f:]+\]|[0-9A-Za-z._-]+)$`)
	plainRest := regexp.MustCompile(`^(:[0-9]*)?([/?#][a-z@:/]*)?$`)
	f.Fuzz(func(t *testing.T, entry, host, rest string) {
		a := newApp(t, func(a *App) { a.AllowedOrigins = []string{entry} })
		a.AllowsOrigin(host + rest) // whatever the header, no panic

		if !plainHost.MatchString(host) || !plainRest.MatchString(rest) || !utf8.ValidString(entry) {
			return
		}
		pattern := `(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(entry), `\*`, `.*`) + `$`
		want := regexp.MustCompile(pattern).MatchString(host)
		if got := a.AllowsOrigin("https://" + host + rest); got != want {
			t.Errorf("%q allows %q: got %v, want %v", entry, "https://"+host+rest, got, want)
		}
	})
}
