package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	nethttp "net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/internal/services"
)

const docs = "../../docs"

var (
	fence   = regexp.MustCompile("(?ms)^```(nginx|ini)\n(.*?)^```")
	picture = regexp.MustCompile(`!\[[^]]+\]\(([^)]+)\)`)
)

func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "messaging.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocumentedPictures(t *testing.T) {
	for _, found := range picture.FindAllStringSubmatch(documentation(t), -1) {
		if _, err := os.Stat(filepath.Join(docs, found[1])); err != nil {
			t.Errorf("%v; hint: MESSAGING_PICTURES=1 takes all of them", err)
		}
	}
}

// documented returns the files that docs/messaging.md shows of a language, if they contain a text.
func documented(t *testing.T, language, containing string) []string {
	t.Helper()
	var list []string
	for _, found := range fence.FindAllStringSubmatch(documentation(t), -1) {
		if found[1] == language && strings.Contains(found[2], containing) {
			list = append(list, found[2])
		}
	}
	if len(list) == 0 {
		t.Fatalf("docs/messaging.md shows no %s with %q", language, containing)
	}
	return list
}

func TestDocumentedEnv(t *testing.T) {
	text := strings.NewReplacer("base64:…", "base64:MDEyMzQ1Njc4OWFiY2RlZg==", "…", "secret").Replace(documented(t, "ini", "APP_KEY=")[0])
	name := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want any }{
		{s.Database.DSN, "postgres://nova:secret@127.0.0.1:5432/nova?sslmode=prefer"},
		{s.RedisURL, "redis://127.0.0.1:6379/0"},
		{s.Reverb.Server, settings.Address{Host: "127.0.0.1", Port: 8080, Scheme: "http"}},
		{s.Reverb.Browser, settings.Address{Host: "nova.example.org", Port: 443, Scheme: "https"}},
		{s.Realtime && s.Reverb.HasApp() && !s.Sync && s.Broadcast == "reverb", true},
	} {
		if tt.got != tt.want {
			t.Errorf("got %+v, want %+v", tt.got, tt.want)
		}
	}
}

var commandLine = regexp.MustCompile(`(?m)^(?:command|ExecStart)=/usr/local/bin/messaging (.*)$`)

// Supervisor and systemd are told to run what there is, and all queues are worked.
func TestDocumentedCommands(t *testing.T) {
	for _, where := range []string{"[program:", "[Unit]"} {
		var worked []string
		for _, line := range commandLine.FindAllStringSubmatch(strings.Join(documented(t, "ini", where), ""), -1) {
			for _, queue := range domain.Queues {
				args := strings.Fields(strings.ReplaceAll(line[1], "%i", queue))
				cmd, rest, err := newRootCommand().Find(args)
				if err == nil {
					err = cmd.ParseFlags(rest)
				}
				if err != nil {
					t.Errorf("%s: %v", line[0], err)
				} else if cmd.Name() == "work" {
					names, _ := cmd.Flags().GetStringSlice("queue")
					worked = append(worked, names...)
				}
			}
		}
		slices.Sort(worked)
		if want := slices.Sorted(slices.Values(domain.Queues)); !slices.Equal(slices.Compact(worked), want) {
			t.Errorf("in %s: the queues %v are worked, want %v", where, slices.Compact(worked), want)
		}
	}
}

func TestDocumentedUnits(t *testing.T) {
	analyze := services.Find(t, "systemd-analyze")
	dir := t.TempDir()
	for _, unit := range documented(t, "ini", "[Unit]") {
		name := "messaging.service"
		if strings.Contains(unit, "%i") {
			name = "messaging-work@.service"
		}
		unit = strings.NewReplacer("/usr/local/bin/messaging", os.Args[0], "User=nova", "User=root").Replace(unit)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "verify", "./"+name)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte(strings.TrimSuffix(name, ".service"))) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// behindNginx starts the app, with nginx in front as it is documented but for addresses. It returns that of https, and a
