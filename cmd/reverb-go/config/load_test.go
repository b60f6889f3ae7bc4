package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

const credentials = "REVERB_APP_ID=1\nREVERB_APP_KEY=key\nREVERB_APP_SECRET=secret\n"

// place changes to a new folder with these files, which Load then takes for a Laravel app.
func place(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	files["artisan"] = ""
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func mustLoad(t *testing.T, s Sources) *Config {
	t.Helper()
	c, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantSetting(t *testing.T, c *Config, name string, value any, source string) {
	t.Helper()
	got := c.Setting(name)
	if !reflect.DeepEqual(got.Value, value) || got.Source != source {
		t.Errorf("%s = %v from %q, want %v from %q", name, got.Value, got.Source, value, source)
	}
}

// Each place hides the ones after it (R:CFG-01, R:CFG-02, R:CFG-03).
func TestPrecedence(t *testing.T) {
	const cache = "bootstrap/cache/config.php"
	place(t, map[string]string{
		".env":            credentials + "REVERB_SERVER_PORT=5005\n",
		".env.production": "REVERB_SERVER_PORT=5055\n",
		".env.staging":    "REVERB_SERVER_PORT=5555\n",
		cache:             `<?php return array('reverb' => array('servers' => array('reverb' => array('port' => 4004))));`,
		"reverb.yaml":     "servers:\n  reverb:\n    port: 3003\n",
	})
	environ := []string{"REVERB_SERVER_PORT=2002"}
	tests := []struct {
		name    string
		sources Sources
		cached  bool
		port    int
		source  string
	}{
		{"flag", Sources{Flags: map[string]string{"port": "1001"}, Environ: environ, File: "reverb.yaml"}, true, 1001, "flag --port"},
		{"environment", Sources{Environ: environ, File: "reverb.yaml"}, true, 2002, "environment REVERB_SERVER_PORT"},
		{"file", Sources{File: "reverb.yaml"}, true, 3003, "reverb.yaml:3"},
		{"cached", Sources{}, true, 4004, cache},
		{".env", Sources{}, false, 5005, ".env:4"},
		{".env.production", Sources{Environ: []string{"APP_ENV=production"}}, false, 5055, ".env.production:1"},
		{"--env before APP_ENV", Sources{Environ: []string{"APP_ENV=production"}, Env: "staging"}, false, 5555, ".env.staging:1"},
		{"no such .env file", Sources{Environ: []string{"APP_ENV=local"}, Env: "test"}, false, 5005, ".env:4"},
		{"default", Sources{Laravel: "bootstrap"}, false, 8080, "default"},
		{"an empty variable hides .env", Sources{Environ: []string{"REVERB_SERVER_PORT="}}, false, 8080, "environment REVERB_SERVER_PORT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.cached {
				if err := os.Rename(cache, cache+".off"); err != nil {
					t.Fatal(err)
				}
				defer os.Rename(cache+".off", cache)
			}
			c := mustLoad(t, tt.sources)
			wantSetting(t, c, "servers.reverb.port", tt.port, tt.source)
			if c.Port != tt.port {
				t.Errorf("port %d, want %d", c.Port, tt.port)
			}
		})
	}
}

func TestLaravelFolder(t *testing.T) {
	place(t, map[string]string{"app/.env": "REVERB_SERVER_PORT=5005"})
	wantSetting(t, mustLoad(t, Sources{Laravel: "app"}), "servers.reverb.port", 5005, "app/.env:1")

	t.Chdir("app") // which has no artisan
	c := mustLoad(t, Sources{})
	wantSetting(t, c, "servers.reverb.port", 8080, "default")
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Hint, "--laravel=.") {
		t.Errorf("got warnings %q, want one of the .env that is not read", c.Warnings)
	}
}

