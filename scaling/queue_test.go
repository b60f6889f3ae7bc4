package scaling

import (
	"testing"
	"time"
)

func TestQueue(t *testing.T) {
	start := time.Now()
	publish := func(name string, size int, after time.Duration) op {
		return op{publish: true, size: size, queued: start.Add(after), args: []any{name}}
	}
	names := func(ops []op) (all []any) {
		for _, o := range ops {
			all = append(all, o.args...)
		}
		return all
	}
	var q queue
	q.init(10, time.Minute)
	want(t, "room for both", q.add(publish("a", 4, 0))+q.add(op{args: []any{"join"}}), 0)
	want(t, "dropped for a large one, which is more than half", q.add(publish("b", 8, time.Second)), 1)
	want(t, "full", q.isFull(), true)
	want(t, "too old", q.expire(start.Add(time.Minute+time.Second)), 0)
	want(t, "too old later", q.expire(start.Add(time.Minute+2*time.Second)), 1)
	q.add(publish("c", 6, 0))
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		q.waitForRoom(func() bool { return true })
	}()
	batch := q.take(10, 1)
	want(t, "one at least", names(batch), []any{"join"})
	batch = q.take(10, 10)
	<-waited
	want(t, "the rest", names(batch), []any{"c"})
	q.add(op{args: []any{"leave"}})
	q.add(publish("d", 3, 0))
	want(t, "dropped after a failure", q.fail(batch), 0)
	want(t, "tried again", names(q.take(10, 10)), []any{"c", "d"})
	want(t, "one too large is dropped itself", q.add(publish("e", 11, 0)), 1)
}
