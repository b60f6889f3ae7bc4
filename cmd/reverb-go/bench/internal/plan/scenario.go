package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Scenario is a load test in words. Which fields count depends on the kind of scenario.
type Scenario struct {
	Name        string        `json:"name,omitempty"`
	Scenario    string        `json:"scenario"`
	Kind        string        `json:"kind,omitempty"`        // of channels: public, private, presence
	Connections int           `json:"connections,omitempty"` // that do not belong to a channel's subscribers
	Channels    int           `json:"channels,omitempty"`
	Subscribers int           `json:"subscribers,omitempty"` // of each channel
	Publishers  int           `json:"publishers,omitempty"`  // HTTP connections
	Senders     int           `json:"senders,omitempty"`     // of client events, in each channel
	Joiners     int           `json:"joiners,omitempty"`     // who come and go, in each channel
	Payload     int           `json:"payload,omitempty"`     // bytes of an event's data
	Rate        Rate          `json:"rate,omitempty"`        // of events, joins and leaves, or connections
	Window      int           `json:"window,omitempty"`      // events or connections under way, at rate max
	Batch       int           `json:"batch,omitempty"`       // events in one request
	Life        time.Duration `json:"life,omitempty"`        // of a connection; 0 is until the end
	Slow        int           `json:"slow,omitempty"`        // subscribers of each channel that stop reading
	Warmup      time.Duration `json:"warmup"`
	Duration    time.Duration `json:"duration"` // measured
	Drain       time.Duration `json:"drain"`    // waited for what is late, without any progress
	Parts       []Scenario    `json:"parts,omitempty"`
}

// Rate is how often something happens: so many times a second, or [Max].
type Rate float64

// Max is as often as the server confirms.
const Max Rate = -1

// ParseRate reads a number or "max".
func ParseRate(text string) (Rate, error) {
	if text == "max" {
		return Max, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 1e7) { // nor NaN
		return 0, fmt.Errorf("%q is no rate: it is a number per second, or max", text)
	}
	return Rate(f), nil
}

func (r Rate) String() string {
	if r == Max {
		return "max"
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64)
}

// Label returns what the scenario is called in reports.
func (s Scenario) Label() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Scenario
}

// Shape describes the load in a few words.
func (s Scenario) Shape() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch s.Scenario {
	case "connect":
		add("%s connections", Count(s.Connections))
	case "idle":
		add("%s connections on %s", Count(s.Channels*s.Subscribers), plural(s.Channels, s.Kind+" channel"))
	case "churn":
		add("each lives %v", s.Life)
	case "reconnect-storm":
		add("%s connections dropped at once, %s stay", Count(s.Connections), Count(s.Channels*s.Subscribers))
	case "mix":
		add("%s at once", plural(len(s.Parts), "part"))
	default:
		add("%s × %s", plural(s.Channels, s.Kind+" channel"), plural(s.Subscribers, "subscriber"))
	}
	if s.Slow > 0 {
		add("%d of them stop reading", s.Slow)
	}
	if s.Joiners > 0 {
		add("%s come and go", plural(s.Joiners, "member"))
	}
	if s.Rate != 0 {
		add("%s", s.rateText())
	}
	if s.Payload > 0 && s.Rate != 0 && s.Scenario != "connect" && s.Scenario != "churn" {
		add("%s B", Count(s.Payload))
	}
	if s.Batch > 1 {
		add("%d in a request", s.Batch)
	}
	return strings.Join(parts, ", ")
}

func (s Scenario) rateText() string {
	if s.Rate == Max {
		return "as fast as confirmed"
	}
	switch s.Scenario {
	case "connect", "churn":
		return s.Rate.String() + " connections/s"
	case "presence":
		return s.Rate.String() + " joins and leaves/s"
	}
	return s.Rate.String() + " events/s"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Count(n) + " " + what + "s"
}

// Count writes a number with its thousands apart.
func Count[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
