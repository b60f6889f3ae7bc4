package scaling

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
)

// A node that was moved to another process hears what was said meanwhile, once; what waited is published then.
func TestMove(t *testing.T) {
	t.Parallel()
	addr := startRedis(t)
	a, b := newNode(t, addr), newNode(t, addr)
	a.link(room)
	b.link(room)
	a.Publish(event(room, "1"))
	a.is("deliver " + room + " 1 except 0 cache false")
	b.is("deliver " + room + " 1 except 0 cache false")
	if _, err := a.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Publish(event(room, "2")) // waits
	b.Publish(event(room, "3"))
	b.is("deliver " + room + " 3 except 0 cache false")
	a.Resume() // that was not it
	a.until("all", func() bool { return len(about(a.all(), "deliver")) == 2 })
	heard := a.heard("deliver")
	slices.Sort(heard)
	want(t, "heard after all", heard, []string{"deliver " + room + " 2 except 0 cache false", "deliver " + room + " 3 except 0 cache false"})
	state, err := a.Pause(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Publish(event(room, "4"))
	b.is("deliver " + room + " 4 except 0 cache false")

	next := &testNode{t: t, client: a.client, change: make(chan struct{})}
	next.Redis = NewRedis(a.client, a.options)
	if err := next.Import(state); err != nil {
		t.Fatal(err)
	}
	next.Redis.Start(next)
	defer next.Redis.Pause(t.Context())
	want(t, "its identity", next.self(), a.self())
	next.link(room)
	next.Publish(event(room, "5"))
	next.until("what it publishes", func() bool { return slices.Contains(next.all(), "deliver "+room+" 5 except 0 cache false") })
	b.is("deliver " + room + " 5 except 0 cache false")
}

func TestImportGarbage(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	r := NewRedis(client, Options{})
	for _, state := range []string{"", "x", "{}", `{"identity":"x"}`, `{"identity":"x","seen":[1],"buckets":[{}],"begun":[true]}`} {
		if err := r.Import([]byte(state)); err == nil {
			t.Errorf("%q was taken for the state of a node", state)
		}
	}
}
