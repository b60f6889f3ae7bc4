package protocol

import (
	"bytes"
	"unicode/utf8"
)

// decodeString returns the decoded text of raw, a valid JSON value or nil, decoding in place. It
// returns nil when raw is no string.
func decodeString(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	return unescape(raw[1 : len(raw)-1])
}

// unescape decodes the inside of a valid JSON string in place. No escape sequence is shorter
// than what it stands for, so writing never overtakes reading.
func unescape(s []byte) []byte {
	i := bytes.IndexByte(s, '\\')
	if i < 0 {
		return s[:len(s):len(s)]
	}
	dst := s[:i]
	for i < len(s) {
		r, next := decodeEscape(s, i)
		dst = utf8.AppendRune(dst, r)
		i = next
		n := bytes.IndexByte(s[i:], '\\')
		if n < 0 {
			n = len(s) - i
		}
		dst = append(dst, s[i:i+n]...)
		i += n
	}
	return dst[:len(dst):len(dst)]
}

// isBlank reports whether s is empty once trimmed as PHP trims.
func isBlank(s []byte) bool {
	for _, c := range s {
		if !isTrimmed(rune(c)) {
			return false
		}
	}
	return true
}

// isTrimmed reports whether PHP's trim removes r, which is a little more than JSON's white space.
func isTrimmed(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == 0 || r == '\v'
}

// AppendString appends s, which is UTF-8, as a JSON string. Only what JSON demands is escaped.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends s as it stands between the quotes of a JSON string.
func appendEscaped[T ~string | ~[]byte](dst []byte, s T) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[from:i]...)
			dst = appendEscape(dst, c)
			from = i + 1
		}
	}
	return append(dst, s[from:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendCompact appends the valid JSON text s without its white space.
func appendCompact(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			end := skipString(s, i)
			dst = append(dst, s[i:end]...)
			i = end - 1
		case !isSpace(c):
			dst = append(dst, c)
		}
	}
	return dst
}

// appendCompactString appends the valid JSON text s as a JSON string that holds it without its
// white space.
func appendCompactString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			end := skipString(s, i)
			dst = append(dst, '\\', '"')
			if inside := s[i+1 : end-1]; bytes.IndexByte(inside, '\\') < 0 {
				dst = append(dst, inside...)
			} else {
				dst = appendEscaped(dst, inside)
			}
			dst = append(dst, '\\', '"')
			i = end - 1
		case !isSpace(c):
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
