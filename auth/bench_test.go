package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	benchID      = []byte("915103662.465664145")
	benchChannel = []byte("private-orders.12345")
	benchBody    = `{"name":"App\\Events\\OrderShipped","channels":["private-orders.1"],"data":"` + strings.Repeat("x", 123) + `"}`
)

func TestVerifyChannelAllocatesNothing(t *testing.T) {
	a := newApp(t)
	data := []byte(`{"user_id":"7","user_info":"` + strings.Repeat("x", 1000) + `"}`)
	auth := []byte(a.SignChannel(string(benchID), string(benchChannel), string(data)))
	allocs := testing.AllocsPerRun(100, func() {
		if !a.VerifyChannel(benchID, benchChannel, data, auth) {
			t.Error("got false")
		}
	})
	if allocs != 0 {
		t.Errorf("got %v allocations, want 0", allocs)
	}
}

func TestVerifyRequestAllocatesOnce(t *testing.T) {
	a, now := newApp(t), time.Unix(testTime, 0)
	r := benchRequest(a, now)
	allocs := testing.AllocsPerRun(100, func() {
		if err := a.VerifyRequest(r, "", now); err != nil {
			t.Error(err)
		}
	})
	if allocs > 1 {
		t.Errorf("got %v allocations, want 1", allocs)
	}
}

// benchRequest is a publish of 200 bytes as Laravel sends it.
func benchRequest(a *App, now time.Time) Request {
	r := Request{Method: "POST", Path: []byte("/apps/3/events"), Body: []byte(benchBody)}
	r.Query = []byte(a.SignRequest(r.Method, string(r.Path), nil, r.Body, now))
	return r
}

func BenchmarkVerifyChannel(b *testing.B) {
	a := newApp(b)
	auth := []byte(a.SignChannel(string(benchID), string(benchChannel), ""))
	b.ReportAllocs()
	for b.Loop() {
		if !a.VerifyChannel(benchID, benchChannel, nil, auth) {
			b.Fatal("got false")
		}
	}
}

func BenchmarkVerifyRequest(b *testing.B) {
	a, now := newApp(b), time.Unix(testTime, 0)
	good := benchRequest(a, now)
	prefixed := good
	prefixed.Path = []byte("/ws/apps/3/events")
	escaped := good
	escaped.Query = []byte(a.SignRequest("POST", "/apps/3/events", map[string][]string{"info": {"a,b"}}, good.Body, now))
	forged := good
	forged.Path = []byte("/apps/3/events/a%20b")
	for _, bench := range []struct {
		name string
		r    Request
		good bool
	}{
		{"usual", good, true},
		{"prefixed", prefixed, true},
		{"escaped", escaped, true},
		{"forged", forged, false},
		{"unsigned", Request{Method: "POST", Path: good.Path, Body: good.Body}, false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.r.Body)))
			for b.Loop() {
				if err := a.VerifyRequest(bench.r, "/ws", now); (err == nil) != bench.good {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMAC compares the precomputed states with what crypto/hmac offers.
func BenchmarkMAC(b *testing.B) {
	var sum [sha256.Size]byte
	var out [2 * sha256.Size]byte
	write := func(h hash.Hash) {
		h.Write(benchID)
		h.Write(colon)
		h.Write(benchChannel)
		hex.Encode(out[:], h.Sum(sum[:0]))
	}
	m := newMAC(testSecret)
	pool := sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(testSecret)) }}
	for _, bench := range []struct {
		name string
		sign func()
	}{
		{"states", func() { out = m.hex(benchID, colon, benchChannel) }},
		{"hmac.New", func() { write(hmac.New(sha256.New, []byte(testSecret))) }},
		{"pooled", func() {
			h := pool.Get().(hash.Hash)
			h.Reset()
			write(h)
			pool.Put(h)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.sign()
			}
		})
	}
}
