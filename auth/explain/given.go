package explain

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
)

// given is a proof taken apart.
type given struct {
	signature string // in lower-case hex, as far as that could be made of it
	data      string // channel_data or user_data that came with it
	isCut     bool   // it cannot be a whole one
	findings  []Finding
}

func (g *given) add(sentence, hint string) {
	g.findings = append(g.findings, Finding{sentence, hint})
}

const authHint = "auth is the key, a colon and the signature in 64 digits of lower-case hex"

// parseGiven finds the signature in a proof, however it is wrapped.
func parseGiven(app *auth.App, proof string, others []*auth.App) given {
	var g given
	proof = g.unwrap(proof)
	if proof == "" {
		g.add("there is no auth", "the auth endpoint of the backend answers with it; did it answer with an error, or with a page to log in?")
		return g
	}
	key, signature, hasKey := splitProof(app, proof, others)
	if !hasKey {
		g.withoutKey(app, proof)
		return g
	}
	if rest, ok := strings.CutPrefix(signature, ":"); ok {
		g.add("there are two colons", authHint)
		signature = rest
	}
	g.judgeKey(app, key, others)
	g.judgeSignature(signature)
	return g
}

// unwrap takes off what people paste with it.
func (g *given) unwrap(proof string) string {
	if trimmed := strings.Trim(proof, " \t\r\n\v\f\uFEFF\u00A0"); trimmed != proof {
		g.add("there is white space around it", "take it off; a backend often gets it from the end of a file or of its secret")
		proof = trimmed
	}
	var answer struct {
		Auth        string
		ChannelData string `json:"channel_data"`
		UserData    string `json:"user_data"`
	}
	if strings.HasPrefix(proof, "{") && json.Unmarshal([]byte(proof), &answer) == nil && answer.Auth != "" {
		g.add("it is the whole answer of the auth endpoint", "auth is the value with that name in it")
		proof, g.data = answer.Auth, answer.ChannelData+answer.UserData
	}
	if n := len(proof); n > 1 && (proof[0] == '"' || proof[0] == '\'') && proof[n-1] == proof[0] {
		g.add("there are quotes around it", "take them off")
		proof = proof[1 : n-1]
	}
	if unescaped, err := url.QueryUnescape(proof); err == nil && strings.Contains(strings.ToLower(proof), "%3a") {
		g.add("it is escaped as in a URL", "decode it")
		proof = unescaped
	}
	return proof
}

// splitProof cuts behind a key that is known, for a key may contain a colon, or else at the first colon.
func splitProof(app *auth.App, proof string, others []*auth.App) (key, signature string, ok bool) {
	for _, a := range append([]*auth.App{app}, others...) {
		if rest, ok := strings.CutPrefix(proof, a.Key+":"); ok {
			return a.Key, rest, true
		}
	}
	return strings.Cut(proof, ":")
}

func (g *given) withoutKey(app *auth.App, proof string) {
	if proof == app.Key {
		g.add("there is only the key, without a signature", authHint)
		return
	}
	if rest, ok := strings.CutPrefix(proof, app.Key); ok {
		g.add("the colon behind the key is missing", authHint)
		g.judgeSignature(strings.TrimLeft(rest, " "))
		return
	}
	g.add("there is no key and no colon", "write the key and a colon before it: Reverb and this server do without, other clients and servers do not")
	g.judgeSignature(proof)
}

func (g *given) judgeKey(app *auth.App, key string, others []*auth.App) {
	const leaked = "change the secret if a browser has seen this"
	switch {
	case key == app.Key:
		return
	case key == app.Secret, app.PreviousSecret != "" && key == app.PreviousSecret:
		g.add("the app's secret stands where its key belongs", leaked)
		return
	case key == app.ID:
		g.add("the app's id stands where its key belongs", "REVERB_APP_KEY is the key")
		return
	case key == "":
		g.add("there is no key before the colon", authHint)
		return
	case strings.EqualFold(strings.TrimSpace(key), app.Key):
		g.add("the key is written differently, with white space or in another case", fmt.Sprintf("it is %s", app.Key))
		return
	}
	for _, a := range others {
		switch key {
		case a.Key:
			g.add(fmt.Sprintf("the key is that of app %q", a.ID), fmt.Sprintf("the connection is one of app %q; its key is %s", app.ID, app.Key))
			return
		case a.Secret:
			g.add(fmt.Sprintf("the secret of app %q stands where the key belongs", a.ID), leaked)
			return
		}
	}
	// It is not shown: it may be a secret all the same.
	g.add("the key is none that is known here", fmt.Sprintf("it is %s at this server; is REVERB_APP_KEY of the backend another one?", app.Key))
}

// digests are those that have another length than SHA-256, by their digits in hex.
var digests = map[int]string{32: "MD5", 40: "SHA-1", 96: "SHA-384", 128: "SHA-512"}

// judgeSignature makes lower-case hex of it.
func (g *given) judgeSignature(s string) {
	const digits = 64
	if trimmed := strings.TrimSpace(s); trimmed != s {
		g.add("there is white space around the signature", "take it off")
		s = trimmed
	}
	if _, err := hex.DecodeString(s); err != nil || len(s) != digits {
		if text, ok := fromBase64(s); ok {
			g.add("the signature is in base64", "write it in lower-case hex; in PHP, hash_hmac has a fourth argument that is not to be true")
			s = text
		}
	}
	if lower := strings.ToLower(s); lower != s {
		g.add("the signature has upper-case letters", "write it in lower-case hex")
		s = lower
	}
	g.signature = s
	if strings.Trim(s, "0123456789abcdef") != "" {
		g.add("the signature is not in hex", authHint)
		g.isCut = true
		return
	}
	switch name := digests[len(s)]; {
	case len(s) == digits:
	case s == "":
		g.add("there is no signature behind the colon", authHint)
		g.isCut = true
	case name != "":
		g.add(fmt.Sprintf("the signature is as long as one of %s", name), "sign with HMAC-SHA256")
		g.isCut = true
	default:
		g.add(fmt.Sprintf("the signature has %d digits, and not %d", len(s), digits), "was it cut, or copied together with something else?")
		g.isCut = true
	}
}

// fromBase64 reads 32 bytes, or 64 digits of hex, in any of the alphabets.
func fromBase64(s string) (string, bool) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	switch {
	case err != nil:
		return "", false
	case len(b) == 32:
		return hex.EncodeToString(b), true
	case len(b) == 64:
		_, err := hex.DecodeString(string(b))
		return string(b), err == nil
	}
	return "", false
}
