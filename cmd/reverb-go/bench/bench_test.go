package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/undertest"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// startServer runs a server in this process and returns its URL for bench.
func startServer(t *testing.T) string {
	t.Helper()
	return undertest.Start(t, "ws", nil)
}

// bench runs the command and returns what it printed.
func bench(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	cmd := NewCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&log)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), log.String(), err
}

// short are the flags that make any test short.
var short = []string{"--warmup", "50ms", "--duration", "200ms", "--drain", "5s"}

func read(t *testing.T, path string) *report.Report {
	t.Helper()
	r, err := report.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAGoodServerPasses(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	args := append([]string{"fanout", "churn", "--url", startServer(t), "--subscribers", "20", "--rate", "50",
		"--json", path("r.json"), "--html", path("r.html"), "--markdown", path("r.md")}, short...)
	stdout, stderr, err := bench(t, args...)
	if err != nil {
		t.Fatalf("got %v, want no error; printed %s", err, stdout)
	}
	if !strings.Contains(stdout, "each arrived once and in order") {
		t.Errorf("printed %q, want it to say that all arrived", stdout)
	}
	if !strings.Contains(stderr, "fanout: ") || !strings.Contains(stderr, "churn: ") {
		t.Errorf("told %q meanwhile, want a line for each test", stderr)
	}
	r := read(t, path("r.json"))
	if got := r.Labels(); len(got) != 2 {
		t.Errorf("got reports of %q, want both scenarios", got)
	}
	if run := r.Runs[0]; run.Check.Delivered == 0 || run.Client.CPU <= 0 {
		t.Errorf("got %+v, want deliveries and the client's own cost", run)
	}
	for _, name := range []string{"r.html", "r.md"} {
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("app-secret")) {
			t.Errorf("%s has the secret in it", name)
		}
		if !bytes.Contains(text, []byte("fanout")) {
			t.Errorf("%s does not name the scenario", name)
		}
	}
}

// TestAFaultyServerFails has a run fail for each thing a server may do wrong.
func TestAFaultyServerFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    *faultyServer
		want string // failure; "" is none
	}{
		{"sound", &faultyServer{}, ""},
		{"loses messages", &faultyServer{fault: every10th(func(string) []string { return nil })}, "deliveries were lost"},
		{"repeats messages", &faultyServer{fault: every10th(func(m string) []string { return []string{m, m} })}, "deliveries came twice"},
		{"exchanges messages", &faultyServer{fault: exchanged()}, "deliveries came out of order"},
		{"alters messages", &faultyServer{fault: every10th(func(m string) []string { return []string{m[:len(m)-10] + "!" + m[len(m)-9:]} })},
			"deliveries had a payload that was not sent"},
		{"sends messages to others", &faultyServer{fault: every10th(misrouted)}, "deliveries came to somebody they were not meant for"},
		{"refuses publishers", &faultyServer{status: 500}, "publish: HTTP 500"},
		{"leaves publishers waiting", &faultyServer{silent: 5}, "1 × publish: no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"fanout", "--url", startFaulty(t, tt.s), "--channels", "1", "--subscribers", "5", "--publishers", "1", "--rate", "100"}, short...)
			stdout, _, err := bench(t, args...)
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v, want no error; printed %s", err, stdout)
				}
				return
			}
			var p *config.Problem
			if err == nil || errors.As(err, &p) {
				t.Errorf("got %v, want an error that is not about usage", err)
			}
			if !strings.Contains(stdout, tt.want) {
				t.Errorf("printed %q, want it to say %q", stdout, tt.want)
			}
		})
	}
}

