package config

import "time"

// key is one setting: where it is looked for, what it is when it is found nowhere, and where it goes.
type key struct {
	name   string // as in config/reverb.php; of an app, below apps.apps.N
	env    string // variable of the stock configuration, or of our own; "" is none
	def    any    // what an empty value means, and the value when nobody says anything
	to     target
	flag   string
	secret bool

	// bare is for the keys of apps: the value when a list of apps has the app without the key, where
	// that is not def.
	bare any
}

// ownPrefix starts the names of variables that Laravel does not know.
const ownPrefix = "REVERB_GO_"

// listenKeys say where the server listens, and with which certificate.
func listenKeys(c *Config) []key {
	return []key{
		{name: "host", env: "REVERB_SERVER_HOST", flag: "host", def: "0.0.0.0", to: text(&c.Host)},
		{name: "port", env: "REVERB_SERVER_PORT", flag: "port", def: 8080, to: port(&c.Port)},
		{name: "listen", env: "REVERB_GO_LISTEN", flag: "listen", def: "", to: addresses(&c.Listen)},
		{name: "listen_mode", env: "REVERB_GO_LISTEN_MODE", def: "0660", to: fileMode(&c.ListenMode)},
		{name: "reuse_port", env: "REVERB_GO_REUSE_PORT", def: false, to: truth(&c.ReusePort)},
		{name: "path", env: "REVERB_SERVER_PATH", flag: "path", def: "", to: text(&c.Path)},
		{name: "hostname", env: "REVERB_HOST", flag: "hostname", def: "", to: text(&c.Hostname)},
		{name: "options.tls.local_cert", def: "", to: text(&c.TLS.LocalCert)},
		{name: "options.tls.local_pk", def: "", to: text(&c.TLS.LocalPK)},
		{name: "options.tls.passphrase", def: "", to: text(&c.TLS.Passphrase), secret: true},
		{name: "options.tls.verify_peer", def: false, to: truth(&c.TLS.VerifyPeer)},
		{name: "options.tls.cafile", def: "", to: text(&c.TLS.CAFile)},
		{name: "acme.domain", env: "REVERB_GO_ACME_DOMAIN", flag: "acme-domain", def: "", to: domains(&c.ACME.Domains)},
		{name: "acme.email", env: "REVERB_GO_ACME_EMAIL", flag: "acme-email", def: "", to: text(&c.ACME.Email)},
		{name: "acme.directory", env: "REVERB_GO_ACME_DIRECTORY", flag: "acme-directory", def: "", to: httpsURL(&c.ACME.Directory)},
		{name: "acme.storage", env: "REVERB_GO_ACME_STORAGE", def: "", to: text(&c.ACME.Storage)},
		{name: "acme.challenge", env: "REVERB_GO_ACME_CHALLENGE", def: ChallengeTLS, to: oneOf(&c.ACME.Challenge, ChallengeTLS, ChallengeHTTP)},
		{name: "acme.http_port", env: "REVERB_GO_ACME_HTTP_PORT", def: 80, to: port(&c.ACME.HTTPPort)},
	}
}

