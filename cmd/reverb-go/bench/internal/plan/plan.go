package plan

import (
	"fmt"
	"math"
	"time"
)

// A Plan is a load test as it is carried out.
type Plan struct {
	Run       uint16        `json:"run"` // tells it from other runs, in channel names and messages
	Label     string        `json:"label"`
	Groups    []Group       `json:"groups"`
	Warmup    time.Duration `json:"warmup"`
	Duration  time.Duration `json:"duration"` // at most, with UntilDone
	Drain     time.Duration `json:"drain"`
	UntilDone bool          `json:"until_done,omitempty"` // the measured time ends when the groups have done their part
	Primary   string        `json:"primary"`              // kind of latency that matters most
}

// Role is what the connections of a Group do.
type Role string

// The roles.
const (
	Listen   Role = "listen"   // subscribers, and publishers over HTTP
	Whisper  Role = "whisper"  // subscribers, some of whom send client events
	Presence Role = "presence" // members who watch others come and go
	Arrive   Role = "arrive"   // connections made at a rate, which leave after their life
	Storm    Role = "storm"    // connections dropped at once, which all come back
)

// A Group is connections with a Role.
type Group struct {
	Scenario
	Role         Role   `json:"role"`
	FirstChannel uint32 `json:"first_channel"` // channels are numbered through the whole Plan
}

// Plan returns what is to be done. run is to be different each time.
func (s Scenario) Plan(run uint16) Plan {
	p := Plan{Run: run, Label: s.Label(), Warmup: s.Warmup, Duration: s.Duration, Drain: s.Drain, Primary: primary(s)}
	switch s.Scenario {
	case "connect":
		p.Groups = []Group{{Scenario: s, Role: Arrive}}
		if s.Rate == Max {
			p.UntilDone, p.Warmup, p.Duration = true, 0, 10*time.Minute
		} else {
			p.Duration = time.Duration(math.Ceil(float64(s.Connections) / float64(s.Rate) * 1e9))
		}
	case "reconnect-storm":
		p.UntilDone = true
		stay := s
		stay.Connections = 0
		storm := s
		storm.Rate, storm.Publishers = 0, 0
		p.Groups = []Group{{Scenario: storm, Role: Storm}, {Scenario: stay, Role: Listen}}
	case "mix":
		for _, part := range s.Parts {
			p.Groups = append(p.Groups, Group{Scenario: part, Role: role(part.Scenario)})
		}
	default:
		p.Groups = []Group{{Scenario: s, Role: role(s.Scenario)}}
	}
	channels := uint32(0)
	for i := range p.Groups {
		p.Groups[i].FirstChannel = channels
		channels += uint32(p.Groups[i].Channels)
	}
	return p
}

func role(kind string) Role {
	switch kind {
	case "whisper":
		return Whisper
	case "presence":
		return Presence
	case "connect", "churn":
		return Arrive
	case "reconnect-storm":
		return Storm
	}
	return Listen
}

// Kinds of latency, each from when it was meant to begin.
const (
	Delivery  = "delivery"  // of a message, to its arrival at a subscriber
	Publish   = "publish"   // of a request, to the answer
	Connect   = "connect"   // of a connection, to its socket id
	Subscribe = "subscribe" // of a subscription, to its confirmation
	Ready     = "ready"     // of a connection, to the confirmation of its subscription
	Lag       = "lag"       // to the sending: the lateness of the load test itself
)

func primary(s Scenario) string {
	switch s.Scenario {
	case "connect", "churn", "reconnect-storm":
		return Ready
	case "publish":
		return Publish
	case "idle":
		return ""
	}
	return Delivery
}

// ChannelName returns the name of a channel of the group, from 0.
func (p Plan) ChannelName(g *Group, i int) string {
	prefix := ""
	if g.Kind != "public" {
		prefix = g.Kind + "-"
	}
	return fmt.Sprintf("%sbench-%04x-%d", prefix, p.Run, int(g.FirstChannel)+i)
}

// Streams returns how many senders a channel of the group has.
func (g *Group) Streams() int {
	switch g.Role {
	case Listen:
		if g.Rate == 0 {
			return 0
		}
		return (g.Publishers + g.Channels - 1) / g.Channels
	case Whisper:
		return g.Senders
	case Presence:
		return g.Joiners
	}
	return 0
}

// Sockets returns how many connections the plan has at once, at most, as far as the server keeps up.
func (p Plan) Sockets() int {
	n := 0
	for _, g := range p.Groups {
		n += g.sockets(p)
	}
	return n
}

// Members returns how many connections there are before the start.
func (p Plan) Members() int {
	n := 0
	for _, g := range p.Groups {
		switch g.Role {
		case Storm:
			n += g.Connections
		case Presence:
			n += g.Channels * (g.Subscribers + g.Joiners)
		case Arrive:
		default:
			n += g.Channels * g.Subscribers
		}
	}
	return n
}

func (g *Group) sockets(p Plan) int {
	switch g.Role {
	case Storm:
		return 2 * g.Connections // the system may still be busy closing the old ones
	case Presence:
		return g.Channels * (g.Subscribers + g.Joiners)
	case Arrive:
		return g.arrivals(p)
	}
	return g.Channels*g.Subscribers + g.Publishers
}

func (g *Group) arrivals(p Plan) int {
	switch {
	case g.Rate == Max && g.Life == 0:
		return g.Connections
	case g.Rate == Max:
		return g.Window * 4
	case g.Life == 0:
		return int(float64(g.Rate) * (p.Warmup + p.Duration).Seconds())
	}
	return int(float64(g.Rate)*g.Life.Seconds()*1.5) + 200
}
