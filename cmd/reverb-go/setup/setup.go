package setup

import (
	"embed"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// Kinds are the programs that there is a file for.
var Kinds = []string{"nginx", "systemd", "supervisor", "docker", "kubernetes"}

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"unit":       quoteUnit,
	"supervisor": quoteSupervisor,
	"json":       quoteJSON,
	"seconds":    func(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) },
}).ParseFS(files, "templates/*.tmpl"))

// Write writes the file of a kind.
func Write(w io.Writer, kind string, s Site) error {
	if !slices.Contains(Kinds, kind) {
		return &config.Problem{Sentence: fmt.Sprintf("there is no file for %q", kind), Hint: "there is one for " + strings.Join(Kinds, ", ")}
	}
	if isContainer := kind == "docker" || kind == "kubernetes"; isContainer && len(s.Apps) > 1 && s.File == "" {
		return &config.Problem{Sentence: "there are several apps, which variables cannot name", Hint: "list them in a --config file, which the container then gets"}
	}
	return templates.ExecuteTemplate(w, kind+".tmpl", s)
}

// A Site is a server, with what its files are to say of it.
type Site struct {
	*config.Config
	Program   string   // path of the binary
	Arguments []string // of start
	Dir       string   // where the server is started; absolute
	File      string   // of --config; absolute, "" without one
	User      string   // who it runs as
	Secure    bool     // it speaks TLS itself

	CertificateFile, KeyFile string // for what stands before it; "" is where certbot puts them
}

// App is the app that says where browsers find the server.
func (s Site) App() config.App {
	if len(s.Apps) == 0 {
		return config.App{Scheme: "https", Port: "443"}
	}
	return s.Apps[0]
}

const exampleHost = "ws.example.com"

// PublicHost is the name that browsers use.
func (s Site) PublicHost() string {
	for _, host := range []string{s.App().Host, s.Hostname} {
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "" && !ip.IsUnspecified() {
			return host
		}
	}
	return exampleHost
}

// IngressHost is the same for Kubernetes, which takes names alone.
func (s Site) IngressHost() string {
	if host := s.PublicHost(); strings.Contains(host, ".") && net.ParseIP(host) == nil {
		return host
	}
	return exampleHost
}

// PublicScheme is https unless browsers are told otherwise.
func (s Site) PublicScheme() string {
	if s.App().Scheme == "http" {
		return "http"
	}
	return "https"
}

// PublicPort is where browsers are sent, unless that is the server's own port: two cannot listen on it.
func (s Site) PublicPort() string {
	port := s.App().Port
	if port == "" || s.MovesPort() {
		return map[string]string{"http": "80", "https": "443"}[s.PublicScheme()]
	}
	return port
}

// MovesPort reports whether browsers have to be sent to another port than they are now.
func (s Site) MovesPort() bool { return s.App().Port == strconv.Itoa(s.Port) }

