package config

import (
	"io/fs"
	"net/netip"
	"time"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
	"github.com/reverb-go/reverb-go/server/webhook"
)

// Config is how the server is to run.
type Config struct {
	Host       string // address to listen on, or HostOff
	Port       int
	Listen     []Address   // besides those
	ListenMode fs.FileMode // of the files of unix sockets among them
	ReusePort  bool        // other processes may listen on the same ports
	Path       string      // route prefix
	Hostname   string      // where clients find the server: for the banner and the search for a certificate
	TLS        TLS
	ACME       ACME

	MaxRequestSize   int // bytes
	MetricsAddr      string
	Drain            time.Duration
	MaxQueued        int     // bytes per connection
	MaxNodeQueued    int     // bytes of all connections together
	MaxConnections   int     // of the node; 0 is no limit
	MaxHandshakes    int     // in a second; 0 is no limit
	MemoryLimit      float64 // share of the memory beyond which new connections are refused; 0 is never
	TrustedProxies   []netip.Prefix
	TrustUnix        bool // who connects to a unix socket is such a proxy
	ProxyProtocol    bool // trusted proxies send the PROXY protocol
	IdempotencyTTL   time.Duration
	HandshakeTimeout time.Duration
	Loops            int    // 0 is one per core
	IOUring          string // "auto" or "off"
	Control          string // unix socket that "reverb-go reload" and its like speak to; "auto" or "off"
	RestartParent    string // which process stays at a restart: auto, stay (the one that was started) or exit
	RestartSignal    string // whether Laravel's reverb:restart restarts the server: auto or off
	RestartTimeout   time.Duration
	Cache            Cache  // where that signal is
	DeadLetters      string // file of webhooks that could not be delivered
	RedisPrefix      string // what Laravel puts before its keys
	Inspector        bool   // the page at /inspector is there
	AdminToken       string // who has it may use that; "" lets this machine alone
	Scaling          Scaling
	Apps             []App // empty when nothing configures one
	AppTable         AppTable

	Dotenv   laravel.Env // all that .env says, also to others
	Settings []Setting   // every value above, in order
	Warnings []Problem   // what is likely not meant
}

// TLS is servers.reverb.options.tls: PHP's SSL context options, as far as they are used.
type TLS struct {
	LocalCert, LocalPK string // files; one of them set turns TLS on
	Passphrase         string // of the private key
	VerifyPeer         bool   // ask clients for a certificate
	CAFile             string // that signed theirs
}

// Enabled reports whether a certificate is configured.
func (t TLS) Enabled() bool { return t.LocalCert != "" || t.LocalPK != "" }

// ACME is servers.reverb.acme: an authority that certificates are got from.
type ACME struct {
	Domains   []string // none is off
	Email     string
	Directory string // URL; "" is Let's Encrypt
	Storage   string // folder; "" is the usual one
	Challenge string // ChallengeTLS or ChallengeHTTP
	HTTPPort  int
}

// How an authority finds out whose a domain is.
const (
	ChallengeTLS  = "tls-alpn"
	ChallengeHTTP = "http"
)

// Scaling is servers.reverb.scaling: how nodes reach each other through Redis.
type Scaling struct {
	Enabled bool
	Channel string // of PHP Reverb's messages

	URL, Scheme, Host, Port, Username, Password, Database string
	Timeout                                               time.Duration

	Cluster, Sentinels, Master, Prefix, Bridge string
	Lease                                      time.Duration
}

// App is one app with what Laravel tells browsers about it, which the server does not need.
type App struct {
	auth.App
	Host, Port, Scheme string
	Hooks              webhook.Destinations // who is told of what happens to its channels

	// One of each may be set by variables.
	webhook webhook.Endpoint
	job     webhook.Jobs
	stream  webhook.Stream
}

// Setting is one value as it applies, and where it was said.
type Setting struct {
	Name   string // as in config/reverb.php, like servers.reverb.port
	Value  any    // string, int, bool or []string; a secret is masked
	Source string // "flag --port", "environment REVERB_SERVER_PORT", "reverb.yaml:12", ".env:7", "default", …

	Variable string // of the environment, that sets it; "" is none
	IsSecret bool   // so that Value is masked
}

// Setting returns the setting of a name; without one, the zero Setting.
func (c *Config) Setting(name string) Setting {
	for _, s := range c.Settings {
		if s.Name == name {
			return s
		}
	}
	return Setting{}
}

// Problem is what is wrong with a configuration: one sentence, and what to do about it.
type Problem struct {
	Sentence string
	Hint     string
}

func (p *Problem) Error() string { return p.Sentence }
