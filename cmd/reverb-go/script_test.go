package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/internal/services"
)

// pretend has this program be another one for a test, and does not return then.
var pretend = func() bool { return false }

func TestMain(m *testing.M) {
	pretend()
	testscript.Main(m, map[string]func(){"reverb-go": main})
}

// TestScript runs the program as a user would. The scripts have these commands besides the usual ones:
//
//	port NAME…             puts the number of a free port into each variable
//	hold PORT              listens on the port until the script ends
//	up ADDRESS             waits until something listens there, or on unix:FILE
//	exits CODE PROGRAM…    runs the program, which must end with the code
//	until REGEXP PROGRAM…  runs the program again and again, until it prints what matches
//	signal NAME [WORD]     sends a signal to the programs in the background, or to those with this word in their command line
//	get [-cert FILE] [-unix FILE] URL   prints status and body of the response
//	publish URL APP EVENT CHANNEL   publishes through the HTTP API; APP is id:key:secret
//	certificates           makes the files that its comment lists
//	connect, say, hear     are a WebSocket client, see script_client_test.go
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[clientsKey{}] = make(clients)
			// A program that was built with -race sleeps for a second before it ends, unless told not to.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "ipv6":
				return hasIPv6(), nil
			case "redis":
				return hasProgram("redis-server")
			case "nginx", "systemd-analyze", "systemd-socket-activate":
				return hasProgram(name)
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"port":         cmdPort,
			"hold":         cmdHold,
			"up":           cmdUp,
			"exits":        cmdExits,
			"until":        cmdUntil,
			"signal":       cmdSignal,
			"get":          cmdGet,
			"publish":      cmdPublish,
			"certificates": cmdCertificates,
			"connect":      cmdConnect,
			"say":          cmdSay,
			"hear":         cmdHear,
		},
	})
}

// patience is how long scripts wait for what must come.
const patience = 20 * time.Second

// hasProgram reports whether a program is installed, which in CI all have to be.
func hasProgram(name string) (bool, error) {
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		return false, err
	}
	return err == nil, nil
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

func usage(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 0, "port NAME…")
	for _, name := range args {
		ts.Setenv(name, strconv.Itoa(services.FreePort()))
	}
}

func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "hold PORT")
	ln, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
}

func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "up ADDRESS")
	network, address := "tcp", args[0]
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		network, address = "unix", ts.MkAbs(path)
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("nothing listens: %v", err)
		}
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 1, "exits CODE PROGRAM…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("ended with code %d, want %d", got, want)
	}
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 1, "until REGEXP PROGRAM…")
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; {
		err = ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("printed to the end: %s%s (%v)", out, ts.ReadFile("stderr"), err)
		}
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, (len(args) == 1 || len(args) == 2) && signals[args[0]] != nil, "signal NAME [WORD]")
	sent := false
	for _, cmd := range ts.BackgroundCmds() {
		isMeant := func(word string) bool { return filepath.Base(word) == args[1] }
		if len(args) == 2 && !slices.ContainsFunc(cmd.Args, isMeant) {
			continue
		}
		ts.Check(cmd.Process.Signal(signals[args[0]]))
		sent = true
	}
	if !sent {
		ts.Fatalf("there is no such program")
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	var config tls.Config
	args = clientCertificate(ts, &config, args)
	transport := &http.Transport{TLSClientConfig: &config}
	if len(args) == 3 && args[0] == "-unix" {
		path := ts.MkAbs(args[1])
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		args = args[2:]
	}
	usage(ts, false, len(args) == 1, "get [-cert FILE] [-unix FILE] URL")
	client := http.Client{Transport: transport, Timeout: patience}
	resp, err := client.Get(args[0])
	if neg {
		if err == nil {
			ts.Fatalf("got %s, want no response", resp.Status)
		}
		fmt.Fprintln(ts.Stderr(), err)
		return
	}
	ts.Check(err)
	printResponse(ts, resp)
}

func cmdPublish(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 4, "publish URL APP EVENT CHANNEL")
	a := auth.DefaultApp()
	a.ID, a.Key, _ = strings.Cut(args[1], ":")
	a.Key, a.Secret, _ = strings.Cut(a.Key, ":")
	app, err := auth.NewApp(a)
	ts.Check(err)
	body := fmt.Sprintf(`{"name":%q,"channel":%q,"data":"{}"}`, args[2], args[3])
	path := "/apps/" + a.ID + "/events"
	query := app.SignRequest(http.MethodPost, path, nil, []byte(body), time.Now())
	resp, err := http.Post(args[0]+path+"?"+query, "application/json", strings.NewReader(body))
	ts.Check(err)
	printResponse(ts, resp)
}

func printResponse(ts *testscript.TestScript, resp *http.Response) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, body)
}
