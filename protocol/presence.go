package protocol

import (
	"iter"
	"strconv"
	"strings"
)

// Member is who a presence subscription says it is.
type Member struct {
	ID     string // string form: identity; "" when the subscriber is no member
	IDJSON string // the id as it is to be written: 7 or "7"
	Info   string // user_info as compact JSON, "null" when absent
	Data   string // the whole channel_data as compact JSON
}

// ParseMember reads the channel_data of a presence subscription; it copies what it keeps. Without
// channel_data or user_id the subscriber is no member, and Member is empty. A user_id other than
// a number or a string that is not empty is an [ErrInvalidFormat].
func ParseMember(channelData []byte) (Member, error) {
	if len(channelData) == 0 {
		return Member{}, nil
	}
	if !validContainer(channelData) {
		return Member{}, ErrInvalidFormat
	}
	data := appendCompact(make([]byte, 0, len(channelData)), channelData)
	m := Member{Info: "null", Data: string(data)}
	var id []byte
	w := walkContainer(data)
	for w.next() {
		switch string(w.key) {
		case "user_id":
			id = w.value
		case "user_info":
			m.Info = string(w.value)
		}
	}
	if id == nil || id[0] == 'n' {
		return Member{}, nil
	}
	if m.ID, m.IDJSON = memberID(id); m.ID == "" {
		return Member{}, ErrInvalidFormat
	}
	return m, nil
}

// memberID returns both forms of a raw user_id, or nothing if it cannot be one. Numbers keep
// their digits, so ids beyond 2^53 stay apart.
func memberID(raw []byte) (id, idJSON string) {
	switch raw[0] {
	case '"':
		id = string(decodeString(raw))
		return id, string(AppendString(nil, id))
	case '{', '[', 't', 'f', 'n':
		return "", ""
	}
	id = string(raw)
	return id, id
}

// PresenceEntry is a member ready to be written into a presence list: both parts are already
// escaped for the inside of a JSON string, so that a list is put together by copying.
type PresenceEntry struct {
	ID    string // \"7\" or 7
	Entry string // \"7\":{\"name\":\"x\"}
}

// NewPresenceEntry prepares m, which has an ID.
func NewPresenceEntry(m Member) PresenceEntry {
	entry := appendEscaped(nil, AppendString(nil, m.ID))
	n := len(entry)
	entry = append(entry, ':')
	e := PresenceEntry{ID: m.IDJSON, Entry: string(appendEscaped(entry, m.Info))}
	if strings.HasPrefix(m.IDJSON, `"`) {
		e.ID = e.Entry[:n]
	}
	return e
}

// AppendPresenceSucceeded appends the answer to a subscribe on a presence channel. It goes
// through members, of which there are count, twice.
func AppendPresenceSucceeded(dst []byte, channel string, count int, members iter.Seq[PresenceEntry]) []byte {
	dst = append(dst, `{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":`...)
	dst = strconv.AppendInt(dst, int64(count), 10)
	dst = append(dst, `,\"ids\":[`...)
	start := len(dst)
	for m := range members {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, m.ID...)
	}
	dst = append(dst, `],\"hash\":{`...)
	start = len(dst)
	for m := range members {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, m.Entry...)
	}
	dst = append(dst, `}}}","channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, '}')
}

// AppendMemberAdded appends what the others hear when a member joins; data is [Member].Data.
func AppendMemberAdded(dst []byte, channel string, data string) []byte {
	dst = append(dst, `{"event":"pusher_internal:member_added","data":`...)
	dst = AppendString(dst, data)
	dst = append(dst, `,"channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, '}')
}

// AppendMemberRemoved appends what the others hear when a member has left; idJSON is
// [Member].IDJSON.
func AppendMemberRemoved(dst []byte, channel string, idJSON string) []byte {
	dst = append(dst, `{"event":"pusher_internal:member_removed","data":"{\"user_id\":`...)
	dst = appendEscaped(dst, idJSON)
	dst = append(dst, `}","channel":`...)
	dst = AppendString(dst, channel)
	return append(dst, '}')
}
