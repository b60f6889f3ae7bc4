package inspector

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/server"
)

const (
	maxTaps    = 4
	tapTime    = 15 * time.Second // after which a tap that is not read ends
	maxWaiting = 256              // events in a tap; what comes then is dropped and counted
	maxCopied  = 16 << 10         // bytes of a message; of a longer one the rest is not looked at
	maxHeld    = 1 << 20          // bytes in a tap
)

// A tap keeps what passes on one channel or connection until it is read.
type tap struct {
	// Static after construction.
	id       string
	in       server.Inspection
	app      string            // of channel
	channel  string            // followed; "" if it is a connection
	socket   protocol.SocketID // followed; 0 if it is a channel
	withData bool
	now      func() time.Time
	stop     []func()
	expiry   *time.Timer

	mu      sync.Mutex // guards what follows
	events  []passed
	held    int // bytes
	dropped int // since it was last read
	ended   bool
}

// passed is what a tap keeps of a message.
type passed struct {
	at      time.Time
	what    string
	payload []byte // a copy, perhaps of the beginning only
	size    int
	fault   string
}

// tapWords are what is shown of a connection besides its messages.
var tapWords = map[server.TraceKind]string{
	server.TraceReceived: "received",
	server.TraceSent:     "sent",
	server.TraceFailed:   "refused",
	server.TraceControl:  "control frame",
	server.TracePinged:   "pinged",
	server.TracePruned:   "no answer to the ping",
	server.TraceClosed:   "closed",
}

// Trace implements server.Tracer. It is called by the loops, and under the lock of a channel.
func (t *tap) Trace(e server.TraceEvent) {
	switch {
	case t.socket != 0:
		if what := tapWords[e.Kind]; e.Socket == t.socket && what != "" {
			t.keep(what, e)
		}
	case e.Channel != t.channel || e.App != t.app:
	case e.Kind == server.TraceDelivered:
		t.keep("delivered", e)
	case e.Kind == server.TraceBroadcast && !t.in.HasSubscribers(t.app, t.channel):
		t.keep("no subscriber here", e)
	}
}

// keep copies an event, or counts it if there is no room.
func (t *tap) keep(what string, e server.TraceEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := min(len(e.Payload), maxCopied)
	if len(t.events) >= maxWaiting || t.held+size > maxHeld {
		t.dropped++
		return
	}
	p := passed{at: t.now(), what: what, payload: append([]byte(nil), e.Payload[:size]...), size: len(e.Payload)}
	if e.Err != nil {
		p.fault = e.Err.Error()
	}
	t.held += size
	t.events = append(t.events, p)
}

// take returns what has come since the last time.
func (t *tap) take() (events []passed, dropped int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, dropped = t.events, t.dropped
	t.events, t.held, t.dropped = nil, 0, 0
	return events, dropped
}

// end has the server tell it nothing more. It may be called again.
func (t *tap) end() {
	t.mu.Lock()
	again := t.ended
	t.ended = true
	t.mu.Unlock()
	if again {
		return
	}
	t.expiry.Stop()
	for _, stop := range t.stop {
		stop()
	}
}

// taps are those that are open.
type taps struct {
	mu   sync.Mutex // guards byID
	byID map[string]*tap
}

// add opens a tap; false if there are too many.
func (all *taps) add(t *tap) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.byID) >= maxTaps {
		return false
	}
	if all.byID == nil {
		all.byID = make(map[string]*tap)
	}
	all.byID[t.id] = t
	return true
}

func (all *taps) find(id string) *tap {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.byID[id]
}

func (all *taps) end(id string) {
	all.mu.Lock()
	t := all.byID[id]
	delete(all.byID, id)
	all.mu.Unlock()
	if t != nil {
		t.end()
	}
}

// postTap opens a tap.
func (r *request) postTap(ctx context.Context) (any, error) {
	var q struct {
		App, Channel, Socket string
		Data                 bool
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	t := &tap{id: rand.Text(), in: r.in, app: q.App, channel: q.Channel, withData: q.Data, now: r.inspector.options.Now}
	var ok bool
	if t.socket, ok = protocol.ParseSocketID(q.Socket); ok == (q.Channel != "") {
		return nil, &problem{http.StatusUnprocessableEntity, "a tap follows one channel or one connection", "name one of them"}
	}
	if err := r.openTap(ctx, t); err != nil {
		return nil, err
	}
	if q.Data {
		r.log("data is shown", "app", q.App, "channel", q.Channel, "socket", q.Socket)
	}
	return struct {
		ID string `json:"id"`
	}{t.id}, nil
}

func (r *request) openTap(ctx context.Context, t *tap) error {
	all := &r.inspector.taps
	t.expiry = time.AfterFunc(tapTime, func() { all.end(t.id) })
	if t.socket != 0 {
		stop, ok := r.in.FollowSent(ctx, t.socket)
		if !ok {
			t.end()
			return notHere(t.socket.String())
		}
		t.stop = append(t.stop, stop)
	}
	t.stop = append(t.stop, r.in.Trace(t))
	if !all.add(t) {
		t.end()
		return &problem{http.StatusTooManyRequests, "too many taps are open on this node", "end one; a tap that nobody reads ends by itself"}
	}
	return nil
}

// getTap returns what has passed since the last time, and keeps the tap open.
func (r *request) getTap(context.Context) (any, error) {
	t := r.inspector.taps.find(r.query("id"))
	if t == nil || !t.expiry.Reset(tapTime) {
		return nil, &problem{http.StatusNotFound, "this tap has ended", "open it again"}
	}
	events, dropped := t.take()
	answer := struct {
		Events  []message `json:"events"`
		Dropped int       `json:"dropped"`
	}{[]message{}, dropped}
	for _, e := range events {
		answer.Events = append(answer.Events, e.show(t.withData))
	}
	return answer, nil
}

func (r *request) postTapEnd(context.Context) (any, error) {
	var q struct{ ID string }
	if err := r.read(&q); err != nil {
		return nil, err
	}
	r.inspector.taps.end(q.ID)
	return struct{}{}, nil
}
