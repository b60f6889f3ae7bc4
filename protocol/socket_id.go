package protocol

import "strconv"

// SocketID is the public name of a connection: two integers from 1 to 1,000,000,000, written
// "915103662.465664145". The first is kept in the upper half. 0 is no connection.
type SocketID uint64

const maxSocketIDPart = 1_000_000_000

// NewSocketID makes the id written "a.b".
func NewSocketID(a, b uint32) SocketID {
	return SocketID(a)<<32 | SocketID(b)
}

// ParseSocketID reads "a.b". ok is false for whatever cannot be the id of a connection of ours:
// signs, leading zeros, numbers out of range.
func ParseSocketID[T ~string | ~[]byte](s T) (id SocketID, ok bool) {
	a, n := parseSocketIDPart(s)
	if a == 0 || n == len(s) || s[n] != '.' {
		return 0, false
	}
	rest := s[n+1:]
	b, n := parseSocketIDPart(rest)
	if b == 0 || n != len(rest) {
		return 0, false
	}
	return NewSocketID(a, b), true
}

// parseSocketIDPart reads digits from the front of s and says how many there were; value is 0
// unless they are an integer in range without leading zeros.
func parseSocketIDPart[T ~string | ~[]byte](s T) (value uint32, n int) {
	var v uint64
	for n < len(s) && '0' <= s[n] && s[n] <= '9' && v <= maxSocketIDPart {
		v = v*10 + uint64(s[n]-'0')
		n++
	}
	if n == 0 || s[0] == '0' || v > maxSocketIDPart {
		return 0, n
	}
	return uint32(v), n
}

// AppendTo appends the written form.
func (id SocketID) AppendTo(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(id>>32), 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, uint64(uint32(id)), 10)
}

// String returns the written form.
func (id SocketID) String() string {
	return string(id.AppendTo(make([]byte, 0, len("1000000000.1000000000"))))
}
