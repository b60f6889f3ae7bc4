package poll

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// socketPair returns two connected sockets. The first does not block.
func socketPair(t *testing.T) (fd, peer int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]); unix.Close(pair[1]) })
	return pair[0], pair[1]
}

// newTestRing returns a ring, or skips the test where the system gives none.
func newTestRing(t *testing.T) *Ring {
	t.Helper()
	r, err := NewRing()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(r.Close)
	return r
}

func vectorOf(pieces ...string) *Vector {
	v := new(Vector)
	for _, p := range pieces {
		v.Add([]byte(p))
	}
	return v
}

// received returns what has arrived at a socket.
func received(t *testing.T, fd int) string {
	t.Helper()
	b := make([]byte, 1<<20)
	n, err := Read(fd, b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// Three times around the queue of submissions, with one piece for some and many for others.
func TestRingSends(t *testing.T) {
	r := newTestRing(t)
	var peers []int
	var want []string
	for i := range RingSize {
		fd, peer := socketPair(t)
		peers = append(peers, peer)
		want = append(want, fmt.Sprint(fd))
		if i%2 == 1 {
			want[i] = fmt.Sprintf("%d and more", fd)
		}
	}
	for range 3 {
		for i, w := range want {
			v := vectorOf(w)
			if i%2 == 1 {
				v = vectorOf(w[:2], w[2:5], w[5:])
			}
			var fd int
			fmt.Sscan(w, &fd)
			if !r.Add(fd, v) {
				t.Fatalf("no room for the %dth of %d", i+1, RingSize)
			}
		}
		if r.Add(0, vectorOf("one too many")) {
			t.Fatal("room for more than there may be")
		}
		sent, err := r.Send()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if got := received(t, peers[i]); sent[i] != len(w) || got != w {
				t.Fatalf("socket %d: %d bytes sent and %q received, want %q", i, sent[i], got, w)
			}
		}
	}
}

// What cannot be sent harms nobody else, and says what Vector.Write would.
func TestRingSendsPartly(t *testing.T) {
	r := newTestRing(t)
	good, goodPeer := socketPair(t)
	gone, gonePeer := socketPair(t)
	full, _ := socketPair(t)
	unix.Shutdown(gonePeer, unix.SHUT_RDWR)
	large := string(bytes.Repeat([]byte("x"), 8<<20))
	for want := 1; want >= 0; want-- { // more than fits at first, then nothing
		r.Add(full, vectorOf(large))
		r.Add(gone, vectorOf("lost"))
		r.Add(good, vectorOf("hello"))
		sent, err := r.Send()
		if err != nil {
			t.Fatal(err)
		}
		if n := sent[0]; n < 0 || n >= len(large) || (n > 0) != (want > 0) {
			t.Errorf("%d bytes sent to a socket that has room for some: %d", n, want)
		}
		if sent[1] >= 0 {
			t.Errorf("%d bytes sent to a socket nobody has, want an error", sent[1])
		}
		if got := received(t, goodPeer); got != "hello" || sent[2] != 5 {
			t.Errorf("%d bytes sent and %q received, want hello", sent[2], got)
		}
	}
}

// A ring has room for so many pieces, and takes more after a Send.
func TestRingPieces(t *testing.T) {
	r := newTestRing(t)
	v := new(Vector)
	for v.Add([]byte("x")) {
	}
	fd, peer := socketPair(t)
	added := 0
	for r.Add(fd, v) {
		added++
	}
	if want := ringPieces / MaxVector; added != want {
		t.Errorf("%d vectors of %d pieces were taken, want %d", added, MaxVector, want)
	}
	if _, err := r.Send(); err != nil {
		t.Fatal(err)
	}
	if got, want := len(received(t, peer)), added*MaxVector; got != want {
		t.Errorf("%d bytes received, want %d", got, want)
	}
	if !r.Add(fd, v) {
		t.Error("no room after a Send")
	}
}

func TestRingAllocates(t *testing.T) {
	r := newTestRing(t)
	fd, peer := socketPair(t)
	v, b := vectorOf("hello"), make([]byte, 64)
	if got := testing.AllocsPerRun(100, func() {
		r.Add(fd, v)
		_, _ = r.Send()
		_, _ = Read(peer, b)
	}); got != 0 {
		t.Errorf("%v allocations for each Send, want none", got)
	}
}

// After an error of the ring itself all others are told as not sent, and nothing waits for ever.
func TestRingFails(t *testing.T) {
	r := newTestRing(t)
	fd, peer := socketPair(t)
	r.Add(fd, vectorOf("hello"))
	closed := r.fd
	r.fd = -1
	sent, err := r.Send()
	r.fd = closed
	if err == nil || sent[0] != 0 {
		t.Errorf("Send with a ring that is gone = %v, %v, want an error and nothing sent", sent, err)
	}
	if _, err := Read(peer, make([]byte, 1)); err != ErrAgain {
		t.Errorf("Read at the other end: %v, want nothing there", err)
	}
}
