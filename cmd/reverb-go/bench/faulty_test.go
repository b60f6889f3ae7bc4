package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/protocol"
)

// fault makes of the n-th message of a channel, from 1, what a server under test sends instead: usually
// the message alone.
type fault func(n int, message string) []string

// faultyServer is a small Pusher server with one fault.
type faultyServer struct {
	fault  fault
	status int // of answers to publishers; 0 is 200
	silent int // from this message of a channel on publishers get no answer; 0 is never

	mu       sync.Mutex // guards what follows, and writing
	ids      int
	channels map[string][]net.Conn
	counts   map[string]int
	conns    []net.Conn
}

// startFaulty runs the server and returns its URL for bench.
func startFaulty(t *testing.T, s *faultyServer) string {
	t.Helper()
	s.channels, s.counts = make(map[string][]net.Conn), make(map[string]int)
	ts := httptest.NewServer(s)
	t.Cleanup(func() {
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		ts.Close()
	})
	return fmt.Sprintf("ws://app-key:app-secret@%s/app-id?pid=%d", ts.Listener.Addr(), os.Getpid())
}

func (s *faultyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.publish(w, r)
		return
	}
	c, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	defer c.Close()
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.ids++
	id := protocol.NewSocketID(1, uint32(s.ids))
	s.write(c, string(protocol.AppendConnectionEstablished(nil, id, 30)))
	s.mu.Unlock()
	for {
		text, err := wsutil.ReadClientText(c)
		if err != nil {
			return
		}
		s.received(c, text)
	}
}

// write ignores errors: whoever has gone is no fault of this server.
func (s *faultyServer) write(c net.Conn, text string) {
	_ = wsutil.WriteServerText(c, []byte(text))
}

func (s *faultyServer) received(c net.Conn, text []byte) {
	m, err := protocol.Parse(text)
	if err != nil || string(m.Event) != "pusher:subscribe" {
		return
	}
	sub, err := protocol.ParseSubscribe(m.Data)
	if err != nil {
		return
	}
	channel := string(sub.Channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[channel] = append(s.channels[channel], c)
	s.write(c, string(protocol.AppendSubscriptionSucceeded(nil, channel)))
}

func (s *faultyServer) publish(w http.ResponseWriter, r *http.Request) {
	var event struct {
		Channels []string
		Data     string
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &event); err != nil || len(event.Channels) != 1 {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	channel := event.Channels[0]
	s.mu.Lock()
	s.counts[channel]++
	messages := []string{event.Data}
	if s.fault != nil {
		messages = s.fault(s.counts[channel], event.Data)
	}
	for _, c := range s.channels[channel] {
		for _, data := range messages {
			s.write(c, string(protocol.AppendEvent(nil, []byte("bench"), protocol.AppendString(nil, data), channel)))
		}
	}
	silent := s.silent != 0 && s.counts[channel] >= s.silent
	s.mu.Unlock()
	if silent {
		<-r.Context().Done()
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	io.WriteString(w, "{}")
}

// every applies a change to each tenth message.
func every10th(change func(message string) []string) fault {
	return func(n int, message string) []string {
		if n%10 == 0 {
			return change(message)
		}
		return []string{message}
	}
}

// exchanged sends each tenth message after the next one.
func exchanged() fault {
	var held string
	return func(n int, message string) []string {
		switch n % 10 {
		case 0:
			held = message
			return nil
		case 1:
			if held != "" {
				return []string{message, held}
			}
		}
		return []string{message}
	}
}

// misrouted sends each message as if it were one of another channel, whose number is part of the stamp.
func misrouted(message string) []string {
	i := strings.Index(message, "@bench-") + len("@bench-0000")
	return []string{message, message[:i] + "000000ff" + message[i+8:]}
}
