//go:build linux

package main_test

import (
	"bufio"
	"testing"
	"time"
)

// handoverPause is how long the clients of idleConnections may have to wait.
const handoverPause = 2 * time.Second

// TestHandoverOfMany hands over many connections, and prints for how long their clients were not served.
func TestHandoverOfMany(t *testing.T) {
	srv := startHandoverServers(t, 1)[0]
	conns := srv.crowd(t, idleConnections)
	if t.Failed() {
		return
	}
	srv.restart(t)
	for _, pause := range srv.pauses() {
		t.Logf("%d connections were handed over; clients waited for %v", len(conns), pause)
		if pause > handoverPause {
			t.Errorf("clients waited for %v, want at most %v", pause, handoverPause)
		}
	}
	// All of them are served, and are still subscribed.
	srv.publish(t, `{"name":"n","channel":"idle","data":"d"}`)
	for _, c := range conns {
		c.reader = bufio.NewReaderSize(c.conn, 128)
		if got := c.hear(); got != `{"event":"n","data":"d","channel":"idle"}` {
			t.Fatalf("after the handover a client heard %s", got)
		}
	}
}
