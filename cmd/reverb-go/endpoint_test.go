package main

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestEndpoint(t *testing.T) {
	certificate := &tls.Config{}
	tests := []struct {
		endpoint    endpoint
		banner, url string
	}{
		{endpoint{host: "0.0.0.0", port: 8080}, "Starting server on 0.0.0.0:8080.", "http://0.0.0.0:8080"},
		{endpoint{host: "0.0.0.0", port: 8080, hostname: "localhost"}, "Starting server on 0.0.0.0:8080 (localhost).", "http://0.0.0.0:8080"},
		{endpoint{host: "a.test", port: 1, hostname: "a.test"}, "Starting server on a.test:1.", "http://a.test:1"},
		{endpoint{host: "::1", port: 80, path: "ws"}, "Starting server on [::1]:80ws.", "http://[::1]:80/ws"},
		{endpoint{host: "[::1]", port: 80, path: "/ws/"}, "Starting server on [::1]:80/ws/.", "http://[::1]:80/ws"},
		{endpoint{host: "::1", port: 80, path: "/", tls: certificate}, "Starting secure server on [::1]:80/.", "https://[::1]:80"},
		{endpoint{host: "1.2.3.4", port: 80, hostname: "\x1b[2J"}, "Starting server on 1.2.3.4:80 (\uFFFD[2J).", "http://1.2.3.4:80"},
	}
	for _, tt := range tests {
		if got := tt.endpoint.banner(); got != tt.banner {
			t.Errorf("%+v: banner %q, want %q", tt.endpoint, got, tt.banner)
		}
		if got := tt.endpoint.url(); got != tt.url {
			t.Errorf("%+v: URL %q, want %q", tt.endpoint, got, tt.url)
		}
	}
}

func TestListenProblem(t *testing.T) {
	failed := func(err error) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", err)}
	}
	tests := []struct {
		err          error
		reason, hint string
	}{
		{failed(syscall.EADDRINUSE), "Address already in use (EADDRINUSE)", "--port"},
		{failed(wsaEADDRINUSE), "Address already in use (EADDRINUSE)", "--port"},
		{failed(syscall.EACCES), "Permission denied (EACCES)", "above 1023"},
		{failed(syscall.EADDRNOTAVAIL), "Cannot assign requested address (EADDRNOTAVAIL)", "REVERB_SERVER_HOST"},
		{&net.OpError{Op: "listen", Err: &net.DNSError{Err: "no such host", Name: "x"}}, "the host name is not known", "REVERB_SERVER_HOST"},
		{failed(syscall.EINVAL), "bind: " + syscall.EINVAL.Error(), ""},
		{errors.New("anything"), "anything", ""},
	}
	for _, tt := range tests {
		reason, hint := listenProblem(tt.err)
		if reason != tt.reason || !strings.Contains(hint, tt.hint) {
			t.Errorf("%v: got %q with hint %q, want %q with …%s…", tt.err, reason, hint, tt.reason, tt.hint)
		}
	}
}
