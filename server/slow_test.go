package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/reverb-go/reverb-go/metrics"
	"github.com/reverb-go/reverb-go/server"
)

const (
	slowQueue  = 64 << 10
	slowEvents = 5_000 // more than the kernel takes for a client that does not read
)

// TestSlowClient has one of two subscribers stop reading. The other hears every event all the while, what waits
// stays within its bound, and the slow one is closed with 4100, after what it was sent before.
func TestSlowClient(t *testing.T) {
	for _, name := range []string{"epoll", "portable"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbers := metrics.New(prometheus.NewRegistry())
			on := slowStage(t, newEngine(t, name), numbers)
			slow, reader := subscriber(t, on, "slow"), subscriber(t, on, "reader")
			sent := 0
			for ; number(t, numbers.Closed.WithLabelValues("slow")) == 0; sent++ {
				if sent == slowEvents {
					t.Fatalf("not closed after %d events", sent)
				}
				event := slowEvent(t, on, sent)
				if got := reader.next(); got != event {
					t.Fatalf("the other heard %.100s, want event %d", got, sent)
				}
				// There are two who may wait.
				if waiting := number(t, numbers.QueuedBytes); waiting > 2*slowQueue {
					t.Fatalf("%v bytes wait, want at most %d", waiting, 2*slowQueue)
				}
			}
			heardUntilClosed(t, slow, sent)
			if dropped := number(t, numbers.Dropped.WithLabelValues("slow")); dropped == 0 {
				t.Error("no message was counted as dropped")
			}
			subscriber(t, on, "late")
			if event := slowEvent(t, on, sent); reader.next() != event {
				t.Error("the other hears nothing any more")
			}
		})
	}
}

func slowStage(t *testing.T, e engine, numbers *metrics.Metrics) *stage {
	t.Helper()
	apps, known := readApps(t, new(script))
	on := &stage{apps: known, clock: &clock{start: time.Now()}}
	on.now = on.clock.now
	raise(t, on, e.brokers(t), server.Config{
		Apps: apps, Portable: e.portable, Now: on.now, MaxQueued: slowQueue, Loops: 2, Metrics: numbers, Drain: time.Millisecond,
	})
	return on
}

// subscriber is a client of the channel news.
func subscriber(t *testing.T, on *stage, name string) *client {
	t.Helper()
	c := &client{name: name}
	if err := c.connect(on, "/app/app-key", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.leave(false) })
	c.next()
	c.frame(ws.OpText, true, []byte(`{"event":"pusher:subscribe","data":{"channel":"news"}}`))
	if got, want := c.next(), `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"news"}`; got != want {
		t.Fatalf("%s heard %s, want %s", name, got, want)
	}
	return c
}

// slowEvent publishes event i, and returns what subscribers hear of it.
func slowEvent(t *testing.T, on *stage, i int) string {
	t.Helper()
	text := fmt.Sprint(i, " ", strings.Repeat("x", 8<<10))
	r := request{method: "POST", path: "/apps/1/events", body: fmt.Sprintf(`{"name":"n","channel":"news","data":%q}`, text)}
	on.sign(&r)
	if got, err := on.send(r); err != nil || got.status != 200 {
		t.Fatalf("event %d: %v, %v", i, got, err)
	}
	return fmt.Sprintf(`{"event":"n","data":%q,"channel":"news"}`, text)
}

// heardUntilClosed reads what the slow client was sent: events in order, and then why it is closed.
func heardUntilClosed(t *testing.T, c *client, sent int) {
	t.Helper()
	for i := range sent {
		heard := c.next()
		if strings.HasPrefix(heard, fmt.Sprintf(`{"event":"n","data":"%d xxx`, i)) {
			continue
		}
		for _, want := range []string{`{"event":"pusher:error","data":{"code":4100,"message":"Connection too slow"}}`, "(closed 4100 Connection too slow)"} {
			if heard != want {
				t.Errorf("after event %d of %d it heard %.100s, want %s", i-1, sent, heard, want)
			}
			heard = c.next()
		}
		return
	}
	t.Errorf("it heard all %d events", sent)
}

// number is the value of a counter or a gauge.
func number(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var value dto.Metric
	if err := m.Write(&value); err != nil {
		t.Fatal(err)
	}
	return value.GetCounter().GetValue() + value.GetGauge().GetValue()
}
