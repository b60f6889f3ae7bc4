package protocol

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Messages as pusher-js sends them.
const (
	benchSubscribe = `{"event":"pusher:subscribe","data":{"auth":"278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80","channel_data":"{\"user_id\":\"10\",\"user_info\":{\"name\":\"Mr. Channels\"}}","channel":"presence-foobar"}}`
	// Its data has 200 bytes.
	benchClientEvent = `{"event":"client-typing","channel":"presence-room.17","data":{"user":{"id":471123,"name":"Zoë Example"},"typing":true,"draft":"I wonder whether \"tomorrow\" would be better for all of us, then we could also ask the others.","at":1764097200123,"cursor":[12,48]}}`
)

// parseStd is what Parse and ParseSubscribe do, done with encoding/json.
func parseStd(b []byte) (event string, data json.RawMessage, err error) {
	var m struct {
		Event   string          `json:"event"`
		Channel string          `json:"channel"`
		Data    json.RawMessage `json:"data"`
	}
	err = json.Unmarshal(b, &m)
	return m.Event, m.Data, err
}

func BenchmarkParseSubscribe(b *testing.B) {
	b.Run("parser=protocol", func(b *testing.B) {
		buf := make([]byte, len(benchSubscribe))
		benchmark(b, len(buf), func() error {
			copy(buf, benchSubscribe)
			m, err := Parse(buf)
			if err != nil {
				return err
			}
			_, err = ParseSubscribe(m.Data)
			return err
		})
	})
	b.Run("parser=encoding-json", func(b *testing.B) {
		benchmark(b, len(benchSubscribe), func() error {
			_, data, err := parseStd([]byte(benchSubscribe))
			if err != nil {
				return err
			}
			var s struct {
				Channel     string `json:"channel"`
				Auth        string `json:"auth"`
				ChannelData string `json:"channel_data"`
			}
			return json.Unmarshal(data, &s)
		})
	})
}

func BenchmarkParseClientEvent(b *testing.B) {
	b.Run("parser=protocol", func(b *testing.B) {
		buf := make([]byte, len(benchClientEvent))
		benchmark(b, len(buf), func() error {
			copy(buf, benchClientEvent)
			_, err := Parse(buf)
			return err
		})
	})
	b.Run("parser=encoding-json", func(b *testing.B) {
		benchmark(b, len(benchClientEvent), func() error {
			_, _, err := parseStd([]byte(benchClientEvent))
			return err
		})
	})
}

func BenchmarkAppendClientEvent(b *testing.B) {
	m, err := Parse([]byte(benchClientEvent))
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	benchmark(b, len(m.Data), func() error {
		dst = AppendClientEvent(dst[:0], m.Event, m.Channel, m.Data, "10")
		return nil
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	data := string(AppendString(nil, strings.Repeat("x", 200)))
	var dst []byte
	benchmark(b, len(data), func() error {
		dst = AppendEvent(dst[:0], `App\Events\MessageSent`, data, "private-room.17")
		return nil
	})
}

func BenchmarkAppendString(b *testing.B) {
	var dst []byte
	benchmark(b, len(benchClientEvent), func() error {
		dst = AppendString(dst[:0], benchClientEvent)
		return nil
	})
}

func BenchmarkAppendPresenceSucceeded(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run("members="+strconv.Itoa(n), func(b *testing.B) {
			var entries []PresenceEntry
			for i := range n {
				id := strconv.Itoa(i)
				entries = append(entries, NewPresenceEntry(Member{ID: id, IDJSON: id, Info: `{"name":"Member ` + id + `"}`}))
			}
			dst := AppendPresenceSucceeded(nil, "presence-room", n, slices.Values(entries))
			benchmark(b, len(dst), func() error {
				dst = AppendPresenceSucceeded(dst[:0], "presence-room", n, slices.Values(entries))
				return nil
			})
		})
	}
}

func BenchmarkParsePublish(b *testing.B) {
	const body = `{"name":"App\\Events\\MessageSent","data":"{\"id\":17,\"body\":\"Hello \\u00e9\"}","channels":["private-a","private-b"],"socket_id":"1.2"}`
	b.Run("parser=protocol", func(b *testing.B) {
		buf := make([]byte, len(body))
		benchmark(b, len(buf), func() error {
			copy(buf, body)
			_, err := ParsePublish(buf)
			return err
		})
	})
	b.Run("parser=encoding-json", func(b *testing.B) {
		benchmark(b, len(body), func() error {
			var p struct {
				Name     string   `json:"name"`
				Data     string   `json:"data"`
				Channels []string `json:"channels"`
				SocketID string   `json:"socket_id"`
			}
			return json.Unmarshal([]byte(body), &p)
		})
	})
}

func benchmark(b *testing.B, bytes int, f func() error) {
	b.ReportAllocs()
	b.SetBytes(int64(bytes))
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
}
