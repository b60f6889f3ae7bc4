package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
)

const asMain = "MESSAGING_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){"messaging": main})
}

// TestScripts plays the command lines in testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}

// process is the app in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	token string
}

var atURL = regexp.MustCompile(`is at (https?://\S+)`)

// startProcess runs a command line in a folder and waits until it says where it serves.
func startProcess(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...)}
	p.cmd.Dir = dir
	p.cmd.Env = append(append(os.Environ(), asMain+"=1"), env...)
	p.cmd.Stderr = t.Output()
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := atURL.FindStringSubmatch(lines.Text()); found != nil {
			p.url = found[1]
			go io.Copy(io.Discard, out)
			return p
		}
	}
	t.Fatal("the app ended before it served")
	return nil
}

// kill ends it as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// ask sends a request and reads the answer into a value. An error is that nobody answered.
func (p *process) ask(method, path, body string, into any) (status int, err error) {
	request, err := nethttp.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	client := nethttp.Client{Timeout: 30 * time.Second, Transport: &nethttp.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && into != nil && len(text) > 0 {
		err = json.Unmarshal(text, into)
	}
	return response.StatusCode, err
}

// mustAsk wants a success.
func (p *process) mustAsk(method, path, body string, into any) {
	p.t.Helper()
	status, err := p.ask(method, path, body, into)
	if err != nil || status >= 300 {
		p.t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

// signIn gets a token, as a program does.
func (p *process) signIn(name string) {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	_, answer := logIn(p.t, &nethttp.Client{Jar: jar}, p.url, api.Login{Username: name, Password: demo.Password, DeviceName: new("test")})
	var session api.Session
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil || session.Token == "" {
		p.t.Fatalf("sign in: %s %v", answer.Status, err)
	}
	p.token = session.Token
}

// logIn asks to sign in, with the cookie and the CSRF token that a guest is given with the settings of the page.
func logIn(t *testing.T, client *nethttp.Client, url string, login api.Login) (api.Config, *nethttp.Response) {
	t.Helper()
	settings, err := client.Get(url + "/api/messages/config")
	if err != nil {
		t.Fatal(err)
	}
	defer settings.Body.Close()
	var config api.Config
	if err := json.NewDecoder(settings.Body).Decode(&config); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(login)
	if err != nil {
		t.Fatal(err)
	}
	request, err := nethttp.NewRequest("POST", url+"/login", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-CSRF-TOKEN", config.CSRFToken)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return config, answer
}
