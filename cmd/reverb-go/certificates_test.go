package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// A logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.buf.String(), text)
}

// waitUntil waits for what must come.
func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// TestCertificatesChange renews a certificate in the ways that programs do, and badly.
func TestCertificatesChange(t *testing.T) {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key")
	write := func(i *issued) {
		check(os.WriteFile(cert, i.cert, 0o600))
		check(os.WriteFile(key, i.key, 0o600))
	}
	first, second, third := issue(check, "first.test", nil), issue(check, "second.test", nil), issue(check, "third.test", nil)
	write(first)
	var log logBuffer
	c, err := openCertificates(&config.Config{TLS: config.TLS{LocalCert: cert, LocalPK: key}}, slog.New(slog.NewTextHandler(&log, nil)))
	check(err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.watch(ctx, time.Millisecond) }()
	defer func() { cancel(); <-done }()
	wantCertificate(t, c, "first.test")

	write(second) // in place
	waitUntil(t, "the second is in use", func() bool { return serves(t, c) == "second.test" })

	check(os.WriteFile(cert, []byte("nonsense"), 0o600))
	waitUntil(t, "the fault is told", func() bool { return log.count("the certificate stays as it was: ") > 0 })
	wantCertificate(t, c, "second.test")
	if _, err := c.refresh(true); err == nil {
		t.Error("asked for, the fault is not told again")
	}

	next := filepath.Join(dir, "next") // by renaming
	check(os.WriteFile(next, third.cert, 0o600))
	check(os.Rename(next, cert))
	check(os.WriteFile(next, third.key, 0o600))
	check(os.Rename(next, key))
	waitUntil(t, "the third is in use", func() bool { return serves(t, c) == "third.test" })
	if isNew, err := c.refresh(true); isNew || err != nil {
		t.Errorf("read again, it is new: %v, %v", isNew, err)
	}
}

func wantCertificate(t *testing.T, c *certificates, want string) {
	t.Helper()
	if got := serves(t, c); got != want {
		t.Errorf("got the certificate of %s, want %s", got, want)
	}
}

// serves returns whose certificate a client gets.
func serves(t *testing.T, c *certificates) string {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		s := tls.Server(server, c.tls())
		_ = s.Handshake()
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	}()
	conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("speaks %q", state.NegotiatedProtocol)
	}
	return state.PeerCertificates[0].Subject.CommonName
}
