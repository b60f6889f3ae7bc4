package setup

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// newSite is a server behind a proxy, with change done to it.
func newSite(change ...func(*Site)) Site {
	a := config.App{App: auth.DefaultApp(), Host: "ws.example.org", Port: "443", Scheme: "https"}
	a.ID, a.Key, a.Secret = "1", "a-key", "a-secret"
	s := Site{
		Config:  &config.Config{Host: "0.0.0.0", Port: 8080, MaxRequestSize: 10_000, Drain: 10 * time.Second, Apps: []config.App{a}},
		Program: "/usr/bin/reverb-go",
		Dir:     "/var/www/app",
		User:    "www-data",
	}
	s.Settings = []config.Setting{
		{Name: "servers.reverb.host", Value: "0.0.0.0", Source: ".env:1", Variable: "REVERB_SERVER_HOST"},
		{Name: "servers.reverb.hostname", Value: "ws.example.org", Source: ".env:2", Variable: "REVERB_HOST"},
		{Name: "servers.reverb.drain", Value: "10s", Source: "default", Variable: "REVERB_GO_DRAIN"},
		{Name: "servers.reverb.trusted_proxies", Value: []string{"10.0.0.0/8", "127.0.0.1"}, Source: ".env:3", Variable: "REVERB_GO_TRUSTED_PROXIES"},
		{Name: "servers.reverb.scaling.enabled", Value: true, Source: ".env:4", Variable: "REVERB_SCALING_ENABLED"},
		{Name: "apps.apps.0.secret", Value: "••••", Source: ".env:5", Variable: "REVERB_APP_SECRET", IsSecret: true},
		{Name: "apps.apps.0.allowed_origins", Value: []string{"example.org"}, Source: "reverb.yaml:3"},
		{Name: "apps.apps.0.options.host", Value: "ws.example.org", Source: ".env:2", Variable: "REVERB_HOST"},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func write(t *testing.T, kind string, s Site) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, kind, s); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "a-secret") || strings.Contains(b.String(), "••••") {
		t.Errorf("the secret is shown:\n%s", &b)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	for _, tt := range []struct {
		name, kind string
		change     func(*Site)
		want, not  []string
	}{
		{"behind TLS", "nginx", func(*Site) {}, []string{
			"listen 443 ssl;", "server_name ws.example.org;", "ssl_certificate /etc/letsencrypt/live/ws.example.org/fullchain.pem;",
			"server 127.0.0.1:8080;", "location ~ ^/apps?/", "proxy_pass http://reverb_go;", "proxy_read_timeout 120s;",
		}, []string{"REVERB_PORT="}},
		{"without TLS", "nginx", func(s *Site) { s.Apps[0].Scheme, s.Apps[0].Port = "http", "80" }, []string{"listen 80;"}, []string{"ssl"}},
		{"port taken", "nginx", func(s *Site) { s.Apps[0].Port = "8080" }, []string{"listen 443 ssl;", "REVERB_PORT=443"}, nil},
		{"path and certificates", "nginx", func(s *Site) { s.Path, s.CertificateFile, s.KeyFile, s.Secure = "ws/", "/c", "/k", true }, []string{
			"location ~ ^/ws/apps?/", "ssl_certificate /c;", "ssl_certificate_key /k;", "proxy_pass https://reverb_go;",
		}, nil},
		{"slow pings", "nginx", func(s *Site) { s.Apps[0].PingInterval = 5 * time.Minute }, []string{"proxy_read_timeout 360s;"}, nil},
		{"IPv6", "nginx", func(s *Site) { s.Host = "::" }, []string{"server [::1]:8080;"}, nil},
		{"no app", "nginx", func(s *Site) { s.Apps = nil }, []string{"server_name ws.example.com;"}, nil},

		{"usual", "systemd", func(*Site) {}, []string{
			"Type=notify\nNotifyAccess=all\n", "ExecStart=/usr/bin/reverb-go start\n", "ExecReload=/usr/bin/reverb-go restart\n", "WorkingDirectory=/var/www/app\n", "TimeoutStopSec=20\n", "ProtectHome=yes\n", "CapabilityBoundingSet=\n",
		}, []string{"redis", "ReadWritePaths", "Ambient"}},
		{"strange words", "systemd", func(s *Site) { s.Arguments = []string{"--config=/my files/100%$.yaml"} },
			[]string{`ExecStart=/usr/bin/reverb-go start "--config=/my files/100%%$$.yaml"`}, nil},
		{"low port in a home", "systemd", func(s *Site) { s.Port, s.Dir, s.DeadLetters = 443, "/home/ann/app", "storage/dead.jsonl" }, []string{
			"AmbientCapabilities=CAP_NET_BIND_SERVICE", "ProtectHome=read-only", "ReadWritePaths=/home/ann/app/storage\n",
		}, nil},
		{"with Redis", "systemd", func(s *Site) { s.Scaling = config.Scaling{Enabled: true, Host: "127.0.0.1"} }, []string{" redis-server.service\n"}, nil},

		{"strange words", "supervisor", func(s *Site) { s.Arguments = []string{"--path=a;b%"} }, []string{`command=/usr/bin/reverb-go start "--path=a;b%%"`}, nil},
		{"variables", "kubernetes", func(s *Site) { s.Scaling.Enabled = true }, []string{
			`REVERB_GO_TRUSTED_PROXIES: "10.0.0.0/8,127.0.0.1"`, `REVERB_SCALING_ENABLED: "true"`, "--from-literal=REVERB_APP_SECRET=…", "replicas: 2",
		}, []string{"REVERB_GO_DRAIN"}},
		{"alone", "kubernetes", func(*Site) {}, []string{"replicas: 1", "Recreate"}, nil},
		{"a name that is none", "kubernetes", func(s *Site) { s.Apps[0].Host = "127.0.0.1" }, []string{`host: "ws.example.com"`}, nil},
		{"Redis inside", "docker", func(s *Site) { s.Scaling = config.Scaling{Enabled: true, Host: "127.0.0.1"} }, []string{"where it is from inside"}, nil},
		{"several apps", "docker", func(s *Site) { s.Apps, s.File, s.Secure = append(s.Apps, s.Apps[0]), "/etc/r.yaml", true },
			[]string{`"--url=https://127.0.0.1:8080", "--insecure", "--config=/etc/reverb-go/reverb.yaml", "--app=1"]`}, []string{"env_file"}},
	} {
		t.Run(tt.kind+" "+tt.name, func(t *testing.T) {
			got := write(t, tt.kind, newSite(tt.change))
			for _, text := range tt.want {
				if !strings.Contains(got, text) {
					t.Errorf("no %q in:\n%s", text, got)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(got, text) {
					t.Errorf("%q in:\n%s", text, got)
				}
			}
		})
	}
}

// What is YAML has to be read as such, whatever the configuration.
func TestYAML(t *testing.T) {
	for _, kind := range []string{"docker", "kubernetes"} {
		for _, change := range []func(*Site){
			func(*Site) {},
			func(s *Site) { s.File, s.Secure, s.Port = "/etc/r.yaml", true, 443 },
			func(s *Site) { s.Path, s.Apps[0].Scheme, s.Scaling.Enabled = "ws", "http", true },
			func(s *Site) { s.Apps = nil },
		} {
			text := write(t, kind, newSite(change))
			dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
			documents := 0
			for ; ; documents++ {
				var v any
				err := dec.Decode(&v)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
			}
			if kind == "docker" && documents != 1 || kind == "kubernetes" && documents < 3 {
				t.Errorf("%s has %d documents", kind, documents)
			}
		}
	}
}

// TestSupervisor reads the file by the rules of Python's ConfigParser, as Supervisor does: sections, names with values,
// a percent sign only doubled, and comments, which begin at a semicolon after a space.
func TestSupervisor(t *testing.T) {
	for _, arguments := range [][]string{nil, {"--path=a;b%"}, {"--config=/my files/100%.yaml"}} {
		text := write(t, "supervisor", newSite(func(s *Site) { s.Arguments = arguments }))
		section, values := "", make(map[string]string)
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			name, value, hasValue := strings.Cut(line, "=")
			switch {
			case line == "" || strings.HasPrefix(line, ";"):
			case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
				section = line
			case section == "" || !hasValue || name == "":
				t.Errorf("%q is no line of such a file", line)
			case strings.Contains(value, " ;") || strings.Contains(strings.ReplaceAll(value, "%%", ""), "%"):
				t.Errorf("%q is read as something else", line)
			case values[name] != "":
				t.Errorf("%s is there twice", name)
			default:
				values[name] = value
			}
		}
		if section != "[program:reverb-go]" || !strings.HasPrefix(values["command"], "/usr/bin/reverb-go start") || values["stopwaitsecs"] != "20" {
			t.Errorf("got %s %v", section, values)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	for kind, s := range map[string]Site{
		"apache": newSite(),
		"docker": newSite(func(s *Site) { s.Apps = append(s.Apps, s.Apps[0]) }),
	} {
		var b strings.Builder
		var p *config.Problem
		if err := Write(&b, kind, s); !errors.As(err, &p) || p.Hint == "" || b.Len() > 0 {
			t.Errorf("%s: got %v and %q", kind, err, &b)
		}
	}
}
