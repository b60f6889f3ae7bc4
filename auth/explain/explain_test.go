package explain

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/reverb-go/reverb-go/auth"
)

const (
	testKey    = "278d425bdf160c739803"
	testSecret = "7ad3773142a6692b25b8"
)

func newApp(t testing.TB, change ...func(*auth.App)) *auth.App {
	t.Helper()
	settings := auth.DefaultApp()
	settings.ID, settings.Key, settings.Secret = "3", testKey, testSecret
	for _, c := range change {
		c(&settings)
	}
	a, err := auth.NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func otherApp(t testing.TB) *auth.App {
	return newApp(t, func(a *auth.App) { a.ID, a.Key, a.Secret = "4", "other-key", "other-secret" })
}

// sign is what a backend does, rightly or not.
func sign(key, secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return key + ":" + hex.EncodeToString(mac.Sum(nil))
}

// P:PRV-10
func TestSign(t *testing.T) {
	for _, tt := range []struct {
		claim       Claim
		text, proof string
	}{
		{Claim{"1234.1234", "private-foobar", ""}, "1234.1234:private-foobar", testKey + ":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
		{Claim{"1234.1234", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`},
			`1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Channels"}}`, testKey + ":31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
		{Claim{"1234.1234", "", `{"id":"12345"}`}, `1234.1234::user::{"id":"12345"}`, testKey + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"},
	} {
		text, proof := Sign(newApp(t), tt.claim)
		if text != tt.text || proof != tt.proof {
			t.Errorf("got %s, %s\nwant %s, %s", text, proof, tt.text, tt.proof)
		}
		if v := Check(newApp(t), tt.claim, proof, Known{}); !v.Accepted || len(v.Findings) != 0 {
			t.Errorf("%s: got %+v", tt.text, v)
		}
	}
}

type checkTest struct {
	name  string
	claim Claim
	proof string
	want  []string // what each of the findings contains
}

func runChecks(t *testing.T, app *auth.App, k Known, tests []checkTest) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := Check(app, tt.claim, tt.proof, k)
			if v.Accepted {
				t.Error("it is accepted")
			}
			checkFindings(t, v.Findings, tt.want)
		})
	}
}

func checkFindings(t *testing.T, got []Finding, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %q", got, want)
	}
	for i, f := range got {
		if !strings.Contains(f.Sentence, want[i]) || f.Hint == "" {
			t.Errorf("got %+v, want %q", f, want[i])
		}
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testSecret, "other-secret", "previous-secret"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

var private = Claim{"1.2", "private-x", ""}

func TestCheckWhatStandsAround(t *testing.T) {
	app := newApp(t)
	good := sign(testKey, testSecret, "1.2:private-x")
	digits := good[len(testKey)+1:]
	raw, _ := hex.DecodeString(digits)
	runChecks(t, app, Known{Apps: []*auth.App{otherApp(t)}}, []checkTest{
		{"nothing", private, "", []string{"there is no auth"}},
		{"white space", private, good + "\n", []string{"white space around it"}},
		{"the whole answer", private, `{"auth":"` + good + `"}`, []string{"the whole answer"}},
		{"quotes", private, `"` + good + `"`, []string{"quotes"}},
		{"escaped", private, strings.Replace(good, ":", "%3A", 1), []string{"escaped as in a URL"}},
		{"no colon", private, testKey + digits, []string{"colon behind the key is missing"}},
		{"only the key", private, testKey, []string{"only the key"}},
		{"two colons", private, testKey + "::" + digits, []string{"two colons"}},
		{"no signature", private, testKey + ":", []string{"no signature behind the colon"}},
		{"no key", private, ":" + digits, []string{"no key before the colon"}},
		{"key in another case", private, strings.ToUpper(testKey) + ":" + digits, []string{"the key is written differently"}},
		{"secret for key", private, testSecret + ":" + digits, []string{"the app's secret stands where its key belongs"}},
		{"id for key", private, "3:" + digits, []string{"the app's id stands where"}},
		{"key of another app", private, "other-key:" + digits, []string{`the key is that of app "4"`}},
		{"secret of another app for key", private, "other-secret:" + digits, []string{`the secret of app "4" stands`}},
		{"unknown key", private, "pusher-key:" + digits, []string{"the key is none that is known"}},
		{"upper case", private, testKey + ":" + strings.ToUpper(digits), []string{"upper-case"}},
		{"base64", private, testKey + ":" + base64.StdEncoding.EncodeToString(raw), []string{"base64"}},
		{"base64 for URLs", private, testKey + ":" + base64.RawURLEncoding.EncodeToString(raw), []string{"base64"}},
		{"base64 of hex", private, testKey + ":" + base64.StdEncoding.EncodeToString([]byte(digits)), []string{"base64"}},
		{"cut", private, good[:len(good)-2], []string{"62 digits, and not 64"}},
		{"text behind", private, good + "00", []string{"66 digits"}},
		{"SHA-1", private, testKey + ":" + hex.EncodeToString(make([]byte, sha1.Size)), []string{"as long as one of SHA-1"}},
		{"no hex", private, testKey + ":" + strings.Repeat("x", 64), []string{"not in hex"}},
		{"several", private, ` "` + testKey + ":" + strings.ToUpper(digits) + `"`, []string{"white space", "quotes", "upper-case"}},
	})
}

func TestCheckWhatWasSigned(t *testing.T) {
	const data = `{"user_id":"7","user_info":{"name":"Zo\u00eb","url":"http:\/\/x"}}`
	member := Claim{"1.2", "presence-x", data}
	user := Claim{"1.2", "", `{"id":"7"}`}
	s := func(text string) string { return sign(testKey, testSecret, text) }
	known := Known{Apps: []*auth.App{otherApp(t)}, Sockets: []string{"8.9"}, Channels: []string{"private-y"}, Data: []string{`{"user_id":"8"}`}}
	runChecks(t, newApp(t), known, []checkTest{
		{"another secret", private, sign(testKey, "unheard of", "1.2:private-x"), []string{"another secret, or"}},
		{"secret of another app", private, sign(testKey, "other-secret", "1.2:private-x"), []string{`the secret of app "4"`}},
		{"all of another app", private, sign("other-key", "other-secret", "1.2:private-x"), []string{`the key is that of app "4"`, `the secret of app "4"`}},
		{"key and secret swapped", private, sign(testSecret, testKey, "1.2:private-x"), []string{"secret stands where its key belongs", "with the app's key in place of its secret"}},
		{"secret with a line end", private, sign(testKey, testSecret+"\n", "1.2:private-x"), []string{"has white space at its end"}},
		{"quoted secret", private, sign(testKey, `"`+testSecret+`"`, "1.2:private-x"), []string{"has quotes around it"}},
		{"empty secret", private, sign(testKey, "", "1.2:private-x"), []string{"empty secret"}},
		{"another connection", private, s("8.9:private-x"), []string{"for the socket id 8.9"}},
		{"no connection", private, s("undefined:private-x"), []string{`is "undefined"`}},
		{"another channel", private, s("1.2:private-y"), []string{`for the channel "private-y"`}},
		{"another channel of another connection", private, s("8.9:private-y"), []string{"socket id 8.9", `"private-y"`}},
		{"no prefix", private, s("1.2:x"), []string{`for the channel "x"`}},
		{"another prefix", private, s("1.2:presence-x"), []string{`for the channel "presence-x"`}},
		{"lower case", Claim{"1.2", "private-X", ""}, s("1.2:private-x"), []string{"in lower case"}},
		{"escaped name", Claim{"1.2", "private-a;b", ""}, s("1.2:private-a%3Bb"), []string{"escaped in a URL"}},
		{"swapped parts", private, s("private-x:1.2"), []string{"before the socket id"}},
		{"no colons", private, s("1.2private-x"), []string{"no colons"}},
		{"the channel alone", private, s("private-x"), []string{"the socket id is not signed"}},

		{"data not signed", member, s("1.2:presence-x"), []string{"channel_data is not signed"}},
		{"data not sent", Claim{"1.2", "presence-x", ""}, s(`1.2:presence-x:{"user_id":"8"}`), []string{"which the client does not send"}},
		{"other data", member, s(`1.2:presence-x:{"user_id":"8"}`), []string{`other channel_data: {"user_id":"8"}`}},
		{"data of the answer", member, `{"auth":"` + s(`1.2:presence-x:{"user_id":"9"}`) + `","channel_data":"{\"user_id\":\"9\"}"}`, []string{"whole answer", `other channel_data: {"user_id":"9"}`}},
		{"plain slashes", member, s(`1.2:presence-x:{"user_id":"7","user_info":{"name":"Zo\u00eb","url":"http://x"}}`), []string{"another spelling"}},
		{"plain characters", member, s(`1.2:presence-x:{"user_id":"7","user_info":{"name":"Zoë","url":"http:\/\/x"}}`), []string{"another spelling"}},
		{"plain all", member, s(`1.2:presence-x:{"user_id":"7","user_info":{"name":"Zoë","url":"http://x"}}`), []string{"another spelling"}},
		{"spaces", member, s(`1.2:presence-x:{"user_id": "7", "user_info": {"name": "Zo\u00eb", "url": "http:\/\/x"}}`), []string{"another spelling"}},
		{"sorted", Claim{"1.2", "presence-x", `{"b":1,"a":"é"}`}, s(`1.2:presence-x:{"a":"é","b":1}`), []string{"another spelling"}},
		{"escaped characters", Claim{"1.2", "presence-x", `{"a":"é😀"}`}, s(`1.2:presence-x:{"a":"\u00e9\ud83d\ude00"}`), []string{"another spelling"}},
		{"encoded twice", member, s("1.2:presence-x:" + mustEncode(data)), []string{"encoded as JSON twice"}},
		{"spelling and secret", member, sign(testKey, "other-secret", `1.2:presence-x:{"user_id":"7","user_info":{"name":"Zo\u00eb","url":"http://x"}}`), []string{`app "4"`, "another spelling"}},

		{"user for channel", private, s("1.2::user::"), []string{"for a user to sign in"}},
		{"channel for user", user, s(`1.2::{"id":"7"}`), []string{"as if for a channel"}},
		{"single colons", user, s(`1.2:user:{"id":"7"}`), []string{"not doubled"}},
		{"other connection of a user", user, s(`8.9::user::{"id":"7"}`), []string{"socket id 8.9"}},
	})
}

func mustEncode(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestCheckAccepted(t *testing.T) {
	app := newApp(t, func(a *auth.App) { a.PreviousSecret = "previous-secret" })
	good := sign(testKey, testSecret, "1.2:private-x")
	for _, tt := range []struct {
		name, proof string
		want        []string
	}{
		{"right", good, nil},
		{"no key", good[len(testKey)+1:], []string{"no key and no colon"}},
		{"previous secret", sign(testKey, "previous-secret", "1.2:private-x"), []string{"previous secret"}},
	} {
		v := Check(app, private, tt.proof, Known{})
		if !v.Accepted {
			t.Errorf("%s: it is refused", tt.name)
		}
		checkFindings(t, v.Findings, tt.want)
	}
}

func TestRemarks(t *testing.T) {
	for _, tt := range []struct {
		claim Claim
		want  []string
	}{
		{private, nil},
		{Claim{"x", "private-x", ""}, []string{"socket id"}},
		{Claim{"1.2", "news", ""}, []string{"public channel"}},
		{Claim{"1.2", "private-x", "{}"}, []string{"no members"}},
		{Claim{"1.2", "presence-x", `{"user_id":7}`}, nil},
		{Claim{"1.2", "presence-x", ""}, []string{"channel_data is missing"}},
		{Claim{"1.2", "presence-x", "{}"}, []string{"no user_id"}},
		{Claim{"1.2", "presence-x", "7"}, []string{"cannot be used"}},
		{Claim{"1.2", "", `{"id":"7"}`}, nil},
		{Claim{"1.2", "", `{"user_id":"7"}`}, []string{"user_data cannot be used"}},
	} {
		checkFindings(t, Remarks(tt.claim), tt.want)
	}
}

// What is known may be all connections of a busy server.
func TestCheckIsBounded(t *testing.T) {
	k := Known{Sockets: make([]string, 10_000), Channels: make([]string, 10_000)}
	for i := range k.Sockets {
		k.Sockets[i], k.Channels[i] = strings.Repeat("1", i%50)+"."+strings.Repeat("2", i/50), strings.Repeat("c", i%50)+strings.Repeat("d", i/50)
	}
	v := Check(newApp(t), private, sign(testKey, "unheard of", "1.2:private-x"), k)
	if v.Accepted || len(v.Findings) != 1 {
		t.Errorf("got %+v", v)
	}
}
