package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Names are the kinds of scenarios.
var Names = []string{"connect", "idle", "fanout", "whisper", "presence", "publish", "churn", "reconnect-storm", "slow-consumers", "mix"}

// common holds what is the same in all kinds unless said otherwise.
var common = Scenario{
	Kind:     "public",
	Payload:  200,
	Window:   64,
	Batch:    1,
	Warmup:   time.Second,
	Duration: 5 * time.Second,
	Drain:    3 * time.Second,
}

// Builtin returns a scenario with the defaults of its kind. They suit a small machine and every server.
func Builtin(kind string) (Scenario, error) {
	s := common
	s.Scenario = kind
	switch kind {
	case "connect":
		s.Connections, s.Channels, s.Rate = 2_000, 1, 500
	case "idle":
		s.Channels, s.Subscribers = 1, 5_000
	case "fanout":
		s.Channels, s.Subscribers, s.Publishers, s.Rate = 1, 1_000, 4, 20
	case "whisper":
		s.Kind, s.Channels, s.Subscribers, s.Senders, s.Rate = "private", 100, 10, 1, 1_000
	case "presence":
		s.Kind, s.Channels, s.Subscribers, s.Joiners, s.Rate = "presence", 10, 50, 4, 100
	case "publish":
		s.Channels, s.Subscribers, s.Publishers, s.Rate = 16, 1, 16, 500
	case "churn":
		s.Channels, s.Rate, s.Life = 10, 200, time.Second
	case "reconnect-storm":
		s.Connections, s.Channels, s.Subscribers, s.Publishers, s.Rate, s.Window = 2_000, 1, 50, 1, 50, 0
		s.Duration = 30 * time.Second
	case "slow-consumers":
		s.Channels, s.Subscribers, s.Slow, s.Publishers, s.Rate = 1, 50, 10, 4, 200
		s.Payload, s.Duration = 8_000, 10*time.Second
	case "mix":
		s.Parts = mixParts()
	default:
		return s, fmt.Errorf("there is no scenario %q", kind)
	}
	return s, nil
}

// mustBuiltin returns a built-in scenario with changes.
func mustBuiltin(kind string, change func(*Scenario)) Scenario {
	s, err := Builtin(kind)
	if err != nil {
		panic(err)
	}
	change(&s)
	return s
}

// mixParts is an app on a usual day: most connections idle, some busy channels, people typing, and
// pages being opened and left.
func mixParts() []Scenario {
	return []Scenario{
		mustBuiltin("idle", func(s *Scenario) { s.Subscribers = 500 }),
		mustBuiltin("fanout", func(s *Scenario) { s.Channels, s.Subscribers, s.Rate = 10, 50, 50 }),
		mustBuiltin("whisper", func(s *Scenario) { s.Channels, s.Rate = 20, 100 }),
		mustBuiltin("presence", func(s *Scenario) { s.Channels, s.Subscribers, s.Joiners, s.Rate = 5, 20, 2, 20 }),
		mustBuiltin("churn", func(s *Scenario) { s.Rate = 50 }),
	}
}

// All returns the scenarios of "all". Idle comes first, since it looks at the memory of a fresh server.
func All() []Scenario {
	same := func(*Scenario) {}
	return []Scenario{
		mustBuiltin("idle", same),
		mustBuiltin("connect", same),
		mustBuiltin("churn", same),
		mustBuiltin("fanout", func(s *Scenario) { s.Name = "fanout 1×1,000, calm" }),
		mustBuiltin("fanout", func(s *Scenario) { s.Name, s.Channels, s.Subscribers, s.Rate = "fanout 100×100, calm", 100, 100, 100 }),
		mustBuiltin("fanout", func(s *Scenario) { s.Name, s.Rate = "fanout 1×1,000, flat out", Max }),
		mustBuiltin("fanout", func(s *Scenario) {
			s.Name, s.Channels, s.Subscribers, s.Rate = "fanout 100×100, flat out", 100, 100, Max
		}),
		mustBuiltin("whisper", same),
		mustBuiltin("presence", same),
		mustBuiltin("publish", same),
		mustBuiltin("publish", func(s *Scenario) { s.Name, s.Rate = "publish, flat out", Max }),
		mustBuiltin("slow-consumers", same),
		mustBuiltin("reconnect-storm", same),
		mustBuiltin("mix", same),
	}
}

// counting are the fields that count for each kind, beside those of [everywhere].
var counting = map[string][]string{
	"connect":         {"connections", "channels", "kind", "rate", "window"},
	"idle":            {"channels", "subscribers", "kind"},
	"fanout":          {"channels", "subscribers", "kind", "publishers", "rate", "payload", "batch", "window"},
	"whisper":         {"channels", "subscribers", "kind", "senders", "rate", "payload", "window"},
	"presence":        {"channels", "subscribers", "kind", "joiners", "rate", "payload", "window"},
	"publish":         {"channels", "subscribers", "kind", "publishers", "rate", "payload", "batch", "window"},
	"churn":           {"channels", "kind", "rate", "life", "window"},
	"reconnect-storm": {"connections", "channels", "subscribers", "kind", "publishers", "rate", "payload", "batch", "window"},
	"slow-consumers":  {"channels", "subscribers", "kind", "slow", "publishers", "rate", "payload", "batch", "window"},
	"mix":             {"parts"},
}

