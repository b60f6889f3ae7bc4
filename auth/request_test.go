package auth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	testTime = 1353088179
	authLine = "auth_key=" + testKey + "&auth_timestamp=1353088179&auth_version=1.0"
	emptyMD5 = "d41d8cd98f00b204e9800998ecf8427e"
	bodyMD5x = "99914b932bd37a50b983c5e7c90ae93b" // of {}

	invalid = "Authentication signature invalid."
)

// verify returns what a caller would be told about the request at the given time, "" if it is good.
func verify(t testing.TB, a *App, method, path, query, body, prefix string, now time.Time) string {
	t.Helper()
	r := Request{Method: method, Path: []byte(path), Query: []byte(query), Body: []byte(body)}
	err := a.VerifyRequest(r, prefix, now)
	r.Room = new(Room)
	for range 2 {
		if again := a.VerifyRequest(r, prefix, now); (again == nil) != (err == nil) || err != nil && again.Error() != err.Error() {
			t.Errorf("in a room %v, otherwise %v", again, err)
		}
	}
	if err == nil {
		return ""
	}
	var refusal *RequestError
	if !errors.As(err, &refusal) || refusal.Status != 401 {
		t.Errorf("got error %#v, want a *RequestError with status 401", err)
	}
	return err.Error()
}

// signLine signs the three lines of a string to sign.
func signLine(method, path, params string) string {
	return reference(testSecret, method+"\n"+path+"\n"+params)
}

// P:SIG-01, P:SIG-08, P:SIG-09.
func TestRequestVectors(t *testing.T) {
	a := newApp(t)
	for _, test := range []struct{ name, method, path, params, body, signature string }{
		{"S1", "POST", "/apps/3/events", "&body_md5=ec365a775a4cd0599faeb73354201b6f",
			`{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`,
			"da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"},
		{"S2", "GET", "/apps/3/channels", "&filter_by_prefix=presence-&info=user_count", "",
			"16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291"},
		{"S3", "GET", "/apps/3/channels", "&body_md5=" + emptyMD5, "",
			"5c3cd75022c4f62c35ad22f6a9cce366c860477a3b7092ca790ecfc17e6af302"},
		{"S4", "GET", "/apps/3/channels/presence-a,b;c=@d.e_f-g/users", "", "",
			"3db567f15ce7139ac5e56a48fd6138e1f491ffdbc1d470abacdfd247a435ccdc"},
		{"S5", "GET", "/apps/3/channels/presence-foobar", "&info=user_count,subscription_count", "",
			"377ee9260ea002a70c0d40cd887d55cb36db9f7f821297f5efacbcce66be356d"},
		{"S6", "POST", "/apps/3/users/a@b/terminate_connections", "&body_md5=" + bodyMD5x, "{}",
			"8fa86d1a5cc2d4eb3d5a3738edb7e5165bbeefbd422e96887eab6eaf7f520793"},
		{"S7", "POST", "/apps/3/users/a%40b/terminate_connections", "&body_md5=" + bodyMD5x, "{}",
			"77fb7761c5ce14b1161967efbdc364ee847397fc4e1ce623ee27373beaed0198"},
		{"S8", "POST", "/apps/3/users/123/terminate_connections", "", "",
			"c49f60ab46e8aee477a5781a3258d4fb3c6aeee5353c46b9f4819168190aefa4"},
		{"S9", "POST", "/apps/3/batch_events", "&body_md5=4914b8cce55ebd87a9464e9429e5fa30",
			`{"batch":[{"channel":"a","name":"e","data":"1"},{"channel":"b","name":"e","data":"2","info":"subscription_count"}]}`,
			"715d7d6bf69f0962d6d53bbe6264cf738e1b486377d2f88106143ee0a9d9c1c9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			query := authLine + test.params + "&auth_signature=" + test.signature
			if got := verify(t, a, test.method, test.path, query, test.body, "", time.Unix(testTime, 0)); got != "" {
				t.Errorf("VerifyRequest: got %q", got)
			}
			values, err := url.ParseQuery(test.params)
			if err != nil {
				t.Fatal(err)
			}
			signed := a.SignRequest(test.method, test.path, values, []byte(test.body), time.Unix(testTime, 0))
			if !strings.HasSuffix(signed, "&auth_signature="+test.signature) {
				t.Errorf("SignRequest: got %s, want signature %s", signed, test.signature)
			}
		})
	}
}

