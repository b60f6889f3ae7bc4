package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// wantFindings compares findings with texts such as "error secret": the level, and what the sentence contains.
func wantFindings(t *testing.T, got []Finding, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %q", got, want)
	}
	for i, f := range got {
		level, text, _ := strings.Cut(want[i], " ")
		if string(f.Level) != level || !strings.Contains(f.Sentence, text) || (f.Fix == "") != (f.Level == OK) {
			t.Errorf("got %+v, want %q", f, want[i])
		}
	}
}

func TestFiles(t *testing.T) {
	for limit, want := range map[uint64]string{
		0: "ok not limited", 1024: "error only 1024 files", 20_000: "warning 20000 files", 1 << 20: "ok 1048576 files",
	} {
		var r report
		checkFiles(t.Context(), &r, Patient{OpenFiles: limit})
		wantFindings(t, r.list, want)
	}
}

func TestKernel(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, tt := range []struct {
		name   string
		kernel fstest.MapFS
		want   []string
	}{
		{"nothing known", fstest.MapFS{}, nil},
		{"good", fstest.MapFS{
			"net/core/somaxconn":              file("4096\n"),
			"net/ipv4/ip_local_port_range":    file("32768\t60999\n"),
			"net/ipv4/tcp_mem":                file("190000\t260000\t380000\n"),
			"fs/file-max":                     file("9223372036854775808\n"),
			"net/netfilter/nf_conntrack_max":  file("262144\n"),
			"net/ipv4/tcp_max_syn_backlog":    file("1024\n"),
			"fs/nr_open":                      file("1048576\n"),
			"net/ipv4/something_we_never_ask": file("1\n"),
		}, []string{
			"ok net.core.somaxconn: 4096", "ok tcp_max_syn_backlog: 1024", "ok 28232 connections", "ok 1484 MiB",
			"ok fs.file-max", "ok fs.nr_open", "ok nf_conntrack_max",
		}},
		{"poor", fstest.MapFS{
			"net/core/somaxconn":           file("128\n"),
			"net/ipv4/ip_local_port_range": file("40000 45000\n"),
			"net/ipv4/tcp_mem":             file("100 200 300\n"),
		}, []string{"warning net.core.somaxconn: 128", "warning 5001 connections", "warning 1 MiB"}},
		{"strange", fstest.MapFS{"net/ipv4/tcp_mem": file("7\n"), "net/core/somaxconn": file("")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r report
			checkKernel(t.Context(), &r, Patient{Kernel: tt.kernel})
			wantFindings(t, r.list, tt.want...)
		})
	}
}

func newApp(id, key, secret string) config.App {
	a := config.App{App: auth.DefaultApp()}
	a.ID, a.Key, a.Secret = id, key, secret
	return a
}

