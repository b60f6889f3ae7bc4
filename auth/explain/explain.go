package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

// A Claim is what a connection wants to be let in with.
type Claim struct {
	SocketID string
	Channel  string // "" if it is to sign in
	Data     string // channel_data or user_data, as sent; "" is none
}

// Known is what else a signature may have been made with.
type Known struct {
	Apps     []*auth.App // others of the server
	Sockets  []string    // ids of other connections, those that have ended too
	Channels []string
	Data     []string // other channel_data or user_data
}

// A Finding is what is wrong, or worth knowing, in one sentence, and what to do about it.
type Finding struct {
	Sentence string `json:"sentence"`
	Hint     string `json:"hint,omitempty"`
}

// A Verdict says what is to be thought of a proof.
type Verdict struct {
	Accepted bool      `json:"accepted"` // by this server
	Findings []Finding `json:"findings"` // why not; or, if accepted, why others might not
}

// Sign returns the text that is signed for a claim, and the proof as the auth endpoint answers it.
func Sign(app *auth.App, c Claim) (stringToSign, proof string) {
	if c.Channel == "" {
		return rightForm(c).text(c.SocketID, "", c.Data), app.SignUser(c.SocketID, c.Data)
	}
	return rightForm(c).text(c.SocketID, c.Channel, c.Data), app.SignChannel(c.SocketID, c.Channel, c.Data)
}

// Check compares a proof with the one that is expected.
func Check(app *auth.App, c Claim, proof string, k Known) Verdict {
	v := Verdict{Accepted: isAccepted(app, c, proof)}
	g := parseGiven(app, proof, k.Apps)
	v.Findings = g.findings
	if v.Accepted {
		v.Findings = append(v.Findings, acceptedBut(app, c, g)...)
		return v
	}
	if g.data != "" {
		k.Data = append(slices.Clone(k.Data), g.data)
	}
	if g.signature != "" {
		v.Findings = append(v.Findings, origin(app, c, g, k)...)
	}
	return v
}

func isAccepted(app *auth.App, c Claim, proof string) bool {
	if c.Channel == "" {
		return app.VerifyUser([]byte(c.SocketID), []byte(c.Data), []byte(proof))
	}
	return app.VerifyChannel([]byte(c.SocketID), []byte(c.Channel), []byte(c.Data), []byte(proof))
}

// acceptedBut is what to know of a proof that is good enough for this server.
func acceptedBut(app *auth.App, c Claim, g given) []Finding {
	if _, right := Sign(app, c); strings.HasSuffix(right, ":"+g.signature) {
		return nil
	}
	return []Finding{{"it is signed with the app's previous secret", "give the backend the new REVERB_APP_SECRET before the old one is no longer accepted"}}
}

// origin looks for what the signature was made of.
func origin(app *auth.App, c Claim, g given, k Known) []Finding {
	found, ok := search(app, c, g.signature, k)
	switch {
	case ok:
		return found // nothing, if the fault is only in what stands around the signature
	case g.isCut:
		return nil
	}
	return []Finding{{
		"the signature was made with another secret, or of something that is not known here",
		"compare REVERB_APP_SECRET of the backend with the server's; a cached configuration (php artisan config:clear) keeps an old one, and a page keeps an old socket id",
	}}
}

// Remarks says what is unusual about what is signed.
func Remarks(c Claim) []Finding {
	var list []Finding
	if _, ok := protocol.ParseSocketID(c.SocketID); !ok {
		list = append(list, Finding{fmt.Sprintf("%q does not look like a socket id of this server", c.SocketID), "a socket id is two numbers with a dot, which the client has from pusher:connection_established"})
	}
	kind := channels.KindOf(c.Channel)
	switch {
	case c.Channel == "":
		return append(list, userRemarks(c.Data)...)
	case !kind.Guarded():
		return append(list, Finding{fmt.Sprintf("%q is a public channel, which needs no signature", c.Channel), "the names of others begin with private- or presence-"})
	case kind.Has(channels.Presence):
		return append(list, memberRemarks(c.Data)...)
	case c.Data != "":
		list = append(list, Finding{"channel_data is given for a channel that has no members, and is signed with it all the same", "leave it out unless the client sends it"})
	}
	return list
}

func memberRemarks(data string) []Finding {
	const hint = `it is the text of a JSON object such as {"user_id":"7","user_info":{"name":"Ann"}}`
	if data == "" {
		return []Finding{{"channel_data is missing, so that the connection listens to the presence channel without being a member", hint}}
	}
	m, err := protocol.ParseMember([]byte(data))
	switch {
	case err != nil:
		return []Finding{{"channel_data cannot be used", hint}}
	case m.ID == "":
		return []Finding{{"channel_data has no user_id, so that the connection listens without being a member", hint}}
	}
	return nil
}

func userRemarks(data string) []Finding {
	if _, err := protocol.ParseUser([]byte(data)); err != nil {
		return []Finding{{"user_data cannot be used", `it is the text of a JSON object such as {"id":"7","user_info":{"name":"Ann"}}`}}
	}
	return nil
}
