package bridge

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
)

// TestPHPReads has PHP itself read every kind of message that is published here, and compare it with what PHP would
// have written.
func TestPHPReads(t *testing.T) {
	path, err := exec.LookPath("php")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("php is not installed")
		}
		t.Skip("php is not installed")
	}
	messages := everyMessage(t)
	cmd := exec.Command(path, "-n", "testdata/reads.php")
	cmd.Stdin = bytes.NewReader(append(bytes.Join(messages, []byte("\n")), '\n'))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(messages) {
		t.Fatalf("%d answers to %d messages:\n%s", len(answers), len(messages), out)
	}
	for i, got := range answers {
		if got != "ok" {
			t.Errorf("%s\nPHP says: %s", messages[i], got)
		}
	}
}

// everyMessage returns messages of every kind, with apps and texts of every kind.
func everyMessage(t *testing.T) (all [][]byte) {
	const from = "reverb-go:"
	add := func(message []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, message)
	}
	text := "\"\\/\b\f\n\r\t\x00\x1f\x7f<>&'é€😀\u2028"
	for _, change := range []func(*auth.App){
		nil,
		func(a *auth.App) { a.Secret, a.AllowedOrigins, a.MaxConnections = text, []string{"a", text}, 7 },
		func(a *auth.App) {
			a.RateLimit = auth.RateLimit{Enabled: true, MaxAttempts: 1, Decay: time.Hour, Terminate: true}
		},
	} {
		a := newApp(t, change)
		data := protocol.AppendString(nil, text)
		for _, payload := range [][]byte{
			protocol.AppendEvent(nil, []byte(text), data, "c"),
			protocol.AppendClientEvent(nil, []byte("client-"+text), []byte("c"), []byte(`{"a":[1e300,{}]}`), text),
			protocol.AppendClientEvent(nil, []byte("client-x"), []byte("c"), nil, ""),
		} {
			add(appendEvent(nil, a, protocol.Broadcast{Channel: text, Payload: payload, Except: protocol.NewSocketID(1, 2)}, from))
		}
		add(appendTerminate(nil, a, text, from))
		for _, q := range []question{
			{kind: askConnections}, {kind: askChannels}, {kind: askChannels, filter: text, info: "cache"},
			{kind: askChannels, channels: []string{text, "b"}, info: "x"}, {kind: askChannel, channel: text}, {kind: askUsers, channel: text},
		} {
			q.key, q.appID = newKey(), "app1"
			add(appendQuestion(nil, q, a, from))
			add(appendAnswer(nil, q, ownNode{}, from), nil)
		}
	}
	return all
}
