package auth

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const (
	testKey    = "278d425bdf160c739803"
	testSecret = "7ad3773142a6692b25b8"
)

// newApp returns an app with the credentials of Pusher's documentation and whatever change does to it.
func newApp(t testing.TB, change ...func(*App)) *App {
	t.Helper()
	conf := DefaultApp()
	conf.ID, conf.Key, conf.Secret = "3", testKey, testSecret
	for _, c := range change {
		c(&conf)
	}
	a, err := NewApp(conf)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewAppRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*App)
		want   string
	}{
		{"no id", func(a *App) { a.ID = "" }, `app "": app_id is empty; hint: set REVERB_APP_ID`},
		{"no key", func(a *App) { a.Key = "" }, `app "3": key is empty; hint: set REVERB_APP_KEY`},
		{"no secret", func(a *App) { a.Secret = "" }, `app "3": secret is empty; hint: set REVERB_APP_SECRET`},
		{"no activity timeout", func(a *App) { a.ActivityTimeout = 999 * time.Millisecond },
			`app "3": activity_timeout must be at least 1 second; hint: pusher-js refuses 0 (REVERB_APP_ACTIVITY_TIMEOUT)`},
		{"no ping interval", func(a *App) { a.PingInterval = 0 },
			`app "3": ping_interval must be at least 1 second; hint: 60 is usual (REVERB_APP_PING_INTERVAL)`},
		{"negative message size", func(a *App) { a.MaxMessageSize = -1 },
			`app "3": max_message_size must not be negative; hint: 0 is no limit (REVERB_APP_MAX_MESSAGE_SIZE)`},
		{"negative quota", func(a *App) { a.MaxConnections = -2 },
			`app "3": max_connections must not be negative; hint: leave REVERB_APP_MAX_CONNECTIONS out for no limit`},
		{"negative attempts", func(a *App) { a.RateLimit.MaxAttempts = -1 },
			`app "3": rate_limiting.max_attempts must not be negative; hint: set REVERB_APP_RATE_LIMITING_ENABLED=false for no limit (REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS)`},
		{"negative decay", func(a *App) { a.RateLimit.Decay = -1 },
			`app "3": rate_limiting.decay_seconds must not be negative; hint: 60 is usual (REVERB_APP_RATE_LIMIT_DECAY_SECONDS)`},
		{"negative cache time", func(a *App) { a.CacheTTL = -1 }, `app "3": cache_ttl must not be negative; hint: 30m is usual`},
		{"negative tolerance", func(a *App) { a.TimestampTolerance = -1 },
			`app "3": the tolerance of timestamps must not be negative; hint: 0 checks none, 600s is usual`},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf := DefaultApp()
			conf.ID, conf.Key, conf.Secret = "3", testKey, testSecret
			test.change(&conf)
			_, err := NewApp(conf)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestNewAppKeepsItsOwnOrigins(t *testing.T) {
	origins := []string{"example.com"}
	a := newApp(t, func(a *App) { a.AllowedOrigins = origins })
	origins[0] = "*"
	if a.AllowsOrigin("https://other.com") {
		t.Error("a change to the caller's slice opened the app to every origin")
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	a := newApp(t)
	type config struct{ App App }
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", a, *a, []App{*a})
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		for _, v := range []any{a, *a, config{*a}} {
			b, err := marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(b)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("started", "app", a, "copy", *a, "apps", []*App{a})
	}
	fmt.Fprint(&out, a.String(), a.LogValue())

	if !strings.Contains(out.String(), testKey) {
		t.Errorf("the app is not named:\n%s", &out)
	}
	for what, secret := range map[string]string{
		"text":  testSecret,
		"hex":   fmt.Sprintf("%x", testSecret),
		"bytes": strings.Trim(fmt.Sprint([]byte(testSecret)), "[]"),
		"inner": strings.Trim(fmt.Sprint(a.mac.inner), "[]"),
		"outer": strings.Trim(fmt.Sprint(a.mac.outer), "[]"),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the secret is shown as %s:\n%s", what, &out)
		}
	}
}

func TestLogValue(t *testing.T) {
	got := newApp(t).LogValue().String()
	if want := "[id=3 key=" + testKey + "]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestApps(t *testing.T) {
	one := newApp(t)
	two := newApp(t, func(a *App) { a.ID, a.Key = "0123456", "other" })
	apps, err := NewApps(one, two)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		got, want *App
	}{
		{"id", found(apps.ByID("3")), one},
		{"second id", found(apps.ByID("0123456")), two},
		{"id that only PHP takes for equal", found(apps.ByID("123456")), nil},
		{"no id", found(apps.ByID("")), nil},
		{"key", found(apps.ByKey(testKey)), one},
		{"second key", found(apps.ByKey("other")), two},
		{"key in another case", found(apps.ByKey("OTHER")), nil},
		{"id as key", found(apps.ByKey("3")), nil},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
	if all := apps.All(); len(all) != 2 || all[0] != one || all[1] != two {
		t.Errorf("All: got %v, want the apps in their order", all)
	}
}

// found drops the error that Apps never has.
func found(a *App, _ error) *App { return a }

func TestAppsRefusesDuplicates(t *testing.T) {
	one := newApp(t)
	for _, test := range []struct {
		name   string
		change func(*App)
		want   string
	}{
		{"id", func(a *App) { a.Key = "other" },
			`two apps have the id "3"; hint: give every entry of reverb.apps.apps its own app_id`},
		{"key", func(a *App) { a.ID = "4" },
			`apps "3" and "4" have the same key "` + testKey + `"; hint: give every entry of reverb.apps.apps its own key`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewApps(one, newApp(t, test.change))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}