// everywhere are the fields that count for all kinds.
var everywhere = []string{"name", "scenario", "warmup", "duration", "drain"}

// Counts reports whether a field, by its name in a file, counts for a kind of scenario.
func Counts(kind, field string) bool {
	return slices.Contains(everywhere, field) || slices.Contains(counting[kind], field)
}

// Fields returns the names of the fields that count for a kind, beside those that count for all.
func Fields(kind string) []string { return counting[kind] }

// IsField reports whether scenarios have a field of this name.
func IsField(name string) bool { return setters[name] != nil }

const (
	minPayload = 64 // a stamp and the JSON around it
	maxPayload = 1 << 20
	maxAtOnce  = 10_000_000
)

// Check reports what makes no sense.
func (s Scenario) Check() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("scenario %q: %w", s.Label(), err)
	}
	return nil
}

func (s Scenario) check() error {
	if !slices.Contains(Names, s.Scenario) {
		return fmt.Errorf("%q is none of %s", s.Scenario, strings.Join(Names, ", "))
	}
	if !slices.Contains([]string{"public", "private", "presence"}, s.Kind) {
		return fmt.Errorf("channels are public, private or presence, not %q", s.Kind)
	}
	for _, number := range []struct {
		name string
		n    int
	}{
		{"connections", s.Connections}, {"channels", s.Channels}, {"subscribers", s.Subscribers}, {"publishers", s.Publishers},
		{"senders", s.Senders}, {"joiners", s.Joiners}, {"window", s.Window}, {"slow", s.Slow},
	} {
		if number.n < 0 || number.n > maxAtOnce {
			return fmt.Errorf("%s: %d is not between 0 and %s", number.name, number.n, Count(maxAtOnce))
		}
	}
	if s.Channels*s.Subscribers > maxAtOnce {
		return fmt.Errorf("%d channels with %d subscribers are too many", s.Channels, s.Subscribers)
	}
	if s.Payload < minPayload || s.Payload > maxPayload {
		return fmt.Errorf("a payload has between %d and %d bytes, not %d", minPayload, maxPayload, s.Payload)
	}
	if s.Duration <= 0 || s.Duration > 24*time.Hour || s.Warmup < 0 || s.Warmup > time.Hour || s.Drain <= 0 || s.Drain > time.Hour {
		return errors.New("a test lasts up to 24h, with warm-up and drain of up to 1h each")
	}
	if s.Life < 0 {
		return fmt.Errorf("life: %v is before the connection", s.Life)
	}
	return s.checkKind()
}

// needs are the numbers that may not be zero.
func (s Scenario) needs() map[string]int {
	switch s.Scenario {
	case "connect":
		return map[string]int{"channels": s.Channels, "connections": s.Connections}
	case "idle":
		return map[string]int{"channels": s.Channels, "subscribers": s.Subscribers}
	case "whisper":
		return map[string]int{"channels": s.Channels, "subscribers": s.Subscribers, "senders": s.Senders}
	case "presence":
		return map[string]int{"channels": s.Channels, "subscribers": s.Subscribers, "joiners": s.Joiners}
	case "churn":
		return map[string]int{"channels": s.Channels}
	case "reconnect-storm":
		return map[string]int{"channels": s.Channels, "connections": s.Connections}
	case "publish":
		return map[string]int{"channels": s.Channels, "publishers": s.Publishers}
	case "mix":
		return map[string]int{"parts": len(s.Parts)}
	}
	return map[string]int{"channels": s.Channels, "subscribers": s.Subscribers, "publishers": s.Publishers}
}

func (s Scenario) checkKind() error {
	for name, n := range s.needs() {
		if n == 0 {
			return fmt.Errorf("%s needs at least one of %s", s.Scenario, name)
		}
	}
	switch {
	case s.Rate == 0 && s.Scenario != "idle" && s.Scenario != "mix" && s.Scenario != "reconnect-storm":
		return fmt.Errorf("%s needs a rate", s.Scenario)
	case s.Rate == Max && s.Window == 0:
		return errors.New("rate max needs a window")
	case s.Rate == Max && s.Scenario == "reconnect-storm":
		return errors.New("the clients that stay need a rate, not max")
	case s.Scenario == "presence" && s.Kind != "presence":
		return errors.New("members come and go in presence channels only")
	case s.Scenario == "whisper" && (s.Kind == "public" || s.Senders > s.Subscribers):
		return errors.New("client events are sent by subscribers of private or presence channels")
	case s.Slow >= s.Subscribers && s.Slow > 0:
		return errors.New("there must be subscribers that are not slow")
	case s.Batch < 1 || s.Batch > 10:
		return errors.New("a request carries 1 to 10 events")
	case s.Publishers > 0xffff || s.Senders > 0xffff || s.Joiners > 0xffff:
		return errors.New("a channel has at most 65,535 senders")
	}
	for _, part := range s.Parts {
		if part.Scenario == "mix" || part.Scenario == "reconnect-storm" {
			return fmt.Errorf("%s cannot be part of a mix", part.Scenario)
		}
		if err := part.Check(); err != nil {
			return err
		}
	}
	return nil
}
