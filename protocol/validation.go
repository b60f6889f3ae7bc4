package protocol

import (
	"strconv"
	"strings"
)

// The rules and texts are those of Laravel's validator, which answers for Reverb.
const (
	required      = "is required."
	mustBeString  = "must be a string."
	mustBeArray   = "must be an array."
	needsChannels = "is required when channels is not present."
	needsChannel  = "is required when channel is not present."
)

// ValidationError is a 422: the fields of a request that are wrong, in Reverb's order.
type ValidationError struct {
	problems []fieldProblem
}

type fieldProblem struct {
	field   string // socket_id, batch.0.name
	message string
}

func (e *ValidationError) Error() string {
	s := e.problems[0].message
	if n := len(e.problems) - 1; n > 0 {
		s += " (and " + strconv.Itoa(n) + " more)"
	}
	return s
}

// AppendJSON appends the body of the response, {"name":["The name field is required."]}.
func (e *ValidationError) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range e.problems {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, f.field)
		dst = append(dst, ':', '[')
		dst = AppendString(dst, f.message)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// check notes what is wrong with a field, unless problem is "".
func (e *ValidationError) check(field, problem string) {
	if problem != "" {
		e.add(field, strings.ReplaceAll(field, "_", " "), problem)
	}
}

// checkItem is check for one of a list. Laravel leaves the underscores in these names.
func (e *ValidationError) checkItem(i int, field, problem string) {
	if problem != "" {
		field = "batch." + strconv.Itoa(i) + "." + field
		e.add(field, field, problem)
	}
}

func (e *ValidationError) add(field, label, problem string) {
	e.problems = append(e.problems, fieldProblem{field, "The " + label + " field " + problem})
}

func requiredString(raw []byte) (problem string) {
	if isMissing(raw) {
		return required
	}
	return optionalString(raw)
}

func optionalString(raw []byte) (problem string) {
	if raw == nil || raw[0] == '"' {
		return ""
	}
	return mustBeString
}

func requiredArray(raw []byte) (problem string) {
	if isMissing(raw) {
		return required
	}
	return optionalArray(raw)
}

func optionalArray(raw []byte) (problem string) {
	if raw == nil || isContainer(raw) || isBlankString(raw) {
		return ""
	}
	return mustBeArray
}

func (f *fields) checkChannels() (problem string) {
	if isMissing(f.channels) && isMissing(f.channel) {
		return needsChannel
	}
	return optionalArray(f.channels)
}

func (f *fields) checkChannel() (problem string) {
	if isMissing(f.channels) && isMissing(f.channel) {
		return needsChannels
	}
	return optionalString(f.channel)
}

func (f *fields) checkItemChannel() (problem string) {
	if isMissing(f.channel) {
		return needsChannels
	}
	return optionalString(f.channel)
}

// readChannels returns the names in a list, or in the values of an object. Scalars become
// strings as PHP makes them.
func (e *ValidationError) readChannels(raw []byte) (channels [][]byte) {
	for w := walkContainer(raw); w.next(); {
		v := w.value
		switch v[0] {
		case '"':
			v = decodeString(v)
		case '{', '[':
			e.check("channels."+strconv.Itoa(len(channels)), mustBeString)
		case 't':
			v = append(v[:0], '1')
		case 'f', 'n':
			v = v[:0]
		}
		channels = append(channels, v)
	}
	return channels
}

// isMissing reports whether Laravel's "required" fails: nothing, null, a blank string, an empty
// array.
func isMissing(raw []byte) bool {
	return raw == nil || raw[0] == 'n' || isBlankString(raw) ||
		isContainer(raw) && skipSpace(raw, 1) == len(raw)-1
}

func isContainer(raw []byte) bool { return raw[0] == '{' || raw[0] == '[' }

// isBlankString reports whether a raw value is a string that isBlank, without decoding it.
func isBlankString(raw []byte) bool {
	if raw[0] != '"' {
		return false
	}
	for i := 1; i < len(raw)-1; {
		r, next := rune(raw[i]), i+1
		if r == '\\' {
			r, next = decodeEscape(raw, i)
		}
		if !isTrimmed(r) {
			return false
		}
		i = next
	}
	return true
}