// TestSpellings plays the libraries: what each sends, and what it signed.
func TestSpellings(t *testing.T) {
	const channels = "/apps/3/channels"
	for _, test := range []struct {
		name       string
		path, send string // on the wire, after the auth parameters
		signPath   string
		sign       string // all parameters; $ stands for the auth parameters
		want       string
	}{
		{"plain", channels, "&info=user_count", channels, "$&info=user_count", ""},
		{"any order", channels, "&z=1&a=2", channels, "a=2&$&z=1", ""},
		{"value without =", channels, "&info", channels, "$&info=", ""},
		{"value with =", channels, "&info=a=b", channels, "$&info=a=b", ""},
		{"empty pairs", channels, "&&info=a&", channels, "$&info=a", ""},
		{"P:SIG-09 unescaped", channels, "&info=a,b;c@d=e", channels, "$&info=a,b;c@d=e", ""},
		{"P:SIG-10 escaped", channels, "&info=a%2Cb%3bc%40d%3De%26f", channels, "$&info=a,b;c@d=e&f", ""},
		{"P:SIG-10 raw sender of an escape", channels, "&info=a%2Cb", channels, "$&info=a%2Cb", ""},
		{"no escape", channels, "&info=50%&x=%zz%4", channels, "$&info=50%&x=%zz%4", ""},
		{"+ sent raw", channels, "&info=a+b", channels, "$&info=a+b", ""},
		{"R:API-39 + as a space", channels, "&info=a+b%2Bc", channels, "$&info=a b+c", ""},
		{"+ beside an escape", channels, "&info=a+b%2Cc", channels, "$&info=a+b,c", ""},
		{"+ and an escape sent raw", channels, "&info=a+b%2Cc", channels, "$&info=a+b%2Cc", ""},
		{"UTF-8", channels, "&info=%C3%AB", channels, "$&info=ë", ""},
		{"P:SIG-14 upper-case name", channels, "&Info=a&iNFO2=b&INF=c", channels, "$&inf=c&info=a&info2=b", ""},
		{"upper-case name as Reverb signs it", channels, "&Info=a", channels, "Info=a&$", ""},
		{"repeated name", channels, "&info=b&info=a", channels, "$&info=b&info=a", ""},
		{"repeated name in another order", channels, "&info=b&info=a", channels, "$&info=a&info=b", invalid},

		{"P:SIG-11 Ruby", channels, "&info[]=a&info[]=b", channels, "$&info[]=a&info[]=b", ""},
		{"P:SIG-11 Ruby escaped", channels, "&info%5B%5D=a&info%5B%5D=b", channels, "$&info[]=a&info[]=b", ""},
		{"P:SIG-11 PHP", channels, "&info[0]=a&info[1]=b", channels, "$&info=a,b", ""},
		{"P:SIG-11 PHP escaped", channels, "&info%5B0%5D=a&info%5B1%5D=b+c", channels, "$&info=a,b c", ""},
		{"R:API-38 list", channels, "&a[]=1&a[]=2", channels, "a=1,2&$", ""},
		{"list among others", channels, "&a[]=1&z=3&a[]=2", channels, "a=1,2&$&z=3", ""},
		{"list beside its plain name", channels, "&a=1&a[]=2", channels, "a=1,2&$", invalid},
		{"R:API-39 PHP name", channels, "&x.y=1&a+b=2", channels, "a_b=2&$&x_y=1", ""},
		{"name that PHP would mangle", channels, "&x.y=1", channels, "$&x.y=1", ""},
		{"R:API-40 names of Reverb's routes", channels, "&appId=9&appKey=8&channelName=7", channels, "$", ""},
		{"names of Reverb's routes, signed", channels, "&appId=9", channels, "appid=9&$", ""},
		{"other names are signed", channels, "&appIdx=9", channels, "$", invalid},

		{"R:API-41 path as escaped", "/apps/3/channels/a%20b", "", "/apps/3/channels/a%20b", "$", ""},
		{"path escaped after signing", "/apps/3/channels/a%20b", "", "/apps/3/channels/a b", "$", ""},
		{"P:SIG-10 user in the path", "/apps/3/users/a%40b,c", "", "/apps/3/users/a@b,c", "$", ""},
		{"+ in the path is a plus", "/apps/3/channels/a+%40", "", "/apps/3/channels/a+@", "$", ""},
		{"+ in the path is no space", "/apps/3/channels/a+%40", "", "/apps/3/channels/a @", "$", invalid},
		{"path escaped for signing only", "/apps/3/users/a@b", "", "/apps/3/users/a%40b", "$", invalid},
		{"line break in the path", "/apps/3/channels%0Ax", "", "/apps/3/channels\nx", "$", invalid},
		{"slashes are not tidied", "/apps/3//channels/", "", "/apps/3/channels", "$", invalid},
		{"slashes as sent", "/apps/3//channels/", "", "/apps/3//channels/", "$", ""},
		{"everything at once", "/apps/3/channels/a%20b", "&x.y[]=+&x.y[]=%2B", "/apps/3/channels/a b", "$&x_y= ,+", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			signature := signLine("GET", test.signPath, strings.ReplaceAll(test.sign, "$", authLine))
			for _, query := range []string{ // P:SIG-12: anywhere
				authLine + test.send + "&auth_signature=" + signature,
				"auth_signature=" + signature + "&" + authLine + test.send,
			} {
				if got := verify(t, newApp(t), "GET", test.path, query, "", "", time.Unix(testTime, 0)); got != test.want {
					t.Errorf("%s?%s:\ngot %q, want %q", test.path, query, got, test.want)
				}
			}
		})
	}
}

