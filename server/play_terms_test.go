package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Words that are filled in:
//
//	$a                      the socket ID of client a
//	$u1                     the var u1, escaped for the inside of a JSON string
//	$raw(u1)                the var u1 as it is
//	$auth(a,channel)        the proof that a's backend gives for a subscription: "key:signature"
//	$auth(a,channel,$u1)    the same with channel_data
//	$sig(…) and $SIG(…)     only the signature of $auth(…), in lower or upper case
//	$signed(GET,/path,$u1)  a path with the query that signs a request with this body, which may be left out
//	$repeat(x,500)          500 times x
//	$once                   a word that no other play has, for what a server keeps; also within arguments
//	$n                      the how manieth time it is, in lines that are said or heard several times
var term = regexp.MustCompile(`\$(\w+)(?:\(([^()]*)\))?`)

func (p *play) expand(text string) (string, error) {
	var errs error
	text = strings.ReplaceAll(text, "$once", p.once)
	filled := term.ReplaceAllStringFunc(text, func(found string) string {
		m := term.FindStringSubmatch(found)
		value, rest, err := p.value(m[1], found)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", found, err))
		}
		return value + rest
	})
	return filled, errs
}

// value returns what stands for found, and what of it belongs to the text behind, because not
// everything before a parenthesis takes arguments.
func (p *play) value(name, found string) (value, rest string, err error) {
	args := strings.TrimSuffix(strings.TrimPrefix(found, "$"+name+"("), ")")
	rest = strings.TrimPrefix(found, "$"+name)
	if name == "n" {
		return strconv.Itoa(p.turn), rest, nil
	}
	if raw, ok := p.script.vars[name]; ok {
		return escape(raw), rest, nil
	}
	if c := p.clients[name]; c != nil {
		if c.id == "" {
			return "", rest, errors.New("this client has not been told its socket ID")
		}
		return c.id, rest, nil
	}
	value, err = p.call(name, args)
	return value, "", err
}

func (p *play) call(name, args string) (string, error) {
	switch name {
	case "raw":
		if value, ok := p.script.vars[args]; ok {
			return value, nil
		}
		return "", errors.New("there is no such var")
	case "auth":
		key, signature, err := p.sign(args)
		return key + ":" + signature, err
	case "sig":
		_, signature, err := p.sign(args)
		return signature, err
	case "SIG":
		_, signature, err := p.sign(args)
		return strings.ToUpper(signature), err
	case "signed":
		return p.signedPath(args)
	case "repeat":
		comma := strings.LastIndex(args, ",")
		n, err := strconv.Atoi(args[comma+1:])
		return strings.Repeat(args[:max(comma, 0)], n), err
	}
	return "", errors.New("there is neither such a client, nor var, nor function")
}

// sign makes the signature of a subscription, with the app that the client is connected to. It is
// deliberately not made by package auth: that is what the conversations test.
func (p *play) sign(args string) (key, signature string, err error) {
	parts := strings.SplitN(args, ",", 3)
	c := p.clients[parts[0]]
	if c == nil || len(parts) < 2 {
		return "", "", errors.New("a signature needs a client and a channel")
	}
	app := p.stage.app(c.key)
	text := c.id + ":" + parts[1]
	if len(parts) == 3 {
		text += ":" + p.argument(parts[2])
	}
	return app.key, hmacHex(app.secret, text), nil
}

// argument is a var's value for $name, and otherwise what is written.
func (p *play) argument(arg string) string {
	if value, ok := p.script.vars[strings.TrimPrefix(arg, "$")]; ok {
		return value
	}
	return arg
}

func (p *play) signedPath(args string) (string, error) {
	parts := strings.SplitN(args, ",", 3)
	if len(parts) < 2 {
		return "", errors.New("a signed path needs a method and a path")
	}
	r := request{method: parts[0], path: parts[1]}
	if len(parts) == 3 {
		r.body = p.argument(parts[2])
	}
	p.stage.sign(&r)
	return r.target(), nil
}

func hmacHex(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func escape(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}
