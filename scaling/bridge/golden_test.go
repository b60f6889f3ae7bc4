package bridge

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// What Laravel Reverb 1.11 was seen to write.

// stockApplication is the stock configuration's app, serialized.
const stockApplication = "TzoyNjoiTGFyYXZlbFxSZXZlcmJcQXBwbGljYXRpb24iOjExOntzOjU6IgAqAGlkIjtzOjQ6ImFwcDEiO3M6NjoiACoAa2V5IjtzOjQ6ImtleTEiO3M6OToiACoAc2VjcmV0IjtzOjc6InNlY3JldDEiO3M6MTU6IgAqAHBpbmdJbnRlcnZhbCI7aTo2MDtzOjE4OiIAKgBhY3Rpdml0eVRpbWVvdXQiO2k6MzA7czoxNzoiACoAYWxsb3dlZE9yaWdpbnMiO2E6MTp7aTowO3M6MToiKiI7fXM6MTc6IgAqAG1heE1lc3NhZ2VTaXplIjtpOjEwMDAwO3M6MTc6IgAqAG1heENvbm5lY3Rpb25zIjtOO3M6MjU6IgAqAGFjY2VwdENsaWVudEV2ZW50c0Zyb20iO3M6NzoibWVtYmVycyI7czoxNToiACoAcmF0ZUxpbWl0aW5nIjthOjQ6e3M6NzoiZW5hYmxlZCI7YjowO3M6MTI6Im1heF9hdHRlbXB0cyI7aTo2MDtzOjEzOiJkZWNheV9zZWNvbmRzIjtpOjYwO3M6MTg6InRlcm1pbmF0ZV9vbl9saW1pdCI7YjowO31zOjEwOiIAKgBvcHRpb25zIjthOjQ6e3M6NDoiaG9zdCI7czo5OiJsb2NhbGhvc3QiO3M6NDoicG9ydCI7czo0OiI4MDgwIjtzOjY6InNjaGVtZSI7czo0OiJodHRwIjtzOjY6InVzZVRMUyI7YjowO319"

// stockOptions is the end of it that we leave out: nobody reads it.
const stockOptions = `a:4:{s:4:"host";s:9:"localhost";s:4:"port";s:4:"8080";s:6:"scheme";s:4:"http";s:6:"useTLS";b:0;}`

// noOptions is what an app without them has there.
const noOptions = `a:0:{}`

