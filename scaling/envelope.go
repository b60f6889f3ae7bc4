package scaling

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/protocol"
)

// What goes over Redis is the ID that Redis gave the message, a space, and an envelope:
//
//	version  one byte, 'R'
//	kind     one byte
//	for 'E', an event: origin, its number there, flags, except, payload
//	for 'A', 'U', 'X', a member that joined, changed or left: 20 digits of its number, then the member
//
// Origin, payload and the parts of a member are strings with their length in front. The scripts put
// the number between two parts that were made here, so they need not know how anything is encoded.
const version = 'R'

type kind byte

const (
	kindEvent   kind = 'E'
	kindJoined  kind = 'A'
	kindUpdated kind = 'U'
	kindLeft    kind = 'X'
)

// Flags of an event.
const (
	flagCache = 1 << iota // keep it on a cache channel
)

// errMalformed says that something on Redis was not written by a node of this version.
var errMalformed = errors.New("not an envelope of this version")

// An envelope is a message between nodes, decoded. It borrows from what it was decoded from.
type envelope struct {
	id   uint64
	kind kind

	// Of an event.
	origin  string
	number  uint64
	flags   byte
	except  protocol.SocketID
	payload string

	// Of a member.
	seq    uint64
	member protocol.Member
}

func appendField(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// cutField reads a string with its length in front.
func cutField(s string) (field, rest string, ok bool) {
	n, size := uvarint(s)
	if size <= 0 || n > uint64(len(s)-size) {
		return "", "", false
	}
	return s[size : size+int(n)], s[size+int(n):], true
}

// uvarint is binary.Uvarint for strings.
func uvarint(s string) (uint64, int) {
	var buf [binary.MaxVarintLen64]byte
	return binary.Uvarint(buf[:copy(buf[:], s)])
}

func appendEvent(dst []byte, origin string, number uint64, flags byte, b protocol.Broadcast) []byte {
	dst = append(dst, version, byte(kindEvent))
	dst = appendField(dst, origin)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = append(dst, flags)
	dst = binary.BigEndian.AppendUint64(dst, uint64(b.Except))
	return append(dst, b.Payload...)
}

func appendMember(dst []byte, m protocol.Member) []byte {
	for _, field := range []string{m.ID, m.IDJSON, m.Info, m.Data} {
		dst = appendField(dst, field)
	}
	return dst
}

func parseMember(s string) (m protocol.Member, ok bool) {
	for _, field := range []*string{&m.ID, &m.IDJSON, &m.Info, &m.Data} {
		if *field, s, ok = cutField(s); !ok {
			return m, false
		}
	}
	return m, s == "" && m.ID != ""
}

// parseEnvelope decodes a message from Redis.
func parseEnvelope(message string) (e envelope, err error) {
	id, rest, ok := strings.Cut(message, " ")
	if e.id, ok = parseStreamID(id, ok); !ok || len(rest) < 2 || rest[0] != version {
		return e, errMalformed
	}
	e.kind, rest = kind(rest[1]), rest[2:]
	switch e.kind {
	case kindEvent:
		return e, e.parseEvent(rest)
	case kindJoined, kindUpdated, kindLeft:
		return e, e.parseChange(rest)
	}
	return e, errMalformed
}

func (e *envelope) parseEvent(s string) error {
	var ok bool
	if e.origin, s, ok = cutField(s); !ok || len(s) < 17 {
		return errMalformed
	}
	e.number = binary.BigEndian.Uint64([]byte(s[:8]))
	e.flags = s[8]
	e.except = protocol.SocketID(binary.BigEndian.Uint64([]byte(s[9:17])))
	e.payload = s[17:]
	return nil
}

// seqDigits is the length of a number of the scripts.
const seqDigits = 20

func (e *envelope) parseChange(s string) (err error) {
	if len(s) < seqDigits {
		return errMalformed
	}
	if e.seq, err = strconv.ParseUint(s[:seqDigits], 10, 64); err != nil {
		return errMalformed
	}
	var ok bool
	if e.member, ok = parseMember(s[seqDigits:]); !ok {
		return errMalformed
	}
	return nil
}

// parseStreamID packs an ID of a Redis stream, milliseconds and a counter, into one number that grows
// with it.
func parseStreamID(s string, ok bool) (uint64, bool) {
	ms, counter, cut := strings.Cut(s, "-")
	m, err1 := strconv.ParseUint(ms, 10, 42)
	n, err2 := strconv.ParseUint(counter, 10, 21)
	return m<<21 | n, ok && cut && err1 == nil && err2 == nil
}

// streamID is the reverse of parseStreamID.
func streamID(id uint64) string {
	return strconv.FormatUint(id>>21, 10) + "-" + strconv.FormatUint(id&(1<<21-1), 10)
}
