//go:build linux

package main_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/reverb-go/reverb-go/internal/services"
)

const acmeDomain = "ws.example.test"

// An authority is Pebble, Let's Encrypt's server for tests. To it every domain is on this machine.
type authority struct {
	directory string
	root      string // file with the certificate of the authority's own server
	orders    atomic.Int64
}

func startAuthority(t *testing.T, httpPort, tlsPort int) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "of a test"}})
	asker := va.New(quiet, httpPort, tlsPort, true, startNames(t), store)
	front := wfe.New(quiet, store, asker, issuer, []string{"pebble.test"}, true, false, 0, 0)
	handler := front.Handler()
	a := &authority{root: filepath.Join(t.TempDir(), "root.pem")}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/order-plz") {
			a.orders.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	a.directory = srv.URL + wfe.DirectoryPath
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(a.root, root, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// startNames serves DNS, and returns the address.
func startNames(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: ln, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		for _, question := range q.Question {
			if question.Qtype == dns.TypeA {
				header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
				answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
			}
		}
		_ = w.WriteMsg(answer) // who asked has gone, if it fails
	})}
	done := make(chan error, 1)
	go func() { done <- srv.ActivateAndServe() }()
	t.Cleanup(func() {
		_ = srv.Shutdown()
		<-done
	})
	return ln.Addr().String()
}

// TestACME gets a certificate of an authority, in both ways, and uses it again after the server was started anew and
// after a restart.
func TestACME(t *testing.T) {
	for _, tt := range []struct {
		name, challenge string
		asksClients     bool // for certificates
	}{
		{"over TLS", "tls-alpn", false},
		{"over HTTP", "http", false},
		{"with clients that need a certificate", "tls-alpn", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			httpPort := services.FreePort()
			srv := &server{binary: linkSelf(t), dir: t.TempDir(), port: services.FreePort()}
			a := startAuthority(t, httpPort, srv.port)
			srv.env = []string{
				"REVERB_APP_ID=1", "REVERB_APP_KEY=app-key", "REVERB_APP_SECRET=app-secret", "SSL_CERT_FILE=" + a.root,
				"REVERB_GO_ACME_DOMAIN=" + acmeDomain, "REVERB_GO_ACME_EMAIL=ops@example.test", "REVERB_GO_ACME_DIRECTORY=" + a.directory,
				"REVERB_GO_ACME_CHALLENGE=" + tt.challenge, "REVERB_GO_ACME_HTTP_PORT=" + strconv.Itoa(httpPort),
				"REVERB_GO_CONTROL=" + filepath.Join(srv.dir, "control"),
			}
			if tt.asksClients {
				askClients(t, srv.dir, a.root)
			}
			first := srv.certificate(t)
			for _, speaks := range [][]string{nil, {"http/1.1"}, {"http/1.1", "acme-tls/1"}} {
				if err := srv.connectWithTLS(t, speaks...); (err != nil) != tt.asksClients {
					t.Errorf("a client without a certificate, which speaks %v: %v", speaks, err)
				}
			}
			if err := srv.stop(); err != nil {
				t.Fatal(err)
			}
			if again := srv.certificate(t); again != first {
				t.Errorf("started anew, it has certificate %s, and had %s", again, first)
			}
			if tt.challenge == "tls-alpn" {
				srv.restartWithTLS(t)
				if again := srv.certificate(t); again != first {
					t.Errorf("after a restart it has certificate %s, and had %s", again, first)
				}
			}
			if n := a.orders.Load(); n != 1 {
				t.Errorf("%d certificates were ordered", n)
			}
		})
	}
}

// certificate starts the server unless it runs, and returns the serial number of its certificate once it has one.
func (s *server) certificate(t *testing.T) string {
	t.Helper()
	if s.cmd == nil {
		s.startWithTLS(t)
	}
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := tls.Dial("tcp", s.address(), &tls.Config{ServerName: acmeDomain, InsecureSkipVerify: true})
		if err == nil {
			defer conn.Close()
			cert := conn.ConnectionState().PeerCertificates[0]
			if err := cert.VerifyHostname(acmeDomain); err != nil || !strings.Contains(cert.Issuer.CommonName, "Pebble") {
				t.Errorf("%v; it is signed by %s", err, cert.Issuer)
			}
			return cert.SerialNumber.String()
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v\nThe server said:\n%s", err, s.output.String())
		}
		<-tick.C
	}
}

func (s *server) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// startWithTLS starts the server without waiting for an answer.
func (s *server) startWithTLS(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // isUp knows no TLS
	_ = s.start(ctx)
	if s.cmd == nil {
		t.Fatal("the server was not started")
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("%v\nThe server said:\n%s", err, s.output.String())
		}
	})
}

func (s *server) restartWithTLS(t *testing.T) {
	t.Helper()
	cmd := exec.Command(s.binary, "restart", "--port="+strconv.Itoa(s.port))
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// connectWithTLS has a client connect that names no host, as those do that know an address only.
func (s *server) connectWithTLS(t *testing.T, speaks ...string) error {
	t.Helper()
	dialer := ws.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: speaks}}
	conn, _, _, err := dialer.Dial(t.Context(), "wss://"+s.address()+"/app/app-key")
	if err == nil {
		conn.Close()
	}
	return err
}

// askClients writes the configuration of an app that has clients show a certificate.
func askClients(t *testing.T, dir, root string) {
	t.Helper()
	cached := fmt.Sprintf(`<?php return array('reverb' => array(
		'servers' => array('reverb' => array('options' => array('tls' => array('verify_peer' => true, 'cafile' => '%s')))),
		'apps' => array('apps' => array(array('app_id' => '1', 'key' => 'app-key', 'secret' => 'app-secret'))),
	));`, root)
	for name, text := range map[string]string{"artisan": "", "bootstrap/cache/config.php": cached} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