func stock(t testing.TB) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(stockApplication)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newApp(t testing.TB, change func(*auth.App)) *auth.App {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "app1", "key1", "secret1"
	if change != nil {
		change(&settings)
	}
	a, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inJSON is a serialized app as it stands in a message.
func inJSON(serialized string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`, "/", `\/`).Replace(serialized)
}

func TestApplication(t *testing.T) {
	golden := stock(t)
	if len(golden) != 567 || !strings.HasSuffix(golden, stockOptions+"}") {
		t.Fatalf("the golden application is another one: %q", golden)
	}
	ours := strings.Replace(golden, stockOptions, noOptions, 1)
	for _, c := range []struct {
		name     string
		change   func(*auth.App)
		old, new string // in ours
	}{
		{name: "stock"},
		{"limits", func(a *auth.App) { a.MaxConnections = 0 }, "s:17:\"\x00*\x00maxConnections\";N;", "s:17:\"\x00*\x00maxConnections\";i:0;"},
		{"client events of all", func(a *auth.App) { a.ClientEvents = auth.ClientEventsAll }, `s:7:"members"`, `s:3:"all"`},
		{"client events of none", func(a *auth.App) { a.ClientEvents = auth.ClientEventsNone }, `s:7:"members"`, `s:4:"none"`},
		{"no origins", func(a *auth.App) { a.AllowedOrigins = nil }, `a:1:{i:0;s:1:"*";}`, `a:0:{}`},
		{"origins", func(a *auth.App) { a.AllowedOrigins = []string{"é.fr", "b"} }, `a:1:{i:0;s:1:"*";}`, `a:2:{i:0;s:5:"é.fr";i:1;s:1:"b";}`},
		{"rate limit", func(a *auth.App) {
			a.RateLimit = auth.RateLimit{Enabled: true, MaxAttempts: 10, Decay: 2 * time.Minute, Terminate: true}
		}, `a:4:{s:7:"enabled";b:0;s:12:"max_attempts";i:60;s:13:"decay_seconds";i:60;s:18:"terminate_on_limit";b:0;}`,
			`a:4:{s:7:"enabled";b:1;s:12:"max_attempts";i:10;s:13:"decay_seconds";i:120;s:18:"terminate_on_limit";b:1;}`},
	} {
		want := strings.Replace(ours, c.old, c.new, 1)
		if got := string(appendApplication(nil, newApp(t, c.change))); got != want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, want)
		}
	}
}

func TestAppIDOf(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"stock", stock(t), "app1"},
		{"only the id", "O:26:\"Laravel\\Reverb\\Application\":1:{s:5:\"\x00*\x00id\";s:4:\"app2\";}", "app2"},
		{"another class", strings.Replace(stock(t), "Application", "Applicatiom", 1), ""},
		{"no object", `s:4:"app1";`, ""},
		{"cut off", stock(t)[:300], ""},
		{"nothing", "", ""},
	} {
		if got, ok := appIDOf(c.text); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, ok, c.want)
		}
	}
}

// TestEvents: what is published for PHP nodes, byte for byte. R:SC-02
func TestEvents(t *testing.T) {
	ours := inJSON(strings.Replace(stock(t), stockOptions, noOptions, 1))
	a := newApp(t, nil)
	except, _ := protocol.ParseSocketID("238895760.568950732")
	api := protocol.AppendEvent(nil, `App\E`, `"{\"x\":\"é/\"}"`, "presence-p")
	whisper := protocol.AppendClientEvent(nil, []byte("client-é"), []byte("presence-p"), []byte(`{"a": [1.50, "😀"]}`), "7")
	for _, c := range []struct {
		name string
		b    protocol.Broadcast
		want string // behind the application
	}{
		{"from the API", protocol.Broadcast{Channel: "presence-p", Payload: api, Except: except},
			`"payload":{"event":"App\\E","channels":["presence-p"],"data":"{\"x\":\"\u00e9\/\"}"},"socket_id":"238895760.568950732"`},
		{"to all", protocol.Broadcast{Channel: "presence-p", Payload: api},
			`"payload":{"event":"App\\E","channels":["presence-p"],"data":"{\"x\":\"\u00e9\/\"}"}`},
		{"from a client", protocol.Broadcast{Channel: "presence-p", Payload: whisper, Except: except},
			`"payload":{"event":"client-\u00e9","channel":"presence-p","data":"{\"a\":[1.50,\"\ud83d\ude00\"]}","user_id":"7"},"socket_id":"238895760.568950732"`},
	} {
		want := `{"type":"message","application":"` + ours + `",` + c.want + `,"from":"reverb-go:"}`
		got, err := appendEvent(nil, a, c.b, "reverb-go:")
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, want)
		}
	}
}

func TestTerminateMessage(t *testing.T) {
	got, err := appendTerminate(nil, newApp(t, nil), `7/"`, "reverb-go:")
	want := `{"type":"terminate","application":"` + inJSON(strings.Replace(stock(t), stockOptions, noOptions, 1)) + `","payload":{"user_id":"7\/\""},"from":"reverb-go:"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// question is one that was captured, but for the application and what comes after it.
const capturedQuestion = "O:45:\"Laravel\\Reverb\\Protocols\\Pusher\\PendingMetric\":6:{s:14:\"\x00*\x00subscribers\";N;s:7:\"\x00*\x00data\";a:0:{}s:6:\"\x00*\x00key\";s:10:\"ABCDEFGHIJ\";s:14:\"\x00*\x00application\";"

func TestQuestions(t *testing.T) {
	const kind = "s:7:\"\x00*\x00type\";"
	const class = `Laravel\Reverb\Protocols\Pusher\MetricType:`
	const options = "s:10:\"\x00*\x00options\";"
	for _, c := range []struct {
		name string
		q    question
		want string // behind the application
	}{
		{"users", question{kind: askUsers, channel: "presence-p"},
			kind + `E:56:"` + class + `CHANNEL_USERS";` + options + `a:1:{s:7:"channel";s:10:"presence-p";}}`},
		{"connections", question{kind: askConnections},
			kind + `E:54:"` + class + `CONNECTIONS";` + options + `a:0:{}}`},
		{"all channels", question{kind: askChannels},
			kind + `E:51:"` + class + `CHANNELS";` + options + `a:2:{s:6:"filter";N;s:4:"info";N;}}`},
		{"channels by prefix", question{kind: askChannels, filter: "p", info: "user_count"},
			kind + `E:51:"` + class + `CHANNELS";` + options + `a:2:{s:6:"filter";s:1:"p";s:4:"info";s:10:"user_count";}}`},
		{"channels by name", question{kind: askChannels, channels: []string{"a", "b"}, info: "x"},
			kind + `E:51:"` + class + `CHANNELS";` + options + `a:2:{s:4:"info";s:1:"x";s:8:"channels";a:2:{i:0;s:1:"a";i:1;s:1:"b";}}}`},
		{"channel", question{kind: askChannel, channel: "c", info: "occupied"},
			kind + `E:50:"` + class + `CHANNEL";` + options + `a:2:{s:7:"channel";s:1:"c";s:4:"info";s:8:"occupied";}}`},
	} {
		c.q.key, c.q.appID = "ABCDEFGHIJ", "app1"
		golden := stock(t)
		want := `{"type":"metrics","payload":"` + inJSON(capturedQuestion+strings.Replace(golden, stockOptions, noOptions, 1)+c.want) + `","from":"p:"}`
		got, err := appendQuestion(nil, c.q, newApp(t, nil), "p:")
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, want)
		}
		m, err := parseMessage(`{"type":"metrics","payload":"` + inJSON(capturedQuestion+golden+c.want) + `"}`)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if read, err := parseQuestion(m.payload); err != nil || !sameQuestion(read, c.q) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, read, err, c.q)
		}
	}
}

func sameQuestion(a, b question) bool {
	return a.key == b.key && a.appID == b.appID && a.kind == b.kind && a.channel == b.channel && a.filter == b.filter &&
		a.info == b.info && strings.Join(a.channels, "\n") == strings.Join(b.channels, "\n")
}

func TestIsKey(t *testing.T) {
	for key, want := range map[string]bool{
		"ABCDEFGHIJ": true, "a0Z": true, "message": false, "metrics": false, "terminate": false,
		"": false, "a-b": false, "é": false, strings.Repeat("a", 65): false,
	} {
		if got := isKey(key); got != want {
			t.Errorf("isKey(%q): got %v, want %v", key, got, want)
		}
	}
	for range 100 {
		if key := newKey(); !isKey(key) || len(key) != 10 {
			t.Errorf("newKey made %q", key)
		}
	}
}
