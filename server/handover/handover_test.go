package handover

import (
	"reflect"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/protocol"
)

func sampleConnections() *Connections {
	address := "192.0.2.1"
	return &Connections{List: []Connection{
		{AppID: "1", Socket: protocol.NewSocketID(1, 2)},
		{
			AppID: "1", Socket: protocol.NewSocketID(3, 4), IsJS: true, Deflates: true, IsPinged: true, IsAuthorized: true, Silent: 5, Age: 600,
			Address:       &address,
			Subscriptions: []Subscription{{Channel: "a"}, {Channel: "presence-b", UserID: "7", IsPending: true}},
			User:          &User{User: protocol.User{ID: "7", Info: "null", Watchlist: []string{"8", "9"}}, Watching: true},
			Rates:         &Rates{WindowLeft: time.Second, WindowCount: 3, Messages: Bucket{1.5, time.Minute, true}},
			Input:         &Input{Tail: []byte("tail"), Message: []byte("message"), Opcode: 1, IsFragment: true, IsDeflated: true},
			Output:        Output{Frames: [][]byte{[]byte("first"), []byte("second")}, Written: 2},
		},
	}}
}

func sampleNode() *Node {
	member := protocol.Member{ID: "7", IDJSON: "7", Info: "{}", Data: `{"user_id":7}`}
	return &Node{
		Age: time.Hour, Handshakes: Bucket{Left: 3, Ago: time.Second, Used: true}, Broker: []byte("broker"), Extra: [][]byte{[]byte("extra")},
		Hooks: sampleHooks(),
		Apps: []App{{
			ID: "1", Answers: []Answer{{Key: "k", Sum: []byte("sum"), Left: time.Minute, Body: []byte("{}")}},
			Channels: channels.State{
				Channels: []channels.ChannelState{
					{Name: "a", IsLate: true, SinceCount: time.Second},
					{
						Name: "presence-b", Members: []channels.MemberState{{Member: member, IsListed: true}},
						Link: &channels.LinkState{IsLinked: true, Seq: 4, CachedID: 5, Doubt: time.Second, Early: []protocol.Change{
							{AppID: "1", Channel: "presence-b", Seq: 6, Kind: protocol.MemberLeft, Member: member},
						}},
					},
				},
				Cached: []channels.CachedState{{Channel: "cache-c", Payload: []byte("{}"), Left: time.Minute}},
			},
		}},
	}
}

func sampleHooks() *Hooks {
	event := HookEvent{AppID: "1", At: 1_700_000_000_000_001, Event: channels.Event{
		Name: channels.ClientEvent, Channel: "presence-b", UserID: "7", Count: 8, Event: "client-e", Data: "{}", SocketID: protocol.NewSocketID(1, 2),
	}}
	return &Hooks{
		Fresh: []HookEvent{event}, Held: []HookEvent{event, event},
		Queues: []HookQueue{
			{AppID: "1", Destination: "endpoint-1", To: "https://example.com/", Events: []HookEvent{event, event}, Batch: &HookBatch{
				Events: 2, Packed: 1_700_000_000_000_002, Attempts: 3, Wait: int64(time.Second), Reason: "HTTP status 500",
			}},
			{AppID: "1", Destination: "jobs-1", To: "jobs", Events: []HookEvent{event}},
		},
	}
}

func samplePlan() *Plan {
	return &Plan{Listeners: []Listener{{Name: "clients", Key: "127.0.0.1:80"}}, Apps: []string{"1"}, Extra: []byte("{}")}
}

// samples are values of all types that have fields, with the means to make an empty one.
func samples() map[string]struct{ value, empty Coded } {
	return map[string]struct{ value, empty Coded }{
		"hello":       {&Hello{Version: 1, PID: 2, Program: "3"}, new(Hello)},
		"plan":        {samplePlan(), new(Plan)},
		"node":        {sampleNode(), new(Node)},
		"connections": {sampleConnections(), new(Connections)},
		"requests":    {&Requests{List: []Request{{Early: []byte("GET"), Client: "192.0.2.1:1"}}}, new(Requests)},
		"end":         {&End{Connections: 1, Requests: 2}, new(End)},
		"adopted":     {&Adopted{Connections: 1, Requests: 2}, new(Adopted)},
		"failed":      {&Failed{Sentence: "a", Hint: "b"}, new(Failed)},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, s := range samples() {
		t.Run(name, func(t *testing.T) {
			b := encode(nil, s.value)
			if err := decode(b, s.empty); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(s.empty, s.value) {
				t.Errorf("got %+v, want %+v", s.empty, s.value)
			}
		})
	}
}

// TestCut decodes what is incomplete, or has something behind it.
func TestCut(t *testing.T) {
	for name, s := range samples() {
		t.Run(name, func(t *testing.T) {
			b := encode(nil, s.value)
			fresh := func() Coded { return reflect.New(reflect.TypeOf(s.empty).Elem()).Interface().(Coded) }
			for n := range b {
				if decode(b[:n:n], fresh()) == nil {
					t.Errorf("the first %d of %d bytes were taken for all", n, len(b))
				}
			}
			if decode(append(b, 0), fresh()) == nil {
				t.Error("a byte too many was overlooked")
			}
		})
	}
}

// FuzzDecode decodes anything. What can be decoded must come out of encoding and decoding as it was.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add(encode(nil, s.value))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, s := range samples() {
			v := s.empty
			if decode(b, v) != nil {
				continue
			}
			again := reflect.New(reflect.TypeOf(v).Elem()).Interface().(Coded)
			if err := decode(encode(nil, v), again); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%s: got %+v (%v), want %+v", name, again, err, v)
			}
		}
	})
}
