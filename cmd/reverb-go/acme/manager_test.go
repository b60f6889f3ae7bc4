package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newManager(t *testing.T, client *tls.Config) *Manager {
	t.Helper()
	m := New(Options{Domains: []string{"ws.example.test"}, Folder: t.TempDir(), Client: client, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(m.Close)
	return m
}

// TestClientsNeedCertificates asks clients for one, and the authority not.
func TestClientsNeedCertificates(t *testing.T) {
	asks := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	for _, tt := range []struct {
		name   string
		client *tls.Config
		offers []string
		want   tls.ClientAuthType
		speaks []string
	}{
		{"a client", asks, []string{"http/1.1"}, tls.RequireAndVerifyClientCert, []string{"http/1.1"}},
		{"a client that offers nothing", asks, nil, tls.RequireAndVerifyClientCert, []string{"http/1.1"}},
		{"the authority", asks, []string{challengeProtocol}, tls.NoClientCert, []string{challengeProtocol}},
		{"who wants to be let in as one", asks, []string{"http/1.1", challengeProtocol}, tls.NoClientCert, []string{challengeProtocol}},
		{"nobody is asked", nil, []string{"http/1.1"}, tls.NoClientCert, []string{"http/1.1", challengeProtocol}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newManager(t, tt.client).TLS("http/1.1")
			if got.GetConfigForClient != nil {
				var err error
				if got, err = got.GetConfigForClient(&tls.ClientHelloInfo{SupportedProtos: tt.offers}); err != nil {
					t.Fatal(err)
				}
			}
			isServed := got.VerifyConnection == nil || got.VerifyConnection(tls.ConnectionState{}) == nil
			if isClient := tt.want != tls.NoClientCert || tt.client == nil; isServed != isClient {
				t.Errorf("it is served: %v", isServed)
			}
			if got.ClientAuth != tt.want || !slices.Equal(got.NextProtos, tt.speaks) || got.MinVersion < tls.VersionTLS12 || got.GetCertificate == nil {
				t.Errorf("got %v, %v, from TLS %x", got.ClientAuth, got.NextProtos, got.MinVersion)
			}
		})
	}
}

// TestLog looks at what is left of what certmagic tells.
func TestLog(t *testing.T) {
	var b bytes.Buffer
	m := newManager(t, nil)
	log := zap.New(&core{log: slog.New(slog.NewTextHandler(&b, nil)), closed: &m.closed}).With(zap.String("domain", "ws.example.test"))
	log.Info("hidden")
	log.Error(falseChallenge)
	log.Warn("tried again")
	log.Error("failed", zap.Duration("in", time.Minute), zap.Error(context.Canceled))
	m.closed.Store(true)
	log.Error("cut short")
	got := b.String()
	for _, want := range []string{
		`level=INFO msg="acme: tried again" domain=ws.example.test` + "\n",
		`level=ERROR msg="acme: failed" domain=ws.example.test error="context canceled" in=1m0s` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 2 {
		t.Errorf("got\n%s", got)
	}
}
