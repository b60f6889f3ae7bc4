package protocol

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// House rules of this file: a skipX function is given the index of the first byte of an X and
// returns the index after its last one. Skipping is validating. A fault is an index beyond any
// end, which every skipX takes and hands on, so callers look at the last result only.

const (
	fault    = math.MaxInt
	maxDepth = 511 // nested containers, as PHP's json_decode with its depth of 512
)

// validContainer reports whether b is one JSON object or array with nothing else around it.
func validContainer(b []byte) bool {
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' && b[i] != '[' {
		return false
	}
	return skipSpace(b, skipValue(b, i, maxDepth)) == len(b)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t'
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// skipValue skips a value that opens at most depth containers inside each other.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return fault
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipContainer(b, i, depth)
	case 't':
		return skipLiteral(b, i, "true")
	case 'f':
		return skipLiteral(b, i, "false")
	case 'n':
		return skipLiteral(b, i, "null")
	}
	return skipNumber(b, i)
}

func skipLiteral(b []byte, i int, literal string) int {
	end := i + len(literal)
	if end > len(b) || string(b[i:end]) != literal {
		return fault
	}
	return end
}

func skipContainer(b []byte, i, depth int) int {
	if depth == 0 {
		return fault
	}
	open := b[i]
	i, more := enterContainer(b, i)
	for more {
		if open == '{' {
			i = skipColon(b, skipString(b, i))
		}
		i, more = skipSeparator(b, skipValue(b, i, depth-1), open)
	}
	return i
}

// enterContainer steps over a '{' or '[' to its first entry, or, when there is none (more is
// false), past its end.
func enterContainer(b []byte, i int) (next int, more bool) {
	open := b[i]
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == closing(open) {
		return i + 1, false
	}
	return i, true
}

// skipSeparator steps from behind an entry to the next one, or past the end of the container.
func skipSeparator(b []byte, i int, open byte) (next int, more bool) {
	i = skipSpace(b, i)
	switch {
	case i >= len(b):
		return fault, false
	case b[i] == ',':
		return skipSpace(b, i+1), true
	case b[i] == closing(open):
		return i + 1, false
	}
	return fault, false
}

// closing returns the '}' or ']' that belongs to a '{' or '['.
func closing(open byte) byte { return open + 2 }

func skipColon(b []byte, i int) int {
	i = skipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return fault
	}
	return skipSpace(b, i+1)
}

func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return fault
	}
	i = skipPlain(b, i+1)
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			_, i = decodeEscape(b, i)
		case c < ' ':
			return fault
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return fault
			}
			i += size
		}
		i = skipPlain(b, i)
	}
	return fault
}

// skipPlain skips characters that stand for themselves in a string, ASCII only, eight at a time
// while there are as many. It may stop early.
func skipPlain(b []byte, i int) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for i <= len(b)-8 {
		x := binary.LittleEndian.Uint64(b[i:])
		// The high bit of a byte ends up set for ≥ 0x80, < 0x20, '"' and '\\'. A borrow may set
		// those of bytes after the first such byte, which do not matter.
		special := (x | (x - low*' ') | ((x ^ low*'"') - low) | ((x ^ low*'\\') - low)) & high
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
		i += 8
	}
	return i
}

// decodeEscape reads the escape sequence whose backslash is at b[i].
func decodeEscape(b []byte, i int) (r rune, next int) {
	if i+1 >= len(b) {
		return 0, fault
	}
	switch c := b[i+1]; c {
	case '"', '\\', '/':
		return rune(c), i + 2
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	}
	r = decodeUnicode(b, i)
	if r < 0 {
		return 0, fault
	}
	if !utf16.IsSurrogate(r) {
		return r, i + 6
	}
	r = utf16.DecodeRune(r, decodeUnicode(b, i+6))
	if r == utf8.RuneError { // a surrogate on its own
		return 0, fault
	}
	return r, i + 12
}

// decodeUnicode reads the \uXXXX at b[i]; it returns -1 if there is none.
func decodeUnicode(b []byte, i int) (r rune) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return -1
	}
	for _, c := range b[i+2 : i+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

func skipNumber(b []byte, i int) int {
	start := i
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else {
		i = skipDigits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		i = skipDigits(b, i+1)
	}
	exponent := 0
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		i = skipDigits(b, i)
		exponent = i - from
	}
	// What has 100 characters and two digits of exponent cannot reach 1e308.
	if i != fault && (exponent > 2 || i-start > 100) && overflows(b[start:i]) {
		return fault
	}
	return i
}

// skipDigits skips one digit or more.
func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	if i == from {
		return fault
	}
	return i
}

// overflows reports whether a number is too large for a float64. PHP reads such numbers as
// infinity, which it cannot write again: one of them would end every PHP Reverb of a cluster.
// Only here may parsing allocate: for the error, and for numbers of more than 32 characters.
func overflows(number []byte) bool {
	_, err := strconv.ParseFloat(string(number), 64)
	return err != nil
}
