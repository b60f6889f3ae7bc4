package scaling

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Redis that accepts connections and does not answer must not keep the loops waiting, which ask for channels and leave them.
func TestStalledRedisKeepsNobodyWaiting(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 1000)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			accepted <- struct{}{}
		}
	}()
	// As configured with REDIS_TIMEOUT=0: only contexts end what takes too long.
	client := redis.NewClient(&redis.Options{Addr: ln.Addr().String(), ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1})
	r := NewRedis(client, Options{Lease: time.Second})
	r.Start(&testNode{t: t, change: make(chan struct{})})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Stop(ctx)
		client.Close()
		ln.Close()
	})
	late := time.After(patience)
	for range 6 { // by then each part of the broker has tried to connect
		done := make(chan struct{})
		select {
		case <-accepted:
		case <-late:
			t.Fatal("it does not try again")
		}
		go func() {
			defer close(done)
			r.Link("1", room)
			r.Unlink("1", room)
		}()
		select {
		case <-done:
		case <-late:
			t.Fatal("who asks for a channel waits for Redis")
		}
	}
}