func TestEnv(t *testing.T) {
	apps := []config.App{newApp("1", "a-key", "a-secret")}
	for _, tt := range []struct {
		name, env string
		want      []string
	}{
		{"none", "", nil},
		{"stock", `REVERB_APP_ID=1
			REVERB_APP_KEY=a-key
			REVERB_HOST="localhost"
			REVERB_PORT=8080
			REVERB_SCHEME=http
			VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"
			VITE_REVERB_HOST="${REVERB_HOST}"
			VITE_REVERB_PORT="${REVERB_PORT}"
			VITE_REVERB_SCHEME="${REVERB_SCHEME}"
			BROADCAST_CONNECTION=reverb
			APP_URL=http://localhost`, []string{"ok fit together"}},
		{"defined later", "VITE_REVERB_APP_KEY=${REVERB_APP_KEY}\nREVERB_APP_KEY=a-key", []string{"ok fit"}},
		{"goes in circles", "VITE_REVERB_HOST=${A}\nA=${B}\nB=${A}", []string{"ok fit"}},
		{"secret for key", "VITE_REVERB_APP_KEY=a-secret", []string{`error VITE_REVERB_APP_KEY gives the secret of app "1"`}},
		{"secret", "VITE_REVERB_APP_SECRET=a-secret", []string{"error VITE_REVERB_APP_SECRET gives the secret"}},
		{"id for key", "VITE_REVERB_APP_KEY=1", []string{"error is the app's id"}},
		{"other key", "VITE_REVERB_APP_KEY=old", []string{`error browsers are built with the key "old"`}},
		{"URL for host", "VITE_REVERB_HOST=https://ws.example.com", []string{"error more than a host"}},
		{"port in host", "REVERB_HOST=ws.example.com:443", []string{"error with a port in it"}},
		{"host to listen on", "VITE_REVERB_HOST=0.0.0.0", []string{"error an address to listen on"}},
		{"IPv6", "VITE_REVERB_HOST=::1", []string{"ok fit"}},
		{"scheme", "VITE_REVERB_SCHEME=wss", []string{"error means nothing to Echo"}},
		{"port", "REVERB_PORT=http", []string{"error no port"}},
		{"mixed content", "APP_URL=https://example.com\nVITE_REVERB_SCHEME=http\nVITE_REVERB_HOST=example.com", []string{"error do not connect to ws://"}},
		{"everybody's own machine", "APP_URL=https://example.com\nVITE_REVERB_HOST=localhost", []string{"error on its own machine"}},
		{"on a machine of one's own", "APP_URL=https://shop.test\nVITE_REVERB_HOST=localhost", []string{"ok fit"}},
		{"broadcaster", "BROADCAST_DRIVER=log", []string{"error BROADCAST_DRIVER is log"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vars, err := laravel.ParseEnv(tt.env, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			var r report
			checkEnv(t.Context(), &r, Patient{Config: &config.Config{Apps: apps, Dotenv: vars}})
			wantFindings(t, r.list, tt.want...)
			if strings.Contains(fmt.Sprint(r.list), "a-secret") {
				t.Errorf("the secret is shown: %+v", r.list)
			}
		})
	}
}

func TestEnvCredentials(t *testing.T) {
	vars := laravel.Env{"REVERB_APP_ID": {Value: "1"}}
	for _, tt := range []struct {
		app  config.App
		want string
	}{
		{newApp("1", "same", "same"), "error the same, and everybody knows the key"},
		{newApp("1", "1", "a-secret"), "warning in the wrong place"},
	} {
		var r report
		checkEnv(t.Context(), &r, Patient{Config: &config.Config{Apps: []config.App{tt.app}, Dotenv: vars}})
		wantFindings(t, r.list, tt.want)
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for off, want := range map[time.Duration]string{
		0: "ok agree", 3 * time.Second: "ok agree", -20 * time.Second: "warning differ by 20s", 11 * time.Minute: "error differ by 11m0s",
	} {
		var r report
		checkDate(&r, "x", http.Header{"Date": {now.Add(off).Format(http.TimeFormat)}}, now)
		wantFindings(t, r.list, want)
	}
	var r report
	checkDate(&r, "x", http.Header{}, now)
	wantFindings(t, r.list)
}

func TestRedisVersion(t *testing.T) {
	for _, tt := range []struct {
		info    string
		cluster bool
		want    []string
	}{
		{"# Server\r\nredis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n", false, []string{"ok Redis 7.0.15"}},
		{"redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n", true, []string{"ok Valkey 8.0.1"}},
		{"redis_version:4.0.9\r\n", false, []string{"error Redis 4.0.9"}},
		{"redis_version:6.2.0\r\n", true, []string{"error sharded channels"}},
		{"redis_version:6.2.0\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n", false, []string{"ok Redis 6.2.0", "warning allkeys-lru"}},
		{"", false, []string{"warning which version"}},
	} {
		var r report
		checkRedisVersion(&r, fields(tt.info), tt.cluster)
		checkEviction(&r, fields(tt.info))
		wantFindings(t, r.list, tt.want...)
	}
}

func TestCertificate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	day := 24 * time.Hour
	for _, tt := range []struct {
		from, until time.Duration
		want        string
	}{
		{-day, 90 * day, "ok valid for 90 days"},
		{-day, 5 * day, "warning expires in 5 days, on 2026-01-07"},
		{-90 * day, -day, "error has expired on 2026-01-01"},
		{day, 90 * day, "error only from 2026-01-03"},
	} {
		var r report
		cert := &x509.Certificate{NotBefore: now.Add(tt.from), NotAfter: now.Add(tt.until)}
		checkCertificate(t.Context(), &r, Patient{Certificate: cert, Now: func() time.Time { return now }})
		wantFindings(t, r.list, tt.want)
	}
}

func TestFixes(t *testing.T) {
	a := App{App: newApp("1", "a-key", "a-secret")}
	handshake := func(status int, body string) error {
		return &pusher.HandshakeError{Status: status, Header: http.Header{"Location": {"https://x/"}}, Body: body}
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{handshake(426, ""), "proxy_set_header Upgrade"},
		{handshake(400, "The request has no header Connection: Upgrade; a proxy may have removed it."), "proxy_set_header Upgrade"},
		{handshake(400, "The plain HTTP request was sent to HTTPS port"), "set the scheme to https"},
		{handshake(301, ""), `redirects to "https://x/"`},
		{handshake(200, "<html>"), "something else answers"},
		{handshake(404, ""), "nothing is at that path"},
		{handshake(401, ""), "lets nobody in"},
		{handshake(503, ""), "does not reach this server"},
		{handshake(418, ""), "who answers that"},
		{&pusher.CloseError{Code: 4001}, `no app with the key "a-key"`},
		{&pusher.CloseError{Code: 4003}, "disabled"},
		{&pusher.CloseError{Code: 4004}, "REVERB_APP_MAX_CONNECTIONS"},
		{&pusher.CloseError{Code: 4009}, "allowed_origins"},
		{&pusher.CloseError{Code: 4100}, "at a limit"},
		{&pusher.CloseError{Code: 4999}, "--debug"},
		{&net.DNSError{}, "DNS record"},
		{&net.OpError{Err: syscall.ECONNREFUSED}, "is the port right"},
		{io.EOF, "speaks TLS, or another"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "certbot renew"},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, "for other names"},
		{x509.UnknownAuthorityError{}, "fullchain.pem"},
		{tls.RecordHeaderError{}, "compare the scheme with the port"},
		{errors.New("x"), "firewall"},
	} {
		if got := connectFix(a, tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestOrigin(t *testing.T) {
	a := App{App: newApp("1", "a-key", "a-secret"), Browser: &pusher.Server{}}
	a.Browser.URL = &url.URL{Scheme: "https", Host: "ws.example.com"}
	if got := originFor(a); got != "" {
		t.Errorf("any page: got %q", got)
	}
	a.AllowedOrigins = []string{"*.example.com", "example.com"}
	if got := originFor(a); got != "https://example.com" {
		t.Errorf("got %q", got)
	}
}

func TestNoApp(t *testing.T) {
	found := Examine(context.Background(), Patient{Config: &config.Config{}, Now: time.Now, Patience: time.Second})
	wantFindings(t, found, "warning no app is configured", "ok not limited", "ok Redis is not needed")
	if HasErrors(found) {
		t.Error("there are errors")
	}
}
