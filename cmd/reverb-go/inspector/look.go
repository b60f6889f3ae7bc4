package inspector

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

// What one answer lists at most. It always says how many there are.
const (
	maxConnections      = 100
	maxChannels         = 100
	maxUsers            = 200
	maxSubscriptions    = 5   // of each connection in a list
	maxOwnSubscriptions = 200 // of a connection that is asked for alone
)

// getConnections looks for connections of this node. The parameter "by" says what the text is; without it, it may be
// anything.
func (r *request) getConnections(ctx context.Context) (any, error) {
	q, err := r.connQuery()
	if err != nil {
		return nil, err
	}
	r.inspector.search.Lock()
	defer r.inspector.search.Unlock()
	found := r.in.Connections(ctx, q)
	if found.Connections == nil {
		found.Connections = []server.ConnInfo{}
	}
	return found, nil
}

func (r *request) connQuery() (server.ConnQuery, error) {
	by, text := r.query("by"), strings.TrimSpace(r.query("q"))
	q := server.ConnQuery{
		App: r.query("app"), Text: text, Limit: maxConnections, Subscriptions: maxSubscriptions,
		InUser: by == "user" || by == "", InChannel: by == "channel" || by == "", InAddr: by == "ip" || by == "" && isAddrLike(text),
	}
	id, isID := protocol.ParseSocketID(text)
	switch {
	case isID && (by == "" || by == "socket"):
		q.Socket, q.Subscriptions = id, maxOwnSubscriptions
	case by == "socket":
		return q, &problem{http.StatusUnprocessableEntity, "that is no socket id", "it is two numbers with a dot between them, such as 1234.5678"}
	case by != "" && by != "user" && by != "channel" && by != "ip":
		return q, &problem{http.StatusUnprocessableEntity, "connections cannot be looked for by " + by, "there are user, channel, ip and socket"}
	}
	return q, nil
}

// isAddrLike keeps a search for anything else from asking the system for the address of every socket.
func isAddrLike(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdefABCDEF.:/") == "" && strings.ContainsAny(text, ".:")
}

// A channelView is a channel in a list.
type channelView struct {
	Name          string   `json:"name"`
	Kind          []string `json:"kind"`
	Subscriptions int      `json:"subscriptions"`
	Users         int      `json:"users"`
}

func viewOf(c channels.Info) channelView {
	return channelView{Name: c.Name, Kind: kindWords(c.Kind), Subscriptions: c.Subscriptions, Users: c.Users}
}

func kindWords(k channels.Kind) []string {
	words := []string{}
	for _, kind := range []struct {
		kind channels.Kind
		word string
	}{{channels.Presence, "presence"}, {channels.Private, "private"}, {channels.Encrypted, "encrypted"}, {channels.Cache, "cache"}} {
		if k.Has(kind.kind) {
			words = append(words, kind.word)
		}
	}
	if !k.Guarded() {
		words = append(words, "public")
	}
	return words
}

// getChannels lists the channels of all nodes, the fullest first.
func (r *request) getChannels(context.Context) (any, error) {
	r.inspector.search.Lock()
	defer r.inspector.search.Unlock()
	all, err := r.in.Channels(r.query("app"))
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(r.query("q"))
	all = slices.DeleteFunc(all, func(c channels.Info) bool { return !strings.Contains(c.Name, text) })
	slices.SortFunc(all, func(a, b channels.Info) int {
		return cmp.Or(cmp.Compare(b.Subscriptions, a.Subscriptions), cmp.Compare(a.Name, b.Name))
	})
	answer := struct {
		Channels []channelView `json:"channels"`
		Total    int           `json:"total"`
	}{[]channelView{}, len(all)}
	for _, c := range all[:min(len(all), maxChannels)] {
		answer.Channels = append(answer.Channels, viewOf(c))
	}
	return answer, nil
}

// getChannel shows one channel with its members, who are ids: what else is said about them is not shown.
func (r *request) getChannel(context.Context) (any, error) {
	info, users, err := r.in.Channel(r.query("app"), r.query("name"))
	if err != nil {
		return nil, err
	}
	answer := struct {
		channelView
		Members []string `json:"members"`
		Cached  int      `json:"cached"`  // bytes of the event that is kept
		Expires float64  `json:"expires"` // seconds that it is kept for
	}{channelView: viewOf(info), Members: []string{}, Cached: len(info.Cached)}
	answer.Users = max(info.Users, len(users))
	answer.Members = append(answer.Members, users[:min(len(users), maxUsers)]...)
	if info.Cached != nil {
		answer.Expires = info.Expires.Sub(r.inspector.options.Now()).Seconds()
	}
	return answer, nil
}
