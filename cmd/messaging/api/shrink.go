package api

import "unicode/utf8"

// Shrunk has half of the body.
func (m Message) Shrunk() (any, bool) {
	if m.Body == "" {
		return m, false
	}
	m.Body = firstRunes(m.Body, utf8.RuneCountInString(m.Body)/2)
	m.Truncated = true
	return m, true
}

// excerptRunes is what the inbox shows of a message.
const excerptRunes = 140

// Excerpt is the beginning of a text.
func Excerpt(s string) string { return firstRunes(s, excerptRunes) }

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// Shrunk has an excerpt of the last message, then none of the participants.
func (c ConversationUpdated) Shrunk() (any, bool) {
	v := &c.Conversation
	if m := v.LastMessage; m != nil && len(Excerpt(m.Body)) < len(m.Body) {
		short := *m
		short.Body, short.Truncated = Excerpt(m.Body), true
		v.LastMessage = &short
		return c, true
	}
	if v.Participants == nil {
		return c, false
	}
	v.Participants = nil
	return c, true
}
