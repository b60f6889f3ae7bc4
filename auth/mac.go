package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding"
	"encoding/hex"
)

// mac is HMAC-SHA256 with the key already hashed in (FIPS 198-1, section 6), so that a short message
// costs two blocks of SHA-256 instead of four. Against crypto/hmac from a pool it is a little faster
// (BenchmarkMAC), needs no pool, and lets its arguments stay on the caller's stack.
type mac struct {
	inner, outer []byte // marshalled SHA-256 states after the padded key; as secret as the key
}

func newMAC(secret string) mac {
	key := []byte(secret)
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	return mac{inner: padded(key, 0x36), outer: padded(key, 0x5c)}
}

// padded returns the state of SHA-256 after the block of the key filled up with zeros and XORed with pad.
func padded(key []byte, pad byte) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New()
	h.Write(block[:])
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("auth: SHA-256 cannot be marshalled: " + err.Error())
	}
	return state
}

// hex returns the signature of the concatenated parts in lower-case hex.
//
// Both hashes stay in this function, and concrete: handed on as a hash.Hash they would be allocated.
func (m *mac) hex(parts ...[]byte) (out [2 * sha256.Size]byte) {
	var sum [sha256.Size]byte
	h := sha256.New()
	mustRestore(h.(encoding.BinaryUnmarshaler).UnmarshalBinary(m.inner))
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	mustRestore(h.(encoding.BinaryUnmarshaler).UnmarshalBinary(m.outer))
	h.Write(sum[:])
	h.Sum(sum[:0])
	hex.Encode(out[:], sum[:])
	return out
}

// verify reports in constant time whether signature is the one of the concatenated parts.
func (m *mac) verify(signature []byte, parts ...[]byte) bool {
	want := m.hex(parts...)
	return subtle.ConstantTimeCompare(signature, want[:]) == 1
}

// verify reports whether signature was made with the app's secret, or with the one before it.
func (a *App) verify(signature []byte, parts ...[]byte) bool {
	return a.mac.verify(signature, parts...) || a.previous != nil && a.previous.verify(signature, parts...)
}

// mustRestore keeps an App without state from signing with no key at all.
func mustRestore(err error) {
	if err != nil {
		panic("auth: this App was not made by NewApp")
	}
}