func TestStockApp(t *testing.T) {
	place(t, map[string]string{".env": credentials})
	c := mustLoad(t, Sources{})
	want := auth.DefaultApp()
	want.ID, want.Key, want.Secret = "1", "key", "secret"
	if len(c.Apps) != 1 || !reflect.DeepEqual(c.Apps[0].App, want) {
		t.Fatalf("got %#v, want %#v", c.Apps, want)
	}
	if got := c.Apps[0].ClientEvents; got != auth.ClientEventsMembers { // R:CFG-05
		t.Errorf("client events from %d, want members", got)
	}
	wantSetting(t, c, "apps.apps.0.app_id", "1", ".env:1")
	wantSetting(t, c, "apps.apps.0.secret", "••••", ".env:3")
	wantSetting(t, c, "apps.apps.0.max_connections", "no limit", "default") // R:CFG-10
	wantSetting(t, c, "apps.apps.0.allowed_origins", []string{"*"}, "default")
}

func TestAppVariables(t *testing.T) {
	place(t, map[string]string{".env": credentials})
	c := mustLoad(t, Sources{Environ: []string{
		"REVERB_APP_PING_INTERVAL=20", "REVERB_APP_ACTIVITY_TIMEOUT=15", "REVERB_APP_MAX_CONNECTIONS=7",
		"REVERB_APP_MAX_MESSAGE_SIZE=500", "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=nobody",
		"REVERB_APP_RATE_LIMITING_ENABLED=1", // R:CFG-06
		"REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS=3", "REVERB_APP_RATE_LIMIT_DECAY_SECONDS=2", "REVERB_APP_RATE_LIMIT_TERMINATE=(true)",
		"REVERB_GO_CACHE_TTL=5m", "REVERB_GO_TIMESTAMP_TOLERANCE=0",
		"REVERB_HOST=ws.example.com", "REVERB_PORT=444", "REVERB_SCHEME=http",
	}})
	want := App{Host: "ws.example.com", Port: "444", Scheme: "http", App: auth.App{
		ID: "1", Key: "key", Secret: "secret", AllowedOrigins: []string{"*"},
		PingInterval: 20 * time.Second, ActivityTimeout: 15 * time.Second, MaxConnections: 7,
		MaxMessageSize: 500, ClientEvents: auth.ClientEventsNone, CacheTTL: 5 * time.Minute,
		RateLimit: auth.RateLimit{Enabled: true, MaxAttempts: 3, Decay: 2 * time.Second, Terminate: true},
	}}
	if !reflect.DeepEqual(c.Apps, []App{want}) {
		t.Errorf("got %#v, want %#v", c.Apps, want)
	}
	wantSetting(t, c, "apps.apps.0.accept_client_events_from", "nobody (none)", "environment REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM")
}

