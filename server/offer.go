package server

import "strings"

// What a client may ask of permessage-deflate (RFC 7692) in its handshake, and what it is answered.
//
// The answer always says server_no_context_takeover and client_no_context_takeover: no message refers to one before. So
// nothing is kept for a connection between two messages, where a window would be 32 kB in each direction; and the bytes
// of a compressed event do not depend on who gets it, so that one frame serves all.

// extensionDeflate is the name under which IANA has the extension.
const extensionDeflate = "permessage-deflate"

// deflateAnswer accepts an offer. server_max_window_bits=15 is to be repeated by who accepts it (section 7.1.2.1).
const (
	deflateAnswer     = extensionDeflate + "; server_no_context_takeover; client_no_context_takeover"
	deflateAnswerBits = deflateAnswer + "; server_max_window_bits=15"
)

// acceptDeflate returns the value of Sec-WebSocket-Extensions that accepts the first usable of the offers, or "" if none
// is: the connection is then one without compression. That is what section 5.1 asks for offers that cannot be
// accepted; it leaves open whether malformed ones fail the handshake, and a client that is refused for an extension it could
// have done without is helped less.
func acceptDeflate(headers [][]byte) string {
	for _, h := range headers {
		for rest := string(h); ; {
			offer, more, found := cutUnquoted(rest, ',')
			if answer := answerOffer(offer); answer != "" {
				return answer
			}
			if !found {
				break
			}
			rest = more
		}
	}
	return ""
}

// answerOffer returns what accepts one offer, or "". "A server MUST decline an extension negotiation offer for this
// extension if" a parameter is not defined, has an invalid value or stands twice, or the server does not support it
// (section 7).
func answerOffer(offer string) string {
	name, rest, more := cutUnquoted(offer, ';')
	if !strings.EqualFold(strings.Trim(name, httpSpace), extensionDeflate) {
		return ""
	}
	answer := deflateAnswer
	seen := make(map[string]bool)
	for more {
		var param string
		param, rest, more = cutUnquoted(rest, ';')
		name, value, hasValue := cutParam(param)
		if seen[name] || !mayOffer(name, value, hasValue) {
			return ""
		}
		seen[name] = true
		if name == serverMaxWindowBits {
			answer = deflateAnswerBits
		}
	}
	return answer
}

const serverMaxWindowBits = "server_max_window_bits"

// mayOffer reports whether a parameter can be accepted.
func mayOffer(name, value string, hasValue bool) bool {
	switch name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !hasValue
	case "client_max_window_bits":
		// Says what the client could do, and asks for nothing: without an answer its window is one of 15 bits, and
		// those are what is inflated with.
		return !hasValue || isWindowBits(value)
	case serverMaxWindowBits:
		// A frame is shared by connections that asked for different windows, and made with the largest.
		return value == "15"
	}
	return false
}

// isWindowBits is "a decimal integer value without leading zeroes between 8 to 15" (section 7.1.2).
func isWindowBits(value string) bool {
	switch value {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

const httpSpace = " \t"

// cutParam splits name=value, of which the value may be quoted. Names of parameters are the same in any case.
func cutParam(param string) (name, value string, hasValue bool) {
	name, value, hasValue = strings.Cut(param, "=")
	value = strings.Trim(value, httpSpace)
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return strings.ToLower(strings.Trim(name, httpSpace)), value, hasValue
}

// cutUnquoted is strings.Cut at the first separator that is in no quoted string.
func cutUnquoted(s string, separator byte) (before, after string, found bool) {
	isQuoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			isQuoted = !isQuoted
		case isQuoted && s[i] == '\\':
			i++
		case !isQuoted && s[i] == separator:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
