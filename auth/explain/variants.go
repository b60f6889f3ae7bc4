package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/auth"
)

// A form is how the parts become the text that is signed.
type form struct {
	text    func(socket, channel, data string) string
	finding Finding // for a claim of which it is not the right form
}

const (
	formChannel = "channel"
	formUser    = "user"
)

var forms = map[string]form{
	formChannel: {channelText, Finding{"it is signed as if for a channel, not for a user to sign in", "the text to sign is the socket id, ::user:: and user_data"}},
	formUser: {
		func(socket, _, data string) string { return socket + "::user::" + data },
		Finding{"it is signed for a user to sign in, not for a channel", "the answer of the user auth endpoint is not that of the channel auth endpoint"},
	},
	"one colon": {
		func(socket, _, data string) string { return socket + ":user:" + data },
		Finding{"the colons around the word user are not doubled", "the text to sign is the socket id, ::user:: and user_data"},
	},
	"swapped": {
		func(socket, channel, data string) string { return channelText(channel, socket, data) },
		Finding{"the channel is signed before the socket id", "the socket id comes first"},
	},
	"no colons": {
		func(socket, channel, data string) string { return socket + channel + data },
		Finding{"there are no colons between the parts that are signed", "put one between each two parts"},
	},
	"channel alone": {
		func(_, channel, data string) string { return strings.TrimSuffix(channel+":"+data, ":") },
		Finding{"the socket id is not signed", "the socket id and a colon come first"},
	},
}

// channelText leaves out the data that PHP takes for none, as Reverb does.
func channelText(socket, channel, data string) string {
	text := socket + ":" + channel
	if data != "" && data != "0" {
		text += ":" + data
	}
	return text
}

func rightForm(c Claim) form { return forms[rightFormName(c)] }

func rightFormName(c Claim) string {
	if c.Channel == "" {
		return formUser
	}
	return formChannel
}

// A list of variants has each value once.
type list struct {
	all  []variant
	seen map[string]bool
}

func newList(right string) *list {
	return &list{[]variant{{value: right}}, map[string]bool{right: true}}
}

func (l *list) add(value, sentence, hint string) {
	if !l.seen[value] {
		l.seen[value] = true
		l.all = append(l.all, variant{value, Finding{sentence, hint}})
	}
}

// variants are the values of each part, the right one first.
func variants(app *auth.App, c Claim, k Known) [parts][]variant {
	return [parts][]variant{
		partSecret:  secrets(app, k),
		partSocket:  sockets(c, k),
		partChannel: channelNames(c, k),
		partData:    datas(c, k),
		partForm:    formNames(c),
	}
}

func secrets(app *auth.App, k Known) []variant {
	l := newList(app.Secret)
	const hint = "REVERB_APP_SECRET signs"
	if app.PreviousSecret != "" {
		l.add(app.PreviousSecret, "it is signed with the app's previous secret", "give the backend the new REVERB_APP_SECRET")
	}
	l.add(app.Key, "it is signed with the app's key in place of its secret", hint)
	l.add(app.ID, "it is signed with the app's id in place of its secret", hint)
	l.add("", "it is signed with an empty secret", "is REVERB_APP_SECRET known where the backend runs?")
	for _, end := range []string{"\n", "\r", "\r\n", " "} {
		l.add(app.Secret+end, "the secret it is signed with has white space at its end", "take it off in the backend's configuration")
	}
	for _, quote := range []string{`"`, "'"} {
		l.add(quote+app.Secret+quote, "the secret it is signed with has quotes around it", "take them off in the backend's configuration")
	}
	for _, a := range k.Apps {
		l.add(a.Secret, fmt.Sprintf("it is signed with the secret of app %q", a.ID), fmt.Sprintf("the connection is one of app %q", app.ID))
		l.add(a.Key, fmt.Sprintf("it is signed with the key of app %q", a.ID), hint)
	}
	return l.all
}

func sockets(c Claim, k Known) []variant {
	l := newList(c.SocketID)
	l.add(strings.TrimSpace(c.SocketID), "the socket id that was signed has no white space around it", "give the client's without")
	for _, nothing := range []string{"", "undefined", "null"} {
		l.add(nothing, fmt.Sprintf("the socket id that was signed is %q", nothing), "was the client not connected yet when it asked for the signature?")
	}
	for _, id := range k.Sockets {
		l.add(id, fmt.Sprintf("it is signed for the socket id %s", id), "each connection has an id of its own: ask for a new signature after a reconnect")
	}
	return l.all
}