// Backend is the address of the server for who is on the same machine.
func (s Site) Backend() string {
	a := s.First()
	if a.Network == "unix" {
		return a.String()
	}
	host, port, _ := net.SplitHostPort(a.Address)
	switch {
	case net.ParseIP(host).IsUnspecified() && strings.Contains(host, ":"):
		host = "::1"
	case net.ParseIP(host).IsUnspecified():
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// BackendScheme is what the server itself speaks.
func (s Site) BackendScheme() string {
	if a := s.First(); s.Secure && a.Network != "unix" && a.TLS != config.Never {
		return "https"
	}
	return "http"
}

// Prefix is what stands before the path of each route.
func (s Site) Prefix() string {
	if path := strings.Trim(s.Path, "/"); path != "" {
		return "/" + path
	}
	return ""
}

// Certificate and Key are the files for what stands before the server.
func (s Site) Certificate() string {
	return or(s.CertificateFile, "/etc/letsencrypt/live/"+s.PublicHost()+"/fullchain.pem")
}

// Key is the private key of Certificate.
func (s Site) Key() string {
	return or(s.KeyFile, "/etc/letsencrypt/live/"+s.PublicHost()+"/privkey.pem")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// pongTime is how long the server waits for an answer to its ping.
const pongTime = 30 * time.Second

// Silence is how long a healthy connection may say nothing, and a little more.
func (s Site) Silence() time.Duration {
	longest := time.Minute
	for _, a := range s.Apps {
		longest = max(longest, a.PingInterval)
	}
	return (longest + 2*pongTime).Round(time.Second)
}

// MaxBody is the longest body, in KiB.
func (s Site) MaxBody() int { return max(s.MaxRequestSize/1024+1, 64) }

// StopTime is how long it may take until the server has ended.
func (s Site) StopTime() time.Duration { return s.Drain + 10*time.Second }

// Command is the command line that starts the server.
func (s Site) Command() []string { return append([]string{s.Program, "start"}, s.Arguments...) }

// RestartCommand is the one that puts another process in its place, which takes its connections over.
func (s Site) RestartCommand() []string {
	return append([]string{s.Program, "restart"}, s.Arguments...)
}

// IsPrivileged reports whether the port is one that not everybody may listen on.
func (s Site) IsPrivileged() bool { return s.Port < 1024 }

// IsInHome reports whether files are needed that are in somebody's home.
func (s Site) IsInHome() bool {
	for _, name := range []string{s.Dir, s.File, s.Program} {
		if strings.HasPrefix(name, "/home/") || strings.HasPrefix(name, "/root/") {
			return true
		}
	}
	return false
}

// DeadLetterDir is a folder that the server writes to; "" without one.
func (s Site) DeadLetterDir() string {
	if s.DeadLetters == "" {
		return ""
	}
	dir := filepath.Dir(s.DeadLetters)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.Dir, dir)
	}
	return dir
}

// UsesLocalRedis reports whether the server needs a Redis on this machine.
func (s Site) UsesLocalRedis() bool {
	return s.Scaling.Enabled && s.Scaling.URL == "" && s.Scaling.Cluster == "" && s.Scaling.Sentinels == "" &&
		(s.Scaling.Host == "localhost" || net.ParseIP(s.Scaling.Host).IsLoopback())
}

// A Variable is one of the environment.
type Variable struct{ Name, Value string }

// Variables are those that say what this configuration does, without secrets.
func (s Site) Variables() []Variable { return s.variables(false) }

// SecretVariables are those whose values are secret, and which are left out here.
func (s Site) SecretVariables() []Variable { return s.variables(true) }

func (s Site) variables(secret bool) []Variable {
	var list []Variable
	seen := make(map[string]bool) // REVERB_HOST sets two
	// A container has one address, and the path into it does not change with the host's.
	skip := []string{"REVERB_SERVER_HOST", "REVERB_SERVER_PORT", "REVERB_GO_CONTROL"}
	for _, set := range s.Settings {
		if set.Variable == "" || set.IsSecret != secret || set.Source == "default" || slices.Contains(skip, set.Variable) || seen[set.Variable] {
			continue
		}
		seen[set.Variable] = true
		v := Variable{Name: set.Variable}
		if !secret {
			v.Value = valueText(set.Value)
		}
		list = append(list, v)
	}
	return list
}

func valueText(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v)
}

// ProbeArguments are those of the command that finds out whether the server answers.
func (s Site) ProbeArguments() []string {
	args := []string{"connections", fmt.Sprintf("--url=%s://127.0.0.1:%d%s", s.BackendScheme(), s.Port, s.Prefix())}
	if s.Secure {
		args = append(args, "--insecure")
	}
	if s.File != "" {
		args = append(args, "--config="+mountedFile)
	}
	if len(s.Apps) > 1 {
		args = append(args, "--app="+s.Apps[0].ID)
	}
	return args
}

// mountedFile is where a container finds the file of --config.
const mountedFile = "/etc/reverb-go/reverb.yaml"

// ContainerArguments are those of the server in a container.
func (s Site) ContainerArguments() []string {
	if s.File == "" {
		return []string{"start"}
	}
	return []string{"start", "--config=" + mountedFile}
}

// IngressPaths are those of WebSockets and of the HTTP API.
func (s Site) IngressPaths() []string { return []string{s.Prefix() + "/app", s.Prefix() + "/apps"} }
