package inspector

import (
	"context"
	"net/http"

	"github.com/reverb-go/reverb-go/auth/explain"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

// postPublish publishes an event as POST /events does.
func (r *request) postPublish(context.Context) (any, error) {
	var e struct{ App, Channel, Event, Data string }
	if err := r.read(&e); err != nil {
		return nil, err
	}
	if e.Channel == "" || e.Event == "" {
		return nil, &problem{http.StatusUnprocessableEntity, "the event has no name or no channel", "fill in both"}
	}
	subscribers, ok, err := r.in.Publish(e.App, protocol.Publish{
		Name: []byte(e.Event), Channels: [][]byte{[]byte(e.Channel)}, Data: protocol.AppendString(nil, e.Data),
	})
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, unknownApp(e.App)
	}
	r.log("event published", "app", e.App, "channel", e.Channel, "event", e.Event)
	return struct {
		Subscribers int `json:"subscribers"`
	}{subscribers}, nil
}

// postTerminate closes the connections of a user on all nodes.
func (r *request) postTerminate(context.Context) (any, error) {
	var u struct{ App, User string }
	if err := r.read(&u); err != nil {
		return nil, err
	}
	if u.User == "" {
		return nil, &problem{http.StatusUnprocessableEntity, "no user is named", ""}
	}
	ok, err := r.in.Terminate(u.App, u.User)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, unknownApp(u.App)
	}
	r.log("connections of a user closed", "app", u.App, "user", u.User)
	return struct{}{}, nil
}

// postClose closes one connection of this node.
func (r *request) postClose(ctx context.Context) (any, error) {
	var c struct{ Socket string }
	if err := r.read(&c); err != nil {
		return nil, err
	}
	id, ok := protocol.ParseSocketID(c.Socket)
	if !ok || !r.in.Close(ctx, id) {
		return nil, notHere(c.Socket)
	}
	r.log("connection closed", "socket", c.Socket)
	return struct{}{}, nil
}

func notHere(socket string) *problem {
	return &problem{http.StatusNotFound, "this node has no connection " + socket, "it may have ended, or be on another node"}
}

// A question is what a client was refused with.
type question struct {
	App, Channel, Data, Auth string
	SocketID                 string `json:"socket_id"`
	User                     bool   // it wants to sign in, and has no channel
}

// An explanation has no right signature in it: who may look is not thereby let into every channel.
type explanation struct {
	explain.Verdict
	StringToSign string            `json:"string_to_sign"`
	Remarks      []explain.Finding `json:"remarks"`
}

// postExplain says what is wrong with a signature. That takes some tens of milliseconds, so it is done for one at a
// time.
func (r *request) postExplain(ctx context.Context) (any, error) {
	var q question
	if err := r.read(&q); err != nil {
		return nil, err
	}
	if q.Channel == "" && !q.User {
		return nil, &problem{http.StatusUnprocessableEntity, "the channel has no name", "without a channel, choose to sign a user in"}
	}
	r.inspector.explain.Lock()
	defer r.inspector.explain.Unlock()
	app, err := r.in.App(q.App)
	switch {
	case err != nil:
		return nil, err
	case app == nil:
		return nil, unknownApp(q.App)
	}
	claim := explain.Claim{SocketID: q.SocketID, Channel: q.Channel, Data: q.Data}
	if q.User {
		claim.Channel = ""
	}
	e := explanation{Verdict: explain.Check(app, claim, q.Auth, r.known(ctx, q)), Remarks: explain.Remarks(claim)}
	e.StringToSign, _ = explain.Sign(app, claim)
	if id, ok := protocol.ParseSocketID(q.SocketID); ok && !r.has(ctx, id) {
		e.Remarks = append(e.Remarks, explain.Finding{
			Sentence: "this node has no connection with the socket id " + q.SocketID + " now",
			Hint:     "a socket id is good for one connection: after each reconnect the backend has to sign anew",
		})
	}
	return e, nil
}

func (r *request) has(ctx context.Context, id protocol.SocketID) bool {
	return r.in.Connections(ctx, server.ConnQuery{Socket: id}).Total > 0
}

// known is what else may have been signed: other apps, and some sockets and channels of this one.
func (r *request) known(ctx context.Context, q question) (k explain.Known) {
	for id, a := range r.apps() {
		if id != q.App {
			k.Apps = append(k.Apps, a)
		}
	}
	some := server.ConnQuery{App: q.App, Limit: maxConnections, Subscriptions: maxSubscriptions}
	channels := make(map[string]bool)
	for _, c := range r.in.Connections(ctx, some).Connections {
		k.Sockets = append(k.Sockets, c.Socket)
		for _, ch := range c.Channels {
			if !channels[ch.Name] {
				channels[ch.Name] = true
				k.Channels = append(k.Channels, ch.Name)
			}
		}
	}
	return k
}
