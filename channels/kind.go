package channels

import "strings"

// Kind is what a channel's name says of it: a set of properties, none for a public channel.
type Kind uint8

const (
	Private      Kind = 1 << iota // a subscription needs a signature
	Presence                      // needs a signature and has members
	Cache                         // the last event is kept for later subscribers
	Encrypted                     // the data of its events is for the clients alone
	ServerToUser                  // events for one signed-in user; not among the channels that are listed
	Watch                         // carries whether a user is online; nobody can subscribe to it by name
)

// kinds are tried in order. Reverb looks for "private", "presence" and "cache" without the hyphen
// that Pusher asks for, and Laravel's own broadcasters take "starts with private" for the same, so
// a channel that an app believes to be guarded is guarded here.
var kinds = []struct {
	prefix string
	kind   Kind
}{
	{"private-encrypted-cache-", Private | Encrypted | Cache},
	{"private-encrypted-", Private | Encrypted},
	{"private-cache-", Private | Cache},
	{"presence-cache-", Presence | Cache},
	{"cache", Cache},
	{"private", Private},
	{"presence", Presence},
	{serverToUser, ServerToUser},
	{watch, Watch},
}

const (
	serverToUser = "#server-to-user-"
	watch        = "\x00online:" // no client's or publisher's name may begin with a NUL
)

// KindOf returns the kind of the channel with this name.
func KindOf[T ~string | ~[]byte](name T) Kind {
	for _, k := range kinds {
		if strings.HasPrefix(string(name[:min(len(name), len(k.prefix))]), k.prefix) {
			return k.kind
		}
	}
	return 0
}

// Guarded reports whether a subscription needs a signature.
func (k Kind) Guarded() bool { return k&(Private|Presence) != 0 }

// IsInternal reports whether the channel is left out of lists, counts and webhooks.
func (k Kind) IsInternal() bool { return k&(ServerToUser|Watch) != 0 }

// UserOf returns the user that a ServerToUser channel is for, or "".
func UserOf(name string) string {
	user, _ := strings.CutPrefix(name, serverToUser)
	if user == name {
		return ""
	}
	return user
}

// Has reports whether k has all properties of what.
func (k Kind) Has(what Kind) bool { return k&what == what }