// TestFullSpeedWithoutAnswers has the answers stop when nothing else is to be sent before they come.
func TestFullSpeedWithoutAnswers(t *testing.T) {
	args := append([]string{"fanout", "--url", startFaulty(t, &faultyServer{silent: 5}), "--channels", "1", "--subscribers", "2", "--publishers", "3", "--rate", "max"}, short...)
	stdout, _, err := bench(t, append(args, "--drain", "200ms")...)
	if err == nil || !strings.Contains(stdout, "3 × publish: no answer") {
		t.Errorf("got %v, want a failure for each publisher; printed %s", err, stdout)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	stdout, _, err := bench(t, append([]string{"idle", "--subscribers", "2", "--url", "ws://k:s@" + ln.Addr().String() + "/1"}, short...)...)
	if err == nil || !strings.Contains(stdout, "connection refused") {
		t.Errorf("got %v and %q, want a failure that says why", err, stdout)
	}
}

func TestCompareTakesTurns(t *testing.T) {
	url := startServer(t)
	path := filepath.Join(t.TempDir(), "r.json")
	args := append([]string{"publish", "--rate", "100", "--rounds", "2", "--compare", "ours=" + url, "--compare", "theirs=" + url, "--json", path}, short...)
	stdout, _, err := bench(t, args...)
	if err != nil {
		t.Fatalf("got %v, want no error; printed %s", err, stdout)
	}
	var turns []string
	for _, run := range read(t, path).Runs {
		turns = append(turns, fmt.Sprintf("%s %d", run.Server, run.Round))
	}
	if got, want := strings.Join(turns, ", "), "ours 1, theirs 1, ours 2, theirs 2"; got != want {
		t.Errorf("tested %s, want %s", got, want)
	}
	if !strings.Contains(stdout, "÷ ours") {
		t.Errorf("printed %q, want ratios to the first server", stdout)
	}
}

func TestScenarioFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.yaml")
	text := `scenarios:
  - name: chat
    scenario: whisper
    channels: 2
    subscribers: 3
    rate: 100
    warmup: 50ms
    duration: 200ms
  - {name: other, scenario: idle, subscribers: 2, warmup: 0s, duration: 100ms}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := startServer(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "chat other"},
		{[]string{"other"}, "other"},
		{[]string{"chat", "idle", "--subscribers", "4", "--duration", "100ms"}, "chat idle"},
	} {
		stdout, _, err := bench(t, append(tt.args, "--file", file, "--url", url, "--json", "-")...)
		if err != nil {
			t.Errorf("%q: got %v, want no error; printed %s", tt.args, err, stdout)
			continue
		}
		var r report.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Errorf("%q: printed what is no report: %v", tt.args, err)
		}
		if got := strings.Join(r.Labels(), " "); got != tt.want {
			t.Errorf("%q: tested %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	unnamed := filepath.Join(t.TempDir(), "unnamed.md")
	if err := os.WriteFile(unnamed, []byte("no markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	const local = "ws://k:s@127.0.0.1:9/1"
	for _, tt := range []struct {
		args string
		want string
	}{
		{"", "which scenario?"},
		{"fanout", "which server?"},
		{"nonsense --url " + local, "nonsense"},
		{"fanout --url ws://k:s@192.0.2.1/1", "not on this machine"},
		{"fanout --url ftp://127.0.0.1", "start with ws://"},
		{"fanout --url ws://127.0.0.1:9", "is not known"},
		{"fanout --rate soon --url " + local, "is no rate"},
		{"fanout --kind secret --url " + local, "public, private or presence"},
		{"fanout --url " + local + " --compare a=" + local, "--compare"},
		{"fanout --compare " + local, "NAME=URL"},
		{"fanout --compare a=" + local + " --compare a=" + local, "two servers"},
		{"fanout --compare a=" + local + " --pid 1", "for one server"},
		{"fanout --source here --url " + local, "no address"},
		{"idle --rate 5 --url " + local, "--rate does not count for idle"},
		{"idle churn --joiners 5 --url " + local, "--joiners does not count"},
		{"fanout --workers -1 --url " + local, "--workers cannot be -1"},
		{"fanout --rounds -1 --url " + local, "--rounds cannot be -1"},
		{"fanout --url ws://k:s@127.0.0.1:99999/1", "no port"},
		{"fanout --metrics-url 127.0.0.1:9/metrics --url " + local, "no URL of a page"},
		{"churn --life -1s --url " + local, "life"},
		{"--file /nowhere.yaml --url " + local, "nowhere.yaml"},
		{"diff a.json", "two reports"},
		{"diff a.json b.json", "a.json"},
		{"show", "which report?"},
		{"show a.json", "a.json"},
	} {
		_, _, err := bench(t, strings.Fields(tt.args)...)
		var p *config.Problem
		if !errors.As(err, &p) || p.Hint == "" && !slices.Contains([]string{"is no rate", "public, private or presence", "life"}, tt.want) {
			t.Errorf("bench %s: got %v, want a usage error with a hint", tt.args, err)
			continue
		}
		if !strings.Contains(p.Sentence, tt.want) {
			t.Errorf("bench %s: got %q, want it to say %q", tt.args, p.Sentence, tt.want)
		}
	}
	if err := writeTable(unnamed, report.New(1, time.Now())); err == nil {
		t.Error("a table was written into a document without a place for it")
	}
}
