package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBuiltinScenariosMakeSense(t *testing.T) {
	for _, name := range Names {
		s, err := Builtin(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Label() != name || s.Shape() == "" {
			t.Errorf("%s: it is called %q and described as %q", name, s.Label(), s.Shape())
		}
	}
	var kinds, labels []string
	for _, s := range All() {
		if err := s.Check(); err != nil {
			t.Errorf("all: %v", err)
		}
		if slices.Contains(labels, s.Label()) {
			t.Errorf("all: there are two called %q", s.Label())
		}
		kinds, labels = append(kinds, s.Scenario), append(labels, s.Label())
	}
	for _, name := range Names {
		if !slices.Contains(kinds, name) {
			t.Errorf("all: %s is missing", name)
		}
	}
	if _, err := Builtin("nonsense"); err == nil {
		t.Error("there is a scenario called nonsense")
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		kind   string
		change func(*Scenario)
		want   string // in the error; "" is none
	}{
		{"publish", func(s *Scenario) { s.Subscribers = 0 }, ""},
		{"fanout", func(s *Scenario) { s.Batch = 10 }, ""},
		{"fanout", func(s *Scenario) { s.Subscribers = 0 }, "subscribers"},
		{"fanout", func(s *Scenario) { s.Rate = 0 }, "needs a rate"},
		{"fanout", func(s *Scenario) { s.Rate, s.Window = Max, 0 }, "needs a window"},
		{"fanout", func(s *Scenario) { s.Kind = "secret" }, "public, private or presence"},
		{"fanout", func(s *Scenario) { s.Payload = 10 }, "payload"},
		{"fanout", func(s *Scenario) { s.Channels = -1 }, "between"},
		{"fanout", func(s *Scenario) { s.Channels, s.Subscribers = 1e6, 1e6 }, "too many"},
		{"fanout", func(s *Scenario) { s.Batch = 11 }, "1 to 10"},
		{"fanout", func(s *Scenario) { s.Duration = 0 }, "lasts"},
		{"fanout", func(s *Scenario) { s.Publishers = 70_000 }, "65,535"},
		{"slow-consumers", func(s *Scenario) { s.Slow = s.Subscribers }, "not slow"},
		{"whisper", func(s *Scenario) { s.Kind = "public" }, "private or presence"},
		{"whisper", func(s *Scenario) { s.Senders = s.Subscribers + 1 }, "subscribers"},
		{"presence", func(s *Scenario) { s.Kind = "private" }, "presence channels only"},
		{"reconnect-storm", func(s *Scenario) { s.Rate, s.Window = Max, 1 }, "not max"},
		{"mix", func(s *Scenario) { s.Parts = nil }, "parts"},
		{"mix", func(s *Scenario) { s.Parts[0].Channels = 0 }, "channels"},
		{"mix", func(s *Scenario) { s.Parts[0].Scenario = "mix" }, "cannot be part"},
	} {
		s, err := Builtin(tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(&s)
		err = s.Check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", s.Shape(), err, tt.want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Rate
		ok   bool
	}{{"max", Max, true}, {"0.5", 0.5, true}, {"1000", 1000, true}, {"-1", 0, false}, {"fast", 0, false}, {"1e9", 0, false}, {"NaN", 0, false}} {
		got, err := ParseRate(tt.text)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%q: got %v and %v, want %v", tt.text, got, err, tt.want)
		}
		if tt.ok && got.String() != tt.text {
			t.Errorf("%q: it is written %q", tt.text, got)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
	}{
		{"good", "scenarios:\n- {name: a, scenario: fanout, rate: max}\n- {scenario: churn, life: 250ms}\n- scenario: mix\n  parts: [{scenario: idle, subscribers: 3}]\n", ""},
		{"unknown key", "scenarios:\n- {scenario: fanout, speed: 3}\n", "speed"},
		{"unknown scenario", "scenarios:\n- {scenario: nonsense}\n", "nonsense"},
		{"nothing", "scenarios: []\n", "no scenarios"},
		{"twice the same name", "scenarios:\n- {scenario: idle}\n- {scenario: idle}\n", "two scenarios"},
		{"nonsense in it", "scenarios:\n- {scenario: idle, channels: 0}\n", "channels"},
		{"bad rate", "scenarios:\n- {scenario: fanout, rate: soon}\n", "no rate"},
		{"no YAML", "scenarios: [", ""},
		{"empty", "", "no scenarios"},
		{"no kind", "scenarios:\n- {name: a}\n", `scenario "a": scenario: is missing`},
		{"no unit", "scenarios:\n- {name: a, scenario: churn, duration: 5}\n", `scenario "a": duration: "5" is no length of time: write 500ms`},
		{"another unit", "scenarios:\n- {scenario: fanout, payload: 1kB}\n", `payload: "1kB" is no whole number`},
		{"negative", "scenarios:\n- {scenario: fanout, subscribers: -5}\n", "subscribers: -5"},
		{"no value", "scenarios:\n- {scenario: fanout, rate: }\n", "rate has no value"},
		{"of another kind", "scenarios:\n- {scenario: idle, rate: 5}\n", "rate does not count for idle: it has channels, subscribers, kind"},
		{"twice the same key", "scenarios:\n- {scenario: idle, name: a, name: b}\n", "already defined"},
		{"unknown key of a part", "scenarios:\n- {name: a, scenario: mix, parts: [{scenario: idle, speed: 3}]}\n", `scenario "a": parts: scenario "idle": there is no field "speed"`},
		{"time of a part", "scenarios:\n- {scenario: mix, parts: [{scenario: idle, duration: 3s}]}\n", "duration does not count for parts"},
	} {
		path := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Load(path)
		if tt.name == "good" {
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			checkGood(t, f)
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "s.yaml") {
			t.Errorf("%s: got %v, want an error with the file and %q", tt.name, err, tt.want)
		}
	}
}

// TestMergeKeys has a scenario take over what another one says.
func TestMergeKeys(t *testing.T) {
	f, err := parse("s.yaml", []byte("scenarios:\n- &a {name: a, scenario: fanout, channels: 7, rate: 5}\n- <<: *a\n  name: b\n  rate: 6\n"))
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := f.Find("b"); !ok || b.Channels != 7 || b.Rate != 6 {
		t.Errorf("got %+v, want the channels of the other and its own rate", b)
	}
}

// TestFieldsThatCount has each kind in the table, and no field there that a file cannot have.
func TestFieldsThatCount(t *testing.T) {
	for _, kind := range Names {
		fields := Fields(kind)
		if len(fields) == 0 {
			t.Errorf("nothing counts for %s", kind)
		}
		for _, field := range fields {
			if !IsField(field) {
				t.Errorf("%s counts for %s, and is no field", field, kind)
			}
		}
		s := mustBuiltin(kind, func(*Scenario) {})
		for name, n := range s.needs() {
			if n > 0 && !Counts(kind, name) {
				t.Errorf("%s needs %s, which does not count", kind, name)
			}
		}
	}
}

// TestExampleInTheDocs loads the scenario file that docs/bench.md shows.
func TestExampleInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../../../../docs/bench.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no example")
	}
	f, err := parse("bench.md", []byte(example))
	if err != nil || len(f.Scenarios) != 2 {
		t.Errorf("got %d scenarios and %v, want 2", len(f.Scenarios), err)
	}
}