// client that believes its certificate and keeps its cookies.
func behindNginx(t *testing.T) (addr, plain string, client *nethttp.Client) {
	t.Helper()
	nginx := services.Find(t, "nginx")
	addr, plain, dir := services.FreeAddr(), services.FreeAddr(), t.TempDir()
	app, websockets := services.FreeAddr(), services.FreeAddr()
	_, port, _ := net.SplitHostPort(app)
	_, websocketPort, _ := net.SplitHostPort(websockets)
	startProcess(t, dir, []string{
		"APP_URL=https://nova.example.org", "REVERB_APP_ID=1", "REVERB_APP_KEY=app-key", "REVERB_APP_SECRET=app-secret",
		"REVERB_SERVER_PORT=" + websocketPort, "VITE_REVERB_HOST=nova.example.org", "VITE_REVERB_PORT=443", "VITE_REVERB_SCHEME=https", "LOG_LEVEL=error",
	}, "start", "--with-reverb", "--port="+port)
	conf := "daemon off; pid nginx.pid; events {} http { access_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += kind + "_temp_path tmp;\n"
	}
	conf += strings.NewReplacer(
		"listen 443", "listen "+addr, "listen 80", "listen "+plain, "http://127.0.0.1:8080", "http://"+websockets,
		"http://127.0.0.1:8000", "http://"+app, "/etc/letsencrypt/live/nova.example.org", dir,
	).Replace(documented(t, "nginx", "location")[0]) + "}\n"
	client = writeCertificate(t, dir)
	write(t, filepath.Join(dir, "nginx.conf"), []byte(conf))
	server, err := services.Program(dir, "", nil, nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 3000 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr, plain, client
		}
		<-tick.C
	}
	t.Fatalf("nginx does not listen:\n%s", server.Output())
	return "", "", nil
}

// writeCertificate writes the certificate that Go's own tests use, and its key.
func writeCertificate(t *testing.T, dir string) *nethttp.Client {
	t.Helper()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	certificate := secure.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "fullchain.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	write(t, filepath.Join(dir, "privkey.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	client := secure.Client()
	client.Jar, err = cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }
	return client
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// With nginx in front people sign in and hear, and nobody gets at what is not for browsers.
func TestBehindNginx(t *testing.T) {
	addr, plain, client := behindNginx(t)
	for url, want := range map[string]int{
		"http://" + plain + "/":                301,
		"https://" + addr + "/up":              200,
		"https://" + addr + "/metrics":         403,
		"https://" + addr + "/apps/1/channels": 404,
		"https://" + addr + "/api/user":        401,
	} {
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("%s: got %d, want %d", url, r.StatusCode, want)
		}
	}
	signInBehind(t, addr, client)

	dialer := ws.Dialer{TLSConfig: client.Transport.(*nethttp.Transport).TLSClientConfig}
	hello, err := wsutil.ReadServerText(dial(t, dialer, "wss://"+addr+"/app/app-key?protocol=7"))
	if err != nil || !bytes.Contains(hello, []byte("pusher:connection_established")) {
		t.Errorf("got %s %v", hello, err)
	}
}

// signInBehind signs in as a browser does, with cookies that are for https only.
func signInBehind(t *testing.T, addr string, client *nethttp.Client) {
	t.Helper()
	config, answer := logIn(t, client, "https://"+addr, api.Login{Username: "alice", Password: demo.Password})
	if config.Host != "nova.example.org" || config.Port != 443 || config.Scheme != "https" {
		t.Errorf("the page is told %+v", config)
	}
	if answer.StatusCode != 200 || len(answer.Cookies()) == 0 {
		t.Fatalf("sign in: %s", answer.Status)
	}
	for _, c := range answer.Cookies() {
		if !c.Secure {
			t.Errorf("the cookie %s is sent without https as well", c.Name)
		}
	}
}