func TestServerVariables(t *testing.T) {
	place(t, map[string]string{})
	c := mustLoad(t, Sources{Environ: []string{
		"REVERB_SERVER_HOST=127.0.0.1", "REVERB_SERVER_PATH=/ws", "REVERB_HOST=null", "REVERB_MAX_REQUEST_SIZE=20_000",
		"REVERB_GO_METRICS_ADDR=127.0.0.1:9090", "REVERB_GO_DRAIN=1m", "REVERB_GO_MAX_QUEUED=4096",
		"REVERB_GO_HANDSHAKE_TIMEOUT=3", "REVERB_GO_LOOPS=2", "REVERB_GO_IO_URING=off",
		"REVERB_GO_ACME_DOMAIN=a.example.com,b.example.com", "REVERB_GO_ACME_EMAIL=ops@example.com", "REVERB_GO_ACME_DIRECTORY=https://ca.test/dir",
		"REVERB_GO_ACME_STORAGE=/var/acme", "REVERB_GO_ACME_CHALLENGE=http", "REVERB_GO_ACME_HTTP_PORT=8000",
		"REVERB_GO_LISTEN=unix:/run/a.sock", "REVERB_GO_LISTEN_MODE=0640", "REVERB_GO_REUSE_PORT=true",
		"REVERB_GO_MAX_NODE_QUEUED=8192", "REVERB_GO_MAX_CONNECTIONS=5", "REVERB_GO_MAX_HANDSHAKES_PER_SECOND=6",
		"REVERB_GO_MEMORY_LIMIT=80%", "REVERB_GO_TRUSTED_PROXIES=127.0.0.1, 10.1.2.3/8", "REVERB_GO_PROXY_PROTOCOL=true",
		"REVERB_GO_IDEMPOTENCY_TTL=1m", "REVERB_GO_CONTROL=off", "REVERB_GO_DEAD_LETTERS=dead.jsonl", "REDIS_PREFIX=app_",
		"REVERB_SCALING_ENABLED=1", // R:CFG-07
		"REDIS_URL=redis://u:p@h", "REDIS_PASSWORD=null", "REDIS_PORT=", "REDIS_TIMEOUT=5",
		"REVERB_GO_REDIS_CLUSTER=a:1,b:2", "REVERB_GO_LEASE=20s",
		"REVERB_GO_RESTART_PARENT=stay", "REVERB_GO_RESTART_SIGNAL=off", "REVERB_GO_RESTART_TIMEOUT=9s",
		"CACHE_STORE=redis", "CACHE_PREFIX=c:", "APP_NAME=Shop", "REDIS_CACHE_DB=2",
	}})
	want := Config{
		Host: "127.0.0.1", Port: 8080, Path: "/ws", MaxRequestSize: 20_000,
		ACME: ACME{
			Domains: []string{"a.example.com", "b.example.com"}, Email: "ops@example.com", Directory: "https://ca.test/dir",
			Storage: "/var/acme", Challenge: ChallengeHTTP, HTTPPort: 8000,
		},
		Listen: []Address{{Network: "unix", Address: "/run/a.sock"}}, ListenMode: 0o640, ReusePort: true,
		MetricsAddr: "127.0.0.1:9090", Drain: time.Minute, MaxQueued: 4096, HandshakeTimeout: 3 * time.Second, Loops: 2, IOUring: "off",
		MaxNodeQueued: 8192, MaxConnections: 5, MaxHandshakes: 6, MemoryLimit: 0.8,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")},
		ProxyProtocol:  true, IdempotencyTTL: time.Minute, Control: "off", DeadLetters: "dead.jsonl", RedisPrefix: "app_",
		RestartParent: "stay", RestartSignal: "off", RestartTimeout: 9 * time.Second,
		Cache: Cache{Store: "redis", Prefix: "c:", AppName: "Shop", DB: "2"},
		Scaling: Scaling{
			Enabled: true, Channel: "reverb", URL: "redis://u:p@h", Host: "127.0.0.1", Port: "6379", Database: "0",
			Timeout: 5 * time.Second, Cluster: "a:1,b:2", Prefix: "reverb-go:", Bridge: "auto", Lease: 20 * time.Second,
		},
	}
	wantSetting(t, c, "servers.reverb.scaling.server.url", "••••", "environment REDIS_URL")
	wantSetting(t, c, "servers.reverb.scaling.server.password", "", "environment REDIS_PASSWORD")
	c.Settings, c.AppTable = nil, AppTable{} // see TestAppTable
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got %#v, want %#v", *c, want)
	}
}

func TestNoApp(t *testing.T) {
	for name, env := range map[string]string{
		"nothing": "", "empty": "REVERB_APP_ID=\nREVERB_APP_KEY=null\nREVERB_APP_SECRET=\"\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			place(t, map[string]string{".env": env})
			c := mustLoad(t, Sources{})
			if len(c.Apps) != 0 || c.Setting("apps.apps.0.app_id").Name != "" {
				t.Errorf("got apps %v, want none", c.Apps)
			}
		})
	}
}