// serverKeys are the settings of the server, stored in c.
func serverKeys(c *Config) []key {
	keys := append(listenKeys(c), []key{
		{name: "max_request_size", env: "REVERB_MAX_REQUEST_SIZE", def: 10_000, to: number(&c.MaxRequestSize, 1)},
		{name: "metrics_addr", env: "REVERB_GO_METRICS_ADDR", flag: "metrics-addr", def: "", to: text(&c.MetricsAddr)},
		{name: "drain", env: "REVERB_GO_DRAIN", flag: "drain", def: "10s", to: duration(&c.Drain, 0)},
		{name: "max_queued", env: "REVERB_GO_MAX_QUEUED", def: 1 << 20, to: number(&c.MaxQueued, 1)},
		{name: "max_node_queued", env: "REVERB_GO_MAX_NODE_QUEUED", def: 256 << 20, to: number(&c.MaxNodeQueued, 1)},
		{name: "max_connections", env: "REVERB_GO_MAX_CONNECTIONS", def: 0, to: number(&c.MaxConnections, 0)},
		{name: "max_handshakes_per_second", env: "REVERB_GO_MAX_HANDSHAKES_PER_SECOND", def: 0, to: number(&c.MaxHandshakes, 0)},
		{name: "memory_limit", env: "REVERB_GO_MEMORY_LIMIT", def: "90%", to: share(&c.MemoryLimit)},
		{name: "trusted_proxies", env: "REVERB_GO_TRUSTED_PROXIES", def: "", to: proxies(&c.TrustedProxies, &c.TrustUnix)},
		{name: "proxy_protocol", env: "REVERB_GO_PROXY_PROTOCOL", def: false, to: truth(&c.ProxyProtocol)},
		{name: "idempotency_ttl", env: "REVERB_GO_IDEMPOTENCY_TTL", def: "2m", to: duration(&c.IdempotencyTTL, time.Second)},
		{name: "restart.parent", env: "REVERB_GO_RESTART_PARENT", def: "auto", to: oneOf(&c.RestartParent, "auto", "stay", "exit")},
		{name: "restart.signal", env: "REVERB_GO_RESTART_SIGNAL", def: "auto", to: oneOf(&c.RestartSignal, "auto", "off")},
		{name: "restart.timeout", env: "REVERB_GO_RESTART_TIMEOUT", def: "30s", to: duration(&c.RestartTimeout, time.Second)},
		{name: "control", env: "REVERB_GO_CONTROL", flag: "control", def: "auto", to: text(&c.Control)},
		{name: "inspector", env: "REVERB_GO_INSPECTOR", def: false, to: truth(&c.Inspector)},
		{name: "admin_token", env: "REVERB_GO_ADMIN_TOKEN", def: "", to: password(&c.AdminToken), secret: true},
		{name: "dead_letters", env: "REVERB_GO_DEAD_LETTERS", def: "", to: text(&c.DeadLetters)},
		{name: "redis_prefix", env: "REDIS_PREFIX", def: "", to: text(&c.RedisPrefix)},
		{name: "handshake_timeout", env: "REVERB_GO_HANDSHAKE_TIMEOUT", def: "10s", to: duration(&c.HandshakeTimeout, time.Millisecond)},
		{name: "loops", env: "REVERB_GO_LOOPS", def: 0, to: number(&c.Loops, 0)},
		{name: "io_uring", env: "REVERB_GO_IO_URING", def: "auto", to: oneOf(&c.IOUring, "auto", "off")},
		{name: "scaling.enabled", env: "REVERB_SCALING_ENABLED", def: false, to: truth(&c.Scaling.Enabled)},
		{name: "scaling.channel", env: "REVERB_SCALING_CHANNEL", def: "reverb", to: text(&c.Scaling.Channel)},
		{name: "scaling.server.url", env: "REDIS_URL", def: "", to: text(&c.Scaling.URL), secret: true},
		{name: "scaling.server.scheme", def: "", to: text(&c.Scaling.Scheme)},
		{name: "scaling.server.host", env: "REDIS_HOST", def: "127.0.0.1", to: text(&c.Scaling.Host)},
		{name: "scaling.server.port", env: "REDIS_PORT", def: "6379", to: text(&c.Scaling.Port)},
		{name: "scaling.server.username", env: "REDIS_USERNAME", def: "", to: text(&c.Scaling.Username)},
		{name: "scaling.server.password", env: "REDIS_PASSWORD", def: "", to: text(&c.Scaling.Password), secret: true},
		{name: "scaling.server.database", env: "REDIS_DB", def: "0", to: text(&c.Scaling.Database)},
		{name: "scaling.server.timeout", env: "REDIS_TIMEOUT", def: 60, to: duration(&c.Scaling.Timeout, 0)},
		{name: "scaling.cluster", env: "REVERB_GO_REDIS_CLUSTER", def: "", to: text(&c.Scaling.Cluster)},
		{name: "scaling.sentinels", env: "REVERB_GO_REDIS_SENTINELS", def: "", to: text(&c.Scaling.Sentinels)},
		{name: "scaling.master", env: "REVERB_GO_REDIS_MASTER", def: "", to: text(&c.Scaling.Master)},
		{name: "scaling.prefix", env: "REVERB_GO_REDIS_PREFIX", def: "reverb-go:", to: text(&c.Scaling.Prefix)},
		{name: "scaling.lease", env: "REVERB_GO_LEASE", def: "10s", to: duration(&c.Scaling.Lease, time.Second)},
		{name: "scaling.bridge", env: "REVERB_GO_BRIDGE", def: "auto", to: oneOf(&c.Scaling.Bridge, "auto", "on", "off")},
	}...)
	keys = append(keys, cacheKeys(&c.Cache)...)
	for i := range keys {
		keys[i].name = "servers.reverb." + keys[i].name
	}
	keys = append(keys, key{name: "default", env: "REVERB_SERVER", def: "reverb", to: only("reverb")})
	return append(keys, appTableKeys(&c.AppTable)...)
}

// idleKeys are keys of config/reverb.php that a --config file may have though they change nothing here, and why.
var idleKeys = map[string]string{
	"servers.reverb.pulse_ingest_interval":     "Pulse runs inside PHP",
	"servers.reverb.telescope_ingest_interval": "Telescope runs inside PHP",
	"servers.reverb.options.tcp":               "the socket options are the system's own",
	"apps.apps.*.options.useTLS":               "",

	"servers.reverb.options.tls.allow_self_signed": idleTLS,
	"servers.reverb.options.tls.capath":            idleTLS,
	"servers.reverb.options.tls.ciphers":           idleTLS,
	"servers.reverb.options.tls.crypto_method":     idleTLS,
	"servers.reverb.options.tls.peer_name":         idleTLS,
	"servers.reverb.options.tls.security_level":    idleTLS,
	"servers.reverb.options.tls.SNI_enabled":       idleTLS,
	"servers.reverb.options.tls.SNI_server_certs":  idleTLS,
	"servers.reverb.options.tls.verify_depth":      idleTLS,
	"servers.reverb.options.tls.verify_peer_name":  idleTLS,
}

const idleTLS = "of PHP's SSL options there are local_cert, local_pk, passphrase, verify_peer and cafile; the rest is as Go has it, from TLS 1.2"
