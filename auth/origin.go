package auth

import (
	"net/url"
	"slices"
	"strings"
)

// AllowsOrigin reports whether a browser on a page of this origin may connect. origin is the value
// of the Origin header, "" if there was none.
//
// As in Laravel Reverb only the host counts: scheme and port are ignored, so an entry that names
// them never matches, and upper case differs from lower. "*" alone accepts even a missing origin.
func (a *App) AllowsOrigin(origin string) bool {
	if slices.Contains(a.AllowedOrigins, "*") {
		return true
	}
	host := originHost(origin)
	if host == "" {
		return false
	}
	return slices.ContainsFunc(a.AllowedOrigins, func(entry string) bool { return matchHost(entry, host) })
}

// originHost returns the host of origin without its port, or "" if it has none: "null", "file://" and
// "example.com" (which is a path, as it has no scheme).
func originHost(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(u.Host, u.Port()), ":")
}

// matchHost reports whether entry is host, each "*" in entry standing for any run of characters, dots
// included.
func matchHost(entry, host string) bool {
	literal, rest, wild := strings.Cut(entry, "*")
	if !wild {
		return entry == host
	}
	host, ok := strings.CutPrefix(host, literal)
	for ok {
		literal, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(host, literal)
		}
		// The leftmost place is always good: it leaves the most for what follows.
		_, host, ok = strings.Cut(host, literal)
	}
	return false
}
