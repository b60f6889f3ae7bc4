package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// reference signs as the definition of HMAC in the standard library does.
func reference(secret, message string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(message))
	return hex.EncodeToString(h.Sum(nil))
}

func verifyChannel(a *App, id, channel, data, auth string) bool {
	return a.VerifyChannel([]byte(id), []byte(channel), []byte(data), []byte(auth))
}

// P:PRV-10. Pusher's documentation prints the digest of "Mr. Pusher" beside "Mr. Channels"; these are right.
func TestChannelVectors(t *testing.T) {
	a := newApp(t)
	for _, test := range []struct{ channel, data, want string }{
		{"private-foobar", "", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`, "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`, "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"},
		{"presence-foobar", `{"user_id":"5","user_info":{"name":"Zo\u00eb","url":"http:\/\/x"}}`, "7855d7d76885be27e24975d82d39ec02e081c231f6a2ad5e6070bec745119dd0"},
		{"presence-foobar", `{"user_id":"5","user_info":{"name":"Zoë","url":"http://x"}}`, "6acbdfd31c12197b70157ce9f83803e9a6e553fb0bbd9530eb50edc902831458"},
		{"private-foobar", `{"user_id":"5"}`, "3bf868d69eddb564485a7d580c2187e923742b40f3e846e75f39774fa7f8af85"},
	} {
		want := testKey + ":" + test.want
		if got := a.SignChannel("1234.1234", test.channel, test.data); got != want {
			t.Errorf("SignChannel %s %s:\ngot  %s\nwant %s", test.channel, test.data, got, want)
		}
		if !verifyChannel(a, "1234.1234", test.channel, test.data, want) {
			t.Errorf("VerifyChannel %s %s: got false", test.channel, test.data)
		}
	}

	got := a.SignUser("1234.1234", `{"id":"12345"}`)
	if want := testKey + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"; got != want {
		t.Errorf("SignUser:\ngot  %s\nwant %s", got, want)
	}
}

func TestVerifyChannel(t *testing.T) {
	const data = `{"user_id":1}`
	a := newApp(t)
	good := a.SignChannel("1.1", "private-x", "")
	withData := a.SignChannel("1.1", "private-x", data)
	hexOf := func(auth string) string { return strings.TrimPrefix(auth, testKey+":") }

	for _, test := range []struct {
		name, data, auth string
		want             bool
	}{
		{"P:PRV-01 R:CH-04 valid", "", good, true},
		{"P:PRV-07 R:CH-07 data signed with it", data, withData, true},
		{"R:CH-08 data that was not signed", data, good, false},
		{"signed data that was not sent", "", withData, false},
		{"R:CH-05 no key", "", hexOf(good), true},
		{"PHP's false is no data", "0", good, true},

		{"P:PRV-03 R:CH-03 missing", "", "", false},
		{"P:PRV-03 no signature", "", testKey, false},
		{"no signature behind the colon", "", testKey + ":", false},
		{"only a colon", "", ":", false},
		{"P:PRV-02 R:CH-03 wrong", "", testKey + ":" + strings.Repeat("0", 64), false},
		{"P:PRV-04 right signature, wrong key", "", "x" + good, false},
		{"P:PRV-04 other key of the same length", "", strings.ToUpper(testKey) + ":" + hexOf(good), false},
		{"right signature, empty key", "", ":" + hexOf(good), false},
		{"R:CH-06 upper-case hex", "", testKey + ":" + strings.ToUpper(hexOf(good)), false},
		{"R:CH-06 two colons", "", testKey + "::" + hexOf(good), false},
		{"text behind the signature", "", good + "0", false},
		{"signature cut short", "", good[:len(good)-1], false},
		{"P:PRV-05 of another connection", "", a.SignChannel("1.2", "private-x", ""), false},
		{"P:PRV-06 of another channel", "", a.SignChannel("1.1", "private-y", ""), false},
		{"of another secret", "", newApp(t, func(a *App) { a.Secret = "other" }).SignChannel("1.1", "private-x", ""), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := verifyChannel(a, "1.1", "private-x", test.data, test.auth); got != test.want {
				t.Errorf("auth %q, data %q: got %v, want %v", test.auth, test.data, got, test.want)
			}
		})
	}
}

func TestKeyWithColon(t *testing.T) {
	a := newApp(t, func(a *App) { a.Key = "a:b" })
	if !verifyChannel(a, "1.1", "private-x", "", a.SignChannel("1.1", "private-x", "")) {
		t.Error("got false")
	}
}

func TestMACIsHMAC(t *testing.T) {
	for length := range 200 { // on both sides of a block of SHA-256, where keys begin to be hashed
		secret := strings.Repeat("k", length)
		message := strings.Repeat("m", 3*length)
		m := newMAC(secret)
		got := m.hex([]byte(message[:length]), nil, []byte(message[length:]))
		if want := reference(secret, message); string(got[:]) != want {
			t.Errorf("key of %d bytes: got %s, want %s", length, got, want)
		}
	}
}

func TestAppNotFromNewAppSignsNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("signed without a key")
		}
	}()
	new(App).SignChannel("1.1", "private-x", "")
}

// P:SGN-13
func TestVerifyUser(t *testing.T) {
	app := newApp(t)
	id, data := []byte("1234.1234"), []byte(`{"id":"12345"}`)
	good := app.Key + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"
	if !app.VerifyUser(id, data, []byte(good)) {
		t.Error("the documented signature is refused")
	}
	if got := app.SignUser(string(id), string(data)); got != good {
		t.Errorf("SignUser = %s, want %s", got, good)
	}
	for _, bad := range []string{"", "x", good + "0", "other:" + good[len(app.Key)+1:]} {
		if app.VerifyUser(id, data, []byte(bad)) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestPreviousSecret(t *testing.T) {
	old := newApp(t)
	settings := DefaultApp()
	settings.ID, settings.Key, settings.Secret, settings.PreviousSecret = old.ID, old.Key, "new", old.Secret
	app, err := NewApp(settings)
	if err != nil {
		t.Fatal(err)
	}
	id, channel := []byte("1.2"), []byte("private-x")
	for _, signer := range []*App{old, app} {
		if !app.VerifyChannel(id, channel, nil, []byte(signer.SignChannel("1.2", "private-x", ""))) {
			t.Error("a signature of one of the two secrets is refused")
		}
	}
	if old.VerifyChannel(id, channel, nil, []byte(app.SignChannel("1.2", "private-x", ""))) {
		t.Error("the new secret is accepted without being known")
	}
}
