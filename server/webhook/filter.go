package webhook

import (
	"strings"

	"github.com/reverb-go/reverb-go/channels"
)

// eventSet is a set of event names.
type eventSet uint8

var eventNames = [...]channels.EventName{
	channels.ChannelOccupied, channels.ChannelVacated, channels.MemberAdded, channels.MemberRemoved,
	channels.ClientEvent, channels.CacheMiss, channels.SubscriptionCount,
}

const allEvents = eventSet(1<<len(eventNames) - 1)

// setOf returns the set of the one event, which is empty for a name that no event has.
func setOf(name channels.EventName) eventSet {
	for i, known := range eventNames {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

func allNames() string {
	names := make([]string, len(eventNames))
	for i, name := range eventNames {
		names[i] = string(name)
	}
	return strings.Join(names, ", ")
}

// reverses returns the event that this one takes back, "" if it takes back none.
func reverses(name channels.EventName) channels.EventName {
	switch name {
	case channels.ChannelOccupied:
		return channels.ChannelVacated
	case channels.MemberAdded:
		return channels.MemberRemoved
	}
	return ""
}

// A filter says which events pass.
type filter struct {
	events   eventSet
	channels []string // patterns; none means all
}

func newFilter(events []channels.EventName, patterns []string) filter {
	f := filter{channels: patterns}
	for _, name := range events {
		f.events |= setOf(name)
	}
	if len(events) == 0 {
		f.events = allEvents
	}
	return f
}

func (f filter) passes(e *channels.Event) bool {
	return f.events&setOf(e.Name) != 0 && f.passesChannel(e.Channel)
}

func (f filter) passesChannel(name string) bool {
	for _, pattern := range f.channels {
		if matches(pattern, name) {
			return true
		}
	}
	return len(f.channels) == 0
}

// withPairs returns the filter that also lets pass what an event of f would take back. Who only wants to hear
// of channel_occupied still does not want to hear of a page that was reloaded.
func (f filter) withPairs() filter {
	for _, name := range eventNames {
		if f.events&setOf(name) != 0 {
			f.events |= setOf(reverses(name))
		}
	}
	return f
}

// matches reports whether s is the pattern, in which "*" stands for any run of characters. It goes back to
// the last star only, so it takes at most len(pattern)*len(s) steps.
func matches(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
