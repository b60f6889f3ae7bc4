package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// Options say for what, from whom and how.
type Options struct {
	Domains   []string    // at least one
	Email     string      // where the authority warns; "" is nowhere
	Directory string      // URL of the authority; "" is Let's Encrypt
	Folder    string      // for keys, certificates and the account
	HTTP      bool        // the authority asks over HTTP, at HTTPPort, and not over TLS
	HTTPPort  int         // opened while it asks
	TLSPort   int         // where the server listens
	Client    *tls.Config // what clients are asked for: ClientAuth and ClientCAs; nil is nothing
	Logger    *slog.Logger
}

// A Manager keeps certificates valid.
type Manager struct {
	domains []string
	client  *tls.Config
	log     *zap.Logger
	cache   *certmagic.Cache
	config  *certmagic.Config
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	closed  atomic.Bool
}

// New makes a Manager that does nothing yet. Whoever calls it agrees to the terms of the authority.
func New(o Options) *Manager {
	m := &Manager{domains: o.Domains, client: o.Client}
	m.log = zap.New(&core{log: o.Logger, closed: &m.closed})
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.config, nil },
		Logger:           m.log,
	})
	m.config = certmagic.New(m.cache, certmagic.Config{
		DefaultServerName: o.Domains[0], // for who names none, such as health checks
		Storage:           &certmagic.FileStorage{Path: o.Folder},
		Logger:            m.log,
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			if event == "cert_obtained" {
				o.Logger.Info("certificate obtained", "domain", data["identifier"], "renewal", data["renewal"])
			}
			return nil
		},
	})
	m.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(m.config, certmagic.ACMEIssuer{
		CA:                      o.Directory,
		Email:                   o.Email,
		Agreed:                  true,
		DisableHTTPChallenge:    !o.HTTP,
		DisableTLSALPNChallenge: o.HTTP,
		AltHTTPPort:             o.HTTPPort,
		AltTLSALPNPort:          o.TLSPort, // taken by the server, so that nobody else is made to listen
		Logger:                  m.log,
	})}
	return m
}

// challengeProtocol is spoken by an authority that asks over TLS (RFC 8737).
const challengeProtocol = "acme-tls/1"

// TLS returns what listeners are given. protocols are those of the server. While there is no certificate yet, handshakes
// fail.
func (m *Manager) TLS(protocols ...string) *tls.Config {
	t := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     append(slices.Clone(protocols), challengeProtocol),
		GetCertificate: m.config.GetCertificate,
	}
	if m.client == nil {
		return t
	}
	t.GetConfigForClient = m.askingClients(t, protocols)
	return t
}

// askingClients has clients show a certificate, and the authority, which has none, not. Nothing is served to who says that
// it is the authority.
func (m *Manager) askingClients(base *tls.Config, protocols []string) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	others := base.Clone()
	others.ClientAuth, others.ClientCAs = m.client.ClientAuth, m.client.ClientCAs
	others.NextProtos = protocols
	authority := base.Clone()
	authority.NextProtos = []string{challengeProtocol}
	// In TLS 1.3 the other end has all that it wants to see by the time of VerifyConnection.
	authority.MinVersion = tls.VersionTLS13
	authority.VerifyConnection = func(tls.ConnectionState) error { return errAsked }
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, challengeProtocol) {
			return authority, nil
		}
		return others, nil
	}
}

var errAsked = errors.New("acme: the authority has asked, and nothing else is served to it")

// Start reads the certificates that there are, and begins to get the others. It is tried again and again, less often
// each time.
func (m *Manager) Start() error { return m.config.ManageAsync(m.ctx, m.domains) }

// Close ends what is under way, and lets go of the store for other processes.
func (m *Manager) Close() {
	m.closed.Store(true)
	m.cancel()
	m.cache.Stop()
	certmagic.CleanUpOwnLocks(context.Background(), m.log)
}