func TestFileApps(t *testing.T) {
	place(t, map[string]string{
		".env": credentials,
		"reverb.yaml": `
default: reverb
apps:
  provider: config
  apps:
    - app_id: 007
      key: one
      secret: 's1'
      max_connections: ~
      allowed_origins: [example.com, "*.example.com"]
      rate_limiting: &limits
        enabled: on
        max_attempts: 5
    - app_id: 2
      key: two
      secret: s2
      max_connections: 100
      ping_interval: ~
      accept_client_events_from: members
      rate_limiting: {<<: *limits, max_attempts: 9, terminate_on_limit: true}
      options: {host: example.com, useTLS: true}
`})
	c := mustLoad(t, Sources{File: "reverb.yaml"})
	if len(c.Apps) != 2 {
		t.Fatalf("got %d apps, want 2", len(c.Apps))
	}
	one, two := c.Apps[0], c.Apps[1]
	if one.ID != "007" || one.MaxConnections != -1 || one.ClientEvents != auth.ClientEventsAll { // R:CFG-04
		t.Errorf("got %#v", one)
	}
	if got, want := one.RateLimit, (auth.RateLimit{Enabled: true, MaxAttempts: 5, Decay: time.Second}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := two.RateLimit, (auth.RateLimit{Enabled: true, MaxAttempts: 9, Decay: time.Second, Terminate: true}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if two.MaxConnections != 100 || two.ClientEvents != auth.ClientEventsMembers || two.Host != "example.com" {
		t.Errorf("got %#v", two)
	}
	wantSetting(t, c, "apps.apps.0.allowed_origins", []string{"example.com", "*.example.com"}, "reverb.yaml:10")
	wantSetting(t, c, "apps.apps.1.rate_limiting.enabled", true, "reverb.yaml:12")
	wantSetting(t, c, "apps.apps.1.rate_limiting.decay_seconds", "1s", "default")
}

func TestEnvironmentOverListedApps(t *testing.T) {
	const one = "apps:\n  apps:\n    - {app_id: 1, key: k1, secret: s1}\n"
	place(t, map[string]string{"one.yaml": one, "two.yaml": one + "    - {app_id: 2, key: k2, secret: s2}\n"})
	tests := []struct {
		name, file string
		environ    []string
		keys       string
		warnings   int
	}{
		{"the only app", "one.yaml", []string{"REVERB_APP_KEY=new"}, "new", 0},
		{"the only app has another id", "one.yaml", []string{"REVERB_APP_ID=9", "REVERB_APP_KEY=new"}, "new", 0},
		{"one of two", "two.yaml", []string{"REVERB_APP_ID=2", "REVERB_APP_KEY=new"}, "k1 new", 0},
		{"none of two", "two.yaml", []string{"REVERB_APP_ID=3", "REVERB_APP_KEY=new"}, "k1 k2", 1},
		{"two and no id", "two.yaml", []string{"REVERB_APP_KEY=new"}, "k1 k2", 1},
		{"two and nothing", "two.yaml", []string{"REVERB_HOST=example.com"}, "k1 k2", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mustLoad(t, Sources{File: tt.file, Environ: tt.environ})
			var keys []string
			for _, a := range c.Apps {
				keys = append(keys, a.Key)
			}
			if got := strings.Join(keys, " "); got != tt.keys || len(c.Warnings) != tt.warnings {
				t.Errorf("got keys %q and warnings %v, want %q and %d", got, c.Warnings, tt.keys, tt.warnings)
			}
		})
	}
}

// R:CFG-03, R:CFG-04, R:CFG-10, R:CFG-14
func TestCachedConfig(t *testing.T) {
	place(t, map[string]string{
		".env": credentials + "REVERB_MAX_REQUEST_SIZE=1\nREVERB_GO_DRAIN=3s\n",
		"bootstrap/cache/config.php": `<?php return array (
  'database' => array ('redis' => array ('default' => array ('host' => 'redis', 'port' => '6380', 'password' => NULL))),
  'reverb' => array (
    'default' => 'reverb',
    'servers' => array ('reverb' => array (
      'host' => '127.0.0.1', 'port' => '9000', 'hostname' => NULL,
      'options' => array ('tls' => array ('local_cert' => NULL)),
      'scaling' => array ('enabled' => false, 'channel' => 'c', 'server' => array ()),
      'pulse_ingest_interval' => 15, 'unknown' => 1)),
    'apps' => array ('provider' => 'config', 'apps' => array (0 => array (
      'key' => 'k', 'secret' => 's', 'app_id' => 5, 'allowed_origins' => array (0 => 'a.test'),
      'max_connections' => NULL, 'ping_interval' => 30)))));`,
	})
	c := mustLoad(t, Sources{})
	if c.Host != "127.0.0.1" || c.Port != 9000 || c.MaxRequestSize != 10_000 || c.Drain != 3*time.Second || c.TLS.Enabled() {
		t.Errorf("got %#v", c)
	}
	if s := c.Scaling; s.Enabled || s.Channel != "c" || s.Host != "redis" || s.Port != "6380" {
		t.Errorf("got scaling %#v", s)
	}
	a := c.Apps[0]
	if a.ID != "5" || a.ClientEvents != auth.ClientEventsAll || a.MaxConnections != -1 || a.PingInterval != 30*time.Second {
		t.Errorf("got app %#v", a)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("got warnings %v", c.Warnings)
	}
}

func TestWarnings(t *testing.T) {
	const cache = "bootstrap/cache/config.php"
	tests := []struct {
		name    string
		files   map[string]string
		environ []string
		want    string
	}{
		{"cached before Reverb", map[string]string{cache: "<?php return array();"}, nil, "knows nothing of Reverb"},
		{"provider", map[string]string{cache: `<?php return array('reverb' => array('apps' => array('provider' => 'App\\Apps')));`}, nil, `App\Apps`},
		{"broken .env under a cache", map[string]string{".env": "<<<", cache: `<?php return array('reverb' => array());`}, nil, ".env:1"},
		{"idle key", map[string]string{"reverb.yaml": "servers: {reverb: {pulse_ingest_interval: 15}}"}, nil, "pulse_ingest_interval has no effect"},
		{"unknown variable", nil, []string{"REVERB_GO_DRIAN=1"}, "REVERB_GO_DRIAN (environment)"},
		{"unknown variable in .env", map[string]string{".env": "\nREVERB_GO_DRIAN=1"}, nil, "REVERB_GO_DRIAN (.env:2)"},
		{"idle TLS option", map[string]string{"reverb.yaml": "servers: {reverb: {options: {tls: {ciphers: X}}}}"}, nil, "options.tls.ciphers has no effect"},
		{
			"cached TLS options",
			map[string]string{cache: `<?php return array('reverb' => array('servers' => array('reverb' => array('options' => array('tls' => array(
				'verify_peer' => false, 'capath' => null, 'disable_compression' => true))))));`},
			nil, "options.tls.disable_compression has no effect",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"reverb.yaml": ""}
			for name, text := range tt.files {
				files[name] = text
			}
			place(t, files)
			c := mustLoad(t, Sources{File: "reverb.yaml", Environ: tt.environ})
			if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Sentence, tt.want) || c.Warnings[0].Hint == "" {
				t.Errorf("got %q, want one with %q", c.Warnings, tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name           string
		yaml, env      string
		cache          string
		sources        Sources
		sentence, hint string
	}{
		{name: "port", env: "\nREVERB_SERVER_PORT=abc", sentence: `servers.reverb.port is "abc", which is no port number (.env:2)`, hint: "1 to 65535"},
		{name: "port too high", sources: Sources{Flags: map[string]string{"port": "99999"}}, sentence: "(flag --port)"},
		{name: "no number", env: "REVERB_APP_PING_INTERVAL=often", sentence: "no time span", hint: "seconds"},
		{name: "number for pusher-js", env: "REVERB_APP_ACTIVITY_TIMEOUT=0", sentence: "too short", hint: "1s"},
		{name: "true where a number belongs", env: "REVERB_MAX_REQUEST_SIZE=true", sentence: "no whole number"},
		{name: "off", env: "REVERB_SCALING_ENABLED=off", sentence: "which Laravel takes for true", hint: "false"},
		{name: "another server", env: "REVERB_SERVER=swoole", sentence: "default is"},
		{name: "app without an id", env: "REVERB_APP_KEY=k\nREVERB_APP_SECRET=s", sentence: "app_id is not set", hint: "REVERB_APP_ID"}, // R:CLI-18
		{name: "app without a secret", env: "REVERB_APP_ID=1\nREVERB_APP_KEY=k", sentence: "secret is not set", hint: "REVERB_APP_SECRET"},
		{name: ".env", env: "A=b c", sentence: ".env:1: ", hint: "quotes"},
		{name: "cache", cache: "<?php return env('X');", sentence: "config.php:1: ", hint: "config:cache"},
		{name: "no such file", sources: Sources{File: "none.yaml"}, sentence: "none.yaml cannot be read"},
		{name: "no such folder", sources: Sources{Laravel: "none"}, sentence: "none is no folder"},
		{name: "YAML syntax", yaml: "apps:\n  apps: [", sentence: "reverb.yaml:2: "},
		{name: "YAML list", yaml: "- 1", sentence: "reverb.yaml:1: this is not one block"},
		{name: "YAML twice", yaml: "a: 1\na: 2", sentence: "reverb.yaml:2: "},
		{name: "YAML alias", yaml: "apps: *none", sentence: "reverb.yaml:1: "},
		{name: "YAML tag", yaml: "apps: !x {}", sentence: "reverb.yaml:1: "},
		{name: "dotted key", yaml: "servers.reverb.port: 1", sentence: "has a dot"},
		{name: "misspelt key", yaml: "servers:\n  reverb:\n    prot: 1", sentence: `reverb.yaml:3: unknown key "servers.reverb.prot"`, hint: "did you mean servers.reverb.port?"},
		{name: "misplaced key", yaml: "metrics_addr: x", hint: "did you mean servers.reverb.metrics_addr?"},
		{name: "misspelt block", yaml: "server: {reverb: {}}", sentence: `unknown key "server"`},
		{name: "misspelt key of an app", yaml: "apps:\n  apps:\n  - app_id: 1\n    max_conections: 1", sentence: `"apps.apps.0.max_conections"`, hint: "did you mean apps.apps.*.max_connections?"},
		{name: "value for a block", yaml: "servers: 1", sentence: "servers is no block"},
		{name: "block for a value", yaml: "servers: {reverb: {port: {a: 1}}}", sentence: "no port number"},
		{name: "no list", yaml: "apps: {apps: [{app_id: 1, key: k, secret: s, allowed_origins: example.com}]}", sentence: "no list", hint: "[\"example.com\""},
		{name: "no app", yaml: "apps: {apps: [1]}", sentence: "apps.apps.0 is no block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"reverb.yaml": tt.yaml, ".env": tt.env}
			if tt.cache != "" {
				files["bootstrap/cache/config.php"] = tt.cache
			}
			place(t, files)
			if tt.sources.File == "" {
				tt.sources.File = "reverb.yaml"
			}
			_, err := Load(tt.sources)
			var p *Problem
			if !errors.As(err, &p) {
				t.Fatalf("got error %v, want a problem", err)
			}
			if !strings.Contains(p.Sentence, tt.sentence) || !strings.Contains(p.Hint, tt.hint) || p.Hint == "" {
				t.Errorf("got %q (%s), want %q (%s)", p.Sentence, p.Hint, tt.sentence, tt.hint)
			}
		})
	}
}

func TestYAMLFaultsTellNoSecrets(t *testing.T) {
	_, err := parseYAML([]byte("apps:\n  apps:\n  - secret: hidden\n   key: [\n"))
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v, want an error that quotes nothing", err)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"port", "prot", 2}, {"port", "ports", 1}, {"kitten", "sitting", 3}, {"", "abc", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// A null of a listed app is as good as nothing: R:CFG-04.
func TestNullOfListedApp(t *testing.T) {
	place(t, map[string]string{"reverb.yaml": `
apps:
  apps:
    - app_id: 1
      key: k
      secret: s
      accept_client_events_from: ~
      rate_limiting: {enabled: true, decay_seconds: ~}
`})
	a := mustLoad(t, Sources{File: "reverb.yaml"}).Apps[0]
	if a.ClientEvents != auth.ClientEventsAll || a.RateLimit.Decay != time.Second {
		t.Errorf("got client events from %d and a decay of %v, want all and 1s", a.ClientEvents, a.RateLimit.Decay)
	}
}
