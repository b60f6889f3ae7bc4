package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

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

var atURL = regexp.MustCompile(`is at (http://\S+)`)

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

// signIn gets a token, as a program does. It needs the cookie and the CSRF token of a guest.
func (p *process) signIn(name string) {
	p.t.Helper()
	config, err := nethttp.Get(p.url + "/api/messages/config")
	if err != nil {
		p.t.Fatal(err)
	}
	defer config.Body.Close()
	var page struct {
		CSRFToken string `json:"csrf_token"`
	}
	if err := json.NewDecoder(config.Body).Decode(&page); err != nil {
		p.t.Fatal(err)
	}
	body := fmt.Sprintf(`{"username":%q,"password":%q,"device_name":"test"}`, name, demo.Password)
	request, err := nethttp.NewRequest("POST", p.url+"/login", bytes.NewReader([]byte(body)))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-CSRF-TOKEN", page.CSRFToken)
	for _, c := range config.Cookies() {
		request.AddCookie(c)
	}
	answer, err := nethttp.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	var session struct{ Token string }
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil || session.Token == "" {
		p.t.Fatalf("sign in: %s %v", answer.Status, err)
	}
	p.token = session.Token
}