// P:SIG-13, R:API-42 and R:API-43: signed with the route prefix or without it.
func TestPrefix(t *testing.T) {
	for _, test := range []struct {
		prefix, path, signPath string
		want                   string
	}{
		{"", "/apps/3/channels", "/apps/3/channels", ""},
		{"/", "/apps/3/channels", "/apps/3/channels", ""},
		{"ws", "/ws/apps/3/channels", "/apps/3/channels", ""},
		{"/ws", "/ws/apps/3/channels", "/apps/3/channels", ""},
		{"/ws/", "/ws/apps/3/channels", "/apps/3/channels", ""},
		{"/ws", "/ws/apps/3/channels", "/ws/apps/3/channels", ""},
		{"a/b", "/a/b/apps/3/channels", "/apps/3/channels", ""},
		{"/ws", "/ws/apps/3/channels/a%20b", "/apps/3/channels/a b", ""},
		{"/ws", "/ws/apps/3/channels/a%20b", "/apps/3/channels/a%20b", ""},
		{"/ws", "/ws/apps/3/channels/a%20b", "/ws/apps/3/channels/a b", ""},
		{"", "/ws/apps/3/channels", "/apps/3/channels", invalid},
		{"/ws", "/wss/apps/3/channels", "s/apps/3/channels", invalid},
		{"/ws", "/x/ws/apps/3/channels", "/apps/3/channels", invalid},
		{"/ws", "/ws", "", invalid},
		{"/ws", "", "/apps/3/channels", invalid},
	} {
		query := authLine + "&auth_signature=" + signLine("GET", test.signPath, authLine)
		if got := verify(t, newApp(t), "GET", test.path, query, "", test.prefix, time.Unix(testTime, 0)); got != test.want {
			t.Errorf("prefix %q, path %q signed as %q: got %q, want %q", test.prefix, test.path, test.signPath, got, test.want)
		}
	}
}

