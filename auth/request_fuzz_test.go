package auth

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// library is how a server library sends a parameter with the values a and b, and the name and text it
// signs for it.
type library struct {
	name string
	can  func(name, a, b string) bool // nil: whatever the parameter
	send func(name, a, b string) string
	sign func(name, a, b string) (sortedBy, text string)
}

var libraries = []library{
	{
		name: "unescaped",
		can: func(name, a, b string) bool {
			return !strings.ContainsAny(name, "%+&=") && !strings.Contains(a+b, "&")
		},
		send: repeat,
		sign: lowerAndRepeat,
	},
	{
		name: "escaped",
		send: func(name, a, b string) string { return repeat(escape(name), escape(a), escape(b)) },
		sign: lowerAndRepeat,
	},
	{
		name: "form",
		send: func(name, a, b string) string {
			return repeat(url.QueryEscape(name), url.QueryEscape(a), url.QueryEscape(b))
		},
		sign: lowerAndRepeat,
	},
	{
		name: "ruby",
		send: func(name, a, b string) string { return repeat(escape(name)+"[]", escape(a), escape(b)) },
		sign: func(name, a, b string) (string, string) { return lowerAndRepeat(name+"[]", a, b) },
	},
	{
		name: "php",
		can: func(name, _, _ string) bool {
			return name != "" && !strings.Contains(name, "[") && !slices.Contains([]string{"appId", "appKey", "channelName"}, name)
		},
		send: func(name, a, b string) string {
			name = url.QueryEscape(name)
			return name + "%5B0%5D=" + url.QueryEscape(a) + "&" + name + "%5B1%5D=" + url.QueryEscape(b)
		},
		sign: func(name, a, b string) (string, string) {
			name = mangle.Replace(name)
			return name, name + "=" + a + "," + b
		},
	},
}

var mangle = strings.NewReplacer(".", "_", " ", "_")

// escape writes a space as "%20" too.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func repeat(name, a, b string) string { return name + "=" + a + "&" + name + "=" + b }

func lowerAndRepeat(name, a, b string) (string, string) {
	lowered := []byte(name)
	lower(lowered)
	return string(lowered), repeat(string(lowered), a, b)
}

// FuzzVerifyRequest checks that no request makes us panic, that what a library signs is accepted, and
// that it no longer is with one byte of path, body or signature changed.
func FuzzVerifyRequest(f *testing.F) {
	f.Add("/apps/3/events", authLine, "info", "a", "b,c", "{}", "", uint16(3))
	f.Add("/ws/apps/3/channels/a%20b/users", "a[]=%zz&&=&auth_signature=x&%", "x.Y z", "50%", "a+b c", "", "ws", uint16(20))
	f.Add("/", "appId=1&auth_timestamp=9999999999", "filter_by_prefix", "presence-", "%2B", "null", "/", uint16(0x4100))
	f.Fuzz(func(t *testing.T, path, query, name, v1, v2, body, prefix string, change uint16) {
		a := newApp(t)
		verify(t, a, "POST", path, query, body, prefix, time.Unix(testTime, 0))
		verify(t, a, "POST", path, query+"&auth_signature="+strings.Repeat("0", 64), body, prefix, time.Unix(testTime, 0))

		if strings.Contains(path, "\n") || isOurs(name) {
			return
		}
		for _, lib := range libraries {
			if lib.can == nil || lib.can(name, v1, v2) {
				checkLibrary(t, lib, a, path, name, v1, v2, body, prefix)
			}
		}
		signed := a.SignRequest("POST", path, url.Values{name: {v1, v2}}, []byte(body), time.Unix(testTime, 0))
		checkChanges(t, a, path, signed, body, prefix, change)
	})
}

// isOurs reports whether some spelling makes name one of the parameters a library adds by itself.
func isOurs(name string) bool {
	name = mangle.Replace(strings.ToLower(name))
	return strings.HasPrefix(name, "auth_") || strings.HasPrefix(name, "body_md5")
}

func checkLibrary(t *testing.T, lib library, a *App, path, name, v1, v2, body, prefix string) {
	type part struct{ sortedBy, text string }
	sortedBy, text := lib.sign(name, v1, v2)
	parts := []part{{"auth_key", authLine}, {sortedBy, text}}
	query := authLine + "&" + lib.send(name, v1, v2)
	if body != "" {
		md5 := newBodyMD5([]byte(body))
		text := "body_md5=" + string(md5.hex[:])
		parts = append(parts, part{"body_md5", text})
		query += "&" + text
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.sortedBy, b.sortedBy) })
	var line []string
	for _, p := range parts {
		line = append(line, p.text)
	}
	query += "&auth_signature=" + signLine("POST", path, strings.Join(line, "&"))
	if got := verify(t, a, "POST", path, query, body, prefix, time.Unix(testTime, 0)); got != "" {
		t.Errorf("%s: path %q, query %q, body %q: got %q", lib.name, path, query, body, got)
	}
}

// checkChanges changes one byte, chosen by change, of path, body and signature.
func checkChanges(t *testing.T, a *App, path, query, body, prefix string, change uint16) {
	changed := func(s string) string {
		b := []byte(s)
		i := int(change&0xff) % len(b)
		b[i] ^= max(1, byte(change>>8))
		return string(b)
	}
	refused := func(path, query, body string) {
		t.Helper()
		if verify(t, a, "POST", path, query, body, prefix, time.Unix(testTime, 0)) == "" {
			t.Errorf("path %q, query %q, body %q: accepted", path, query, body)
		}
	}
	if got := verify(t, a, "POST", path, query, body, prefix, time.Unix(testTime, 0)); got != "" {
		t.Errorf("path %q, query %q, body %q: got %q", path, query, body, got)
	}
	const signature = 64
	end := len(query) - signature
	refused(path, query[:end]+changed(query[end:]), body)
	if body != "" {
		refused(path, query, changed(body))
	}
	if path != "" {
		refused(changed(path), query, body)
	}
}
