package handover

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newPair(t *testing.T) (a, b *Conn) {
	t.Helper()
	a, end, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(end.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	end.Close()
	if b, err = Open(fd); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Conn{a, b} {
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	return a, b
}

// TestFilesStayWithTheirMessage sends several messages at once, some with descriptors.
func TestFilesStayWithTheirMessage(t *testing.T) {
	a, b := newPair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	long := &Failed{Sentence: strings.Repeat("x", 100_000)}
	go func() {
		_ = a.Send(KindEnd, &End{Connections: 1})
		_ = a.Send(KindConnections, sampleConnections(), int(w.Fd()), int(w.Fd()))
		_ = a.Send(KindRequests, &Requests{List: []Request{{Early: []byte(long.Sentence)}}}, int(w.Fd()))
		_ = a.Send(KindFailed, long)
		w.Close()
	}()
	for i, want := range []int{0, 2, 1} {
		m, err := b.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Files) != want {
			t.Errorf("message %d came with %d descriptors, want %d", i, len(m.Files), want)
		}
		closeFiles(m.Files)
	}
	_, err = b.Receive()
	var why *Failed
	if !errors.As(err, &why) || why.Sentence != long.Sentence {
		t.Errorf("got %v, want the failure", err)
	}
	// All copies are closed, so the pipe ends.
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
}

func TestOtherEndGone(t *testing.T) {
	a, b := newPair(t)
	b.Close()
	if _, err := a.Receive(); !HasEnded(err) {
		t.Errorf("got %v, want an end", err)
	}
}