// prefixes are what the names of guarded channels begin with, the longest first.
var prefixes = []string{"private-encrypted-cache-", "private-encrypted-", "private-cache-", "presence-cache-", "private-", "presence-"}

func channelNames(c Claim, k Known) []variant {
	l := newList(c.Channel)
	if c.Channel == "" {
		return l.all
	}
	const hint = "sign the name as the client sends it"
	bare := c.Channel
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(bare, prefix); ok {
			bare = rest
			break
		}
	}
	for _, name := range append([]string{""}, prefixes...) {
		l.add(name+bare, fmt.Sprintf("it is signed for the channel %q", name+bare), "Echo puts private- or presence- before the name, and that is part of it")
	}
	l.add(strings.TrimSpace(c.Channel), "the channel's name was signed without the white space around it", hint)
	l.add(strings.ToLower(c.Channel), "the channel's name was signed in lower case", hint)
	l.add(url.QueryEscape(c.Channel), "the channel's name was signed as it is escaped in a URL", hint)
	l.add(url.PathEscape(c.Channel), "the channel's name was signed as it is escaped in a URL", hint)
	for _, name := range k.Channels {
		l.add(name, fmt.Sprintf("it is signed for the channel %q", name), "each channel takes a signature of its own")
	}
	return l.all
}

func datas(c Claim, k Known) []variant {
	l := newList(c.Data)
	name := "channel_data"
	if c.Channel == "" {
		name = "user_data"
	}
	if c.Data != "" {
		l.add("", name+" is not signed, and the client sends it", "sign it behind another colon, exactly as the client sends it")
		l.addSpellings(name, c.Data)
	}
	for _, data := range k.Data {
		sentence := fmt.Sprintf("it is signed with other %s: %s", name, data)
		if c.Data == "" {
			sentence = fmt.Sprintf("it is signed with %s, which the client does not send: %s", name, data)
		}
		l.add(data, sentence, "the client has to send what was signed, byte for byte")
		l.addSpellings(name, data)
	}
	return l.all
}

// addSpellings adds the same data as other JSON libraries write it.
func (l *list) addSpellings(name, data string) {
	const hint = "sign the very text that is sent: encode it once, and use the result for both"
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(data)) != nil {
		l.add(strings.TrimSpace(data), name+" was signed without the white space around it", hint)
		return
	}
	texts := []string{compact.String()}
	for _, change := range []func(string) string{plainSlashes, escapedSlashes, sortedKeys, plainCharacters, escapedCharacters, spaced} {
		for _, text := range texts {
			texts = append(texts, change(text))
		}
	}
	for _, text := range texts {
		l.add(text, name+" was signed in another spelling of the same JSON: "+text, hint)
	}
	l.add(strconv.Quote(data), name+" was encoded as JSON twice before it was signed", hint)
	if quoted, err := json.Marshal(data); err == nil {
		l.add(string(quoted), name+" was encoded as JSON twice before it was signed", hint)
	}
}

func plainSlashes(s string) string { return strings.ReplaceAll(s, `\/`, `/`) }

// escapedSlashes writes slashes as PHP does.
func escapedSlashes(s string) string { return strings.ReplaceAll(plainSlashes(s), `/`, `\/`) }

// escapedCharacters writes what is not ASCII as PHP and Python do.
func escapedCharacters(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// escapes matches any escaped character, and characters escaped by their code together, as two may be halves of one.
var escapes = regexp.MustCompile(`\\[^u]|(?:\\u[0-9a-fA-F]{4})+`)

// plainCharacters is the reverse.
func plainCharacters(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		var plain string
		if escape[1] != 'u' || json.Unmarshal([]byte(`"`+escape+`"`), &plain) != nil || strings.ContainsFunc(plain, mustBeEscaped) {
			return escape
		}
		return plain
	})
}

func mustBeEscaped(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

// sortedKeys puts keys in alphabetical order, as Go does with those of a map.
func sortedKeys(s string) string {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return s
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return s
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// spaced writes a space behind each comma and colon, as Python does.
func spaced(s string) string {
	var b strings.Builder
	inString := false
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		switch {
		case s[i] == '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case s[i] == '"':
			inString = !inString
		case !inString && (s[i] == ',' || s[i] == ':'):
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func formNames(c Claim) []variant {
	right := rightFormName(c)
	l := newList(right)
	others := []string{"swapped", "no colons", "channel alone", formUser}
	if right == formUser {
		others = []string{"one colon", "no colons", formChannel}
	}
	for _, name := range others {
		l.add(name, forms[name].finding.Sentence, forms[name].finding.Hint)
	}
	return l.all
}
