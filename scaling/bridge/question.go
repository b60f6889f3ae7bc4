package bridge

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol/php"
)

const (
	questionClass = `Laravel\Reverb\Protocols\Pusher\PendingMetric`
	kindClass     = `Laravel\Reverb\Protocols\Pusher\MetricType:`
)

// The kinds of questions, as Laravel Reverb names them.
const (
	askConnections = "CONNECTIONS"
	askChannels    = "CHANNELS"
	askChannel     = "CHANNEL"
	askUsers       = "CHANNEL_USERS"
)

// A question is what one node asks all others about their own connections.
type question struct {
	key      string // of the answers
	appID    string
	kind     string
	channel  string   // of askChannel and askUsers
	channels []string // of askChannels: these, or all
	filter   string   // of all channels, those that begin with it
	info     string   // wanted of each channel: a list of words
}

// newKey returns a key like those of Laravel Reverb.
func newKey() string { return rand.Text()[:10] }

// isKey reports whether an answer may be published under this key. A type with a meaning of its own would end the
// nodes that hear it.
func isKey(key string) bool {
	for _, c := range []byte(key) {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return key != "" && len(key) <= 64 && key != typeMessage && key != typeTerminate && key != typeMetrics
}

// appendQuestion appends the message of a question. An app is needed as in every message.
func appendQuestion(dst []byte, q question, a *auth.App, from string) ([]byte, error) {
	serialized := php.AppendObject(nil, questionClass, 6)
	serialized = php.AppendNull(php.AppendProtected(serialized, "subscribers"))
	serialized = append(php.AppendArray(php.AppendProtected(serialized, "data"), 0), '}')
	serialized = php.AppendString(php.AppendProtected(serialized, "key"), q.key)
	serialized = appendApplication(php.AppendProtected(serialized, "application"), a)
	serialized = php.AppendEnum(php.AppendProtected(serialized, "type"), kindClass+q.kind)
	serialized = q.appendOptions(php.AppendProtected(serialized, "options"))
	serialized = append(serialized, '}')
	if !utf8.Valid(serialized) {
		return nil, errUnwritable
	}
	dst = appendText(append(dst, `{"type":"metrics","payload":`...), string(serialized))
	return appendEnd(dst, from), nil
}

func (q *question) appendOptions(dst []byte) []byte {
	switch {
	case q.kind == askChannel:
		dst = php.AppendString(php.AppendString(php.AppendArray(dst, 2), "channel"), q.channel)
		dst = php.AppendString(php.AppendString(dst, "info"), q.info)
	case q.kind == askUsers:
		dst = php.AppendString(php.AppendString(php.AppendArray(dst, 1), "channel"), q.channel)
	case q.kind == askChannels && q.channels != nil:
		dst = php.AppendString(php.AppendString(php.AppendArray(dst, 2), "info"), q.info)
		dst = php.AppendList(php.AppendString(dst, "channels"), q.channels)
	case q.kind == askChannels:
		dst = appendOptional(php.AppendString(php.AppendArray(dst, 2), "filter"), q.filter)
		dst = appendOptional(php.AppendString(dst, "info"), q.info)
	default:
		dst = php.AppendArray(dst, 0)
	}
	return append(dst, '}')
}

func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return php.AppendNull(dst)
	}
	return php.AppendString(dst, s)
}

// parseQuestion reads the payload of a question.
func parseQuestion(payload json.RawMessage) (question, error) {
	v, err := php.Parse(textOf(payload))
	m, _ := v.(*php.Map)
	if err != nil || m == nil || m.Class != questionClass {
		return question{}, errMalformed
	}
	kind, _ := m.Get("type").(php.Enum)
	options := m.Map("options")
	q := question{
		key: m.Text("key"), appID: m.Map("application").Text("id"), kind: strings.TrimPrefix(string(kind), kindClass),
		channel: options.Text("channel"), filter: options.Text("filter"), info: options.Text("info"),
	}
	if list := options.Map("channels"); list != nil {
		for _, key := range list.Keys {
			q.channels = append(q.channels, list.Text(key))
		}
	}
	if !isKey(q.key) {
		return question{}, errMalformed
	}
	return q, nil
}