func checkGood(t *testing.T, f File) {
	t.Helper()
	a, ok := f.Find("a")
	if !ok || a.Rate != Max || a.Subscribers != 1_000 || a.Duration != 5*time.Second {
		t.Errorf("got %+v, want the file's rate and defaults for the rest", a)
	}
	if churn, ok := f.Find("churn"); !ok || churn.Life != 250*time.Millisecond {
		t.Errorf("got %+v, want the file's life", churn)
	}
	if mix, ok := f.Find("mix"); !ok || len(mix.Parts) != 1 || mix.Parts[0].Subscribers != 3 {
		t.Errorf("got %+v, want the file's part", mix)
	}
	if _, ok := f.Find("b"); ok {
		t.Error("there is a scenario that is not in the file")
	}
}

func TestPlan(t *testing.T) {
	mix, err := Builtin("mix")
	if err != nil {
		t.Fatal(err)
	}
	p := mix.Plan(0xabcd)
	next := uint32(0)
	for i := range p.Groups {
		g := &p.Groups[i]
		if g.FirstChannel != next {
			t.Errorf("%s begins with channel %d, want %d: no two groups share one", g.Scenario.Scenario, g.FirstChannel, next)
		}
		next += uint32(g.Channels)
	}
	presence := &p.Groups[3]
	if got, want := p.ChannelName(presence, 1), "presence-bench-abcd-32"; got != want {
		t.Errorf("got channel %q, want %q", got, want)
	}
	connect := mustBuiltin("connect", func(s *Scenario) { s.Connections, s.Rate = 1_000, 300 }).Plan(1)
	if connect.Duration < 3333*time.Millisecond || connect.Duration > 3334*time.Millisecond {
		t.Errorf("1,000 connections at 300/s take %v, want 3.33 s", connect.Duration)
	}
	storm := mustBuiltin("reconnect-storm", func(*Scenario) {}).Plan(1)
	if !storm.UntilDone || storm.Groups[0].Role != Storm || storm.Groups[1].Role != Listen {
		t.Errorf("got %+v, want a storm beside listeners, until all are back", storm)
	}
}

func TestSockets(t *testing.T) {
	for _, tt := range []struct {
		kind   string
		change func(*Scenario)
		want   int
	}{
		{"idle", func(s *Scenario) { s.Channels, s.Subscribers = 3, 100 }, 300},
		{"fanout", func(s *Scenario) { s.Channels, s.Subscribers, s.Publishers = 2, 10, 4 }, 24},
		{"presence", func(s *Scenario) { s.Channels, s.Subscribers, s.Joiners = 2, 10, 3 }, 26},
		{"connect", func(s *Scenario) { s.Connections, s.Rate = 700, Max }, 700},
		{"churn", func(s *Scenario) { s.Rate, s.Window = Max, 10 }, 40},
		{"churn", func(s *Scenario) { s.Rate, s.Life = 100, 2*time.Second }, 500},
		{"reconnect-storm", func(s *Scenario) { s.Connections, s.Channels, s.Subscribers, s.Publishers = 100, 1, 10, 1 }, 211},
	} {
		if got := mustBuiltin(tt.kind, tt.change).Plan(1).Sockets(); got != tt.want {
			t.Errorf("%s: got %d connections at once, want %d", tt.kind, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1_000: "1,000", 1_234_567: "1,234,567", -5_000: "-5,000", -100: "-100"} {
		if got := Count(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
