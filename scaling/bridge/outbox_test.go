package bridge

import (
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/protocol"
	"github.com/reverb-go/reverb-go/scaling"
)

func textEvent(text string) protocol.Broadcast {
	return protocol.Broadcast{AppID: "app1", Channel: "c", Payload: []byte(text)}
}

func taken(o *outbox) (texts string) {
	batch, _ := o.take()
	for _, w := range batch {
		texts += string(w.Payload)
	}
	return texts
}

func TestOutbox(t *testing.T) {
	start := time.Now()
	o := outbox{maxBytes: 3, maxAge: time.Minute, filled: make(chan struct{}, 1)}
	borrowed := textEvent("a")
	o.add(borrowed, start)
	borrowed.Payload[0] = 'x'
	o.add(textEvent("b"), start.Add(time.Second))
	if dropped := o.add(textEvent("cc"), start.Add(time.Minute)); dropped != 1 {
		t.Errorf("%d events were dropped for want of room, want 1", dropped)
	}
	if dropped := o.expire(start.Add(time.Minute + 2*time.Second)); dropped != 1 {
		t.Errorf("%d events were too old, want 1", dropped)
	}
	o.add(textEvent("d"), start)
	if got, want := taken(&o), "ccd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, isOver := o.take(); isOver {
		t.Error("an empty outbox is over before it is closed")
	}
	o.add(textEvent("e"), start)
	o.close()
	if got := taken(&o); got != "e" {
		t.Errorf("got %q, want what was there before it was closed", got)
	}
	if _, isOver := o.take(); !isOver {
		t.Error("an empty outbox is not over when it is closed")
	}
}

// deadAddress is where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// What Redis has not confirmed may have been delivered, so it is not sent again.
func TestSendWithoutRedis(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: deadAddress(t), MaxRetries: -1})
	defer client.Close()
	apps, err := auth.NewApps(newApp(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	dropped := prometheus.NewCounter(prometheus.CounterOpts{Name: "dropped"})
	b, err := New(scaling.NewRedis(client, scaling.Options{}), client, Options{Apps: apps, Counters: Counters{Dropped: dropped}})
	if err != nil {
		t.Fatal(err)
	}
	good := textEvent(`{"event":"e","data":"d","channel":"c"}`)
	unknown := good
	unknown.AppID = "nobody"
	if !b.sendBatch(t.Context(), []waiting{{Broadcast: unknown}}) {
		t.Error("an event of an unknown app was taken for an outage")
	}
	if b.sendBatch(t.Context(), []waiting{{Broadcast: good}, {Broadcast: good}}) {
		t.Error("Redis is not there, and was found")
	}
	if b.reach(t.Context()) {
		t.Error("Redis was reached where nobody listens")
	}
	var d dto.Metric
	if err := dropped.Write(&d); err != nil || d.GetCounter().GetValue() != 3 {
		t.Errorf("%v events were dropped (%v), want 3", d.GetCounter().GetValue(), err)
	}
}

func TestNewWithoutApps(t *testing.T) {
	if _, err := New(nil, nil, Options{}); err == nil {
		t.Error("a bridge was made that knows no apps")
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	a := newApp(b, nil)
	m := protocol.Broadcast{Channel: "private-orders.1", Payload: protocol.AppendEvent(nil, `App\Events\OrderShipped`, `"{\"order\":{\"id\":1,\"total\":12.5}}"`, "private-orders.1")}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = appendEvent(dst[:0], a, m, "reverb-go:"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseEvent(b *testing.B) {
	text := `{"type":"message","application":"` + inJSON(stock(b)) + `","payload":{"event":"App\\E","channels":["private-orders.1"],"data":"{\"order\":{\"id\":1}}"}}`
	b.ReportAllocs()
	for b.Loop() {
		m, err := parseMessage(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parseEvent(m.payload); err != nil {
			b.Fatal(err)
		}
	}
}