func TestBodyMD5(t *testing.T) {
	upper := strings.ToUpper(bodyMD5x)
	for _, test := range []struct {
		name, body string
		send, sign string // what follows the auth parameters
		want       string
	}{
		{"sent and signed", "{}", "&body_md5=" + bodyMD5x, "&body_md5=" + bodyMD5x, ""},
		{"upper case", "{}", "&body_md5=" + upper, "&body_md5=" + upper, ""},
		{"upper case, signed in lower", "{}", "&body_md5=" + upper, "&body_md5=" + bodyMD5x, ""},
		{"R:API-36 not sent", "{}", "", "&body_md5=" + bodyMD5x, ""},
		{"R:API-36 wrong but signed right", "{}", "&body_md5=" + emptyMD5, "&body_md5=" + bodyMD5x, ""},
		{"P:SIG-07 neither sent nor signed", "{}", "", "", invalid},
		{"P:SIG-07 sent but not signed", "{}", "&body_md5=" + bodyMD5x, "", invalid},
		{"P:SIG-07 wrong and signed", "{}", "&body_md5=" + emptyMD5, "&body_md5=" + emptyMD5, invalid},
		{"of another body", "[]", "&body_md5=" + bodyMD5x, "&body_md5=" + bodyMD5x, invalid},
		{"sent twice", "{}", "&body_md5=" + bodyMD5x + "&body_md5=" + bodyMD5x, "&body_md5=" + bodyMD5x, ""},

		{"no body", "", "", "", ""},
		{"P:SIG-08 no body, sent and signed", "", "&body_md5=" + emptyMD5, "&body_md5=" + emptyMD5, ""},
		{"no body, sent but not signed, as Reverb takes it", "", "&body_md5=" + emptyMD5, "", ""},
		{"no body, signed but not sent", "", "", "&body_md5=" + emptyMD5, invalid},
		{"no body, that of another", "", "&body_md5=" + bodyMD5x, "&body_md5=" + bodyMD5x, invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			query := authLine + test.send + "&auth_signature=" + signLine("POST", "/apps/3/events", authLine+test.sign)
			if got := verify(t, newApp(t), "POST", "/apps/3/events", query, test.body, "", time.Unix(testTime, 0)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Requests signed with the right secret that say something wrong, and requests not signed with it.
func TestRefusals(t *testing.T) {
	const path = "/apps/3/channels"
	old := strings.Replace(authLine, "1353088179", "1353087578", 1)
	for _, test := range []struct {
		name       string
		send, sign string
		want       string
	}{
		{"P:SIG-04 no key", "auth_timestamp=1353088179&auth_version=1.0", "", invalid},
		{"P:SIG-04 no timestamp", "auth_key=" + testKey + "&auth_version=1.0", "", invalid},
		{"P:SIG-04 no version", "auth_key=" + testKey + "&auth_timestamp=1353088179", "", invalid},
		{"timestamp no number", "auth_key=" + testKey + "&auth_timestamp=now&auth_version=1.0", "", invalid},
		{"timestamp too large", "auth_key=" + testKey + "&auth_timestamp=9999999999999999999&auth_version=1.0", "", invalid},
		{"other version", "auth_key=" + testKey + "&auth_timestamp=1353088179&auth_version=9", "", "Version not supported"},
		{"P:SIG-05 other key", "auth_key=x&auth_timestamp=1353088179&auth_version=1.0", "", "Unknown auth_key"},
		{"P:SIG-05 other key, signature wrong too", "auth_key=x&auth_timestamp=1353088179&auth_version=1.0", "x", "Unknown auth_key"},
		{"P:SIG-04 no key, signature wrong too", "auth_timestamp=1353088179&auth_version=1.0", "x", invalid},
		{"expired", old, "", "Timestamp expired: Given timestamp (2012-11-16T17:39:38Z) not within 600s of server time (2012-11-16T17:49:39Z)"},
		{"nothing of the clock without a signature", old, "x", invalid},
		{"nothing of the version without a signature", strings.Replace(authLine, "1.0", "9", 1), "x", invalid},

		{"timestamp as PHP reads it", "auth_key=" + testKey + "&auth.timestamp=1353088179&auth_version=1.0", authLine, ""},
		{"old timestamp behind a new one", authLine + "&auth.timestamp=1353087578", old, invalid},
		{"old timestamp in front of a new one", "auth.timestamp=1353087578&" + authLine, old, invalid},
		{"old timestamp beside one in upper case", old + "&AUTH_TIMESTAMP=1353088179", old, invalid},
		{"old timestamp beside a list", old + "&auth_timestamp[]=1353088179", old, invalid},
		{"unsigned parameter", authLine + "&info=user_count", authLine, invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.sign == "" {
				test.sign = test.send
			}
			query := test.send + "&auth_signature=" + signLine("GET", path, test.sign)
			if got := verify(t, newApp(t), "GET", path, query, "", "", time.Unix(testTime, 0)); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// R:API-35, P:SIG-04.
func TestSignatureParameter(t *testing.T) {
	signature := signLine("GET", "/apps/3/channels", authLine)
	other := newApp(t, func(a *App) { a.Secret = "other" })
	for _, test := range []struct{ name, param, want string }{
		{"good", "&auth_signature=" + signature, ""},
		{"missing", "", invalid},
		{"empty", "&auth_signature=", invalid},
		{"upper case", "&auth_signature=" + strings.ToUpper(signature), invalid},
		{"too long", "&auth_signature=" + signature + "0", invalid},
		{"array", "&auth_signature[]=" + signature, invalid},
		{"other secret", "&" + other.SignRequest("GET", "/apps/3/channels", nil, nil, time.Unix(testTime, 0)), invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := verify(t, newApp(t), "GET", "/apps/3/channels", authLine+test.param, "", "", time.Unix(testTime, 0)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// P:SIG-02 for the method; FuzzVerifyRequest changes every other byte. R:API-44: HEAD is signed as HEAD.
func TestMethodIsSigned(t *testing.T) {
	query := authLine + "&auth_signature=" + signLine("HEAD", "/apps/3/channels", authLine)
	for method, want := range map[string]string{"HEAD": "", "GET": invalid, "POST": invalid} {
		if got := verify(t, newApp(t), method, "/apps/3/channels", query, "", "", time.Unix(testTime, 0)); got != want {
			t.Errorf("%s: got %q, want %q", method, got, want)
		}
	}
}

// P:SIG-03.
func TestTimestampTolerance(t *testing.T) {
	for _, test := range []struct {
		tolerance, clock time.Duration
		good             bool
	}{
		{600 * time.Second, 0, true},
		{600 * time.Second, 600 * time.Second, true},
		{600 * time.Second, -600 * time.Second, true},
		{600 * time.Second, 601 * time.Second, false},
		{600 * time.Second, -601 * time.Second, false},
		{30 * time.Second, 31 * time.Second, false},
		{0, 1000 * time.Hour, true},
		{0, -1000 * time.Hour, true},
	} {
		a := newApp(t, func(a *App) { a.TimestampTolerance = test.tolerance })
		now := time.Unix(testTime, 0)
		query := a.SignRequest("GET", "/apps/3/channels", nil, nil, now)
		now = now.Add(test.clock)
		want := ""
		if !test.good {
			want = fmt.Sprintf("Timestamp expired: Given timestamp (2012-11-16T17:49:39Z) not within %.0fs of server time (%s)",
				test.tolerance.Seconds(), now.UTC().Format(time.RFC3339))
		}
		if got := verify(t, a, "GET", "/apps/3/channels", query, "", "", now); got != want {
			t.Errorf("tolerance %v, clock off by %v:\ngot  %q\nwant %q", test.tolerance, test.clock, got, want)
		}
	}
}

func TestTooManyParameters(t *testing.T) {
	for params, want := range map[int]string{1000: "", 1001: invalid} {
		var query, y, z string
		for i := range (params - 4) / 2 { // sorting must keep the order under each name
			query += fmt.Sprintf("z=%d&y=%d&", i, i)
			y += fmt.Sprintf("&y=%d", i)
			z += fmt.Sprintf("&z=%d", i)
		}
		if params%2 == 1 {
			query += "z=&"
			z += "&z="
		}
		query += authLine + "&auth_signature=" + signLine("GET", "/apps/3/channels", authLine+y+z)
		if got := verify(t, newApp(t), "GET", "/apps/3/channels", query, "", "", time.Unix(testTime, 0)); got != want {
			t.Errorf("%d parameters: got %q, want %q", params, got, want)
		}
	}
}

func TestSignRequest(t *testing.T) {
	values := url.Values{
		"info": {"a b", "c+d,é"}, "Zeta": {"&="},
		"auth_signature": {"theirs"}, "auth_key": {"theirs"}, // as in a query that is to be signed again
	}
	got := newApp(t).SignRequest("POST", "/apps/3/events", values, []byte("{}"), time.Unix(testTime, 0))
	want := "Zeta=%26%3D&" + authLine + "&body_md5=" + bodyMD5x + "&info=a%20b&info=c%2Bd%2C%C3%A9&auth_signature=" +
		signLine("POST", "/apps/3/events", authLine+"&body_md5="+bodyMD5x+"&info=a b&info=c+d,é&zeta=&=")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(values) != 4 || values.Get("auth_key") != "theirs" {
		t.Errorf("the caller's values were changed to %v", values)
	}
}
