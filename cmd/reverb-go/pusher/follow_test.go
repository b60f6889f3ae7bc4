package pusher

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	lost := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	for _, tt := range []struct {
		name    string
		err     error
		attempt int
		wait    time.Duration
		again   bool
	}{
		{"unknown app", &CloseError{Code: 4001}, 0, time.Second, false},
		{"over quota", &CloseError{Code: 4004}, 0, time.Second, false},
		{"terminated", &CloseError{Code: 4009}, 0, time.Second, false},
		{"over capacity", &CloseError{Code: 4100}, 0, time.Second, true},
		{"restarting", &CloseError{Code: 4200}, 0, 0, true},
		{"restarting for long", &CloseError{Code: 4200}, 1, 2 * time.Second, true},
		{"client event rejected", &CloseError{Code: 4301}, 0, time.Second, false},
		{"no code", &CloseError{Code: 1005}, 0, time.Second, true},
		{"going away", &CloseError{Code: 1001}, 0, time.Second, true},
		{"a proxy without a server", &HandshakeError{Status: 502}, 0, time.Second, true},
		{"no such path", &HandshakeError{Status: 404}, 0, time.Second, false},
		{"reset", lost, 0, time.Second, true},
		{"wrapped", fmt.Errorf("read: %w", lost), 3, 8 * time.Second, true},
		{"end", io.EOF, 0, time.Second, true},
		{"silence", ErrSilent, 0, time.Second, true},
		{"unknown host", &net.DNSError{IsNotFound: true}, 0, time.Second, false},
		{"for hours", io.EOF, 5000, 30 * time.Second, true},
		{"another protocol", errors.New("hello"), 0, time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wait, again := retryAfter(tt.err, tt.attempt)
			if again != tt.again || again && wait != tt.wait {
				t.Errorf("got %v, %v; want %v, %v", wait, again, tt.wait, tt.again)
			}
		})
	}
}
