package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// A controlServer takes orders from commands like "reverb-go reload", over a unix socket in a folder that only
// the server's user may enter.
type controlServer struct {
	path string
	ln   net.Listener
	http *http.Server
	done chan struct{} // closed when http has ended
}

// An order is what a control server can be told. Its result is encoded as JSON.
type order func(context.Context) (any, error)

// startControl listens on the socket that the configuration names; "off" is none, and then the result is nil.
func (n *node) startControl(orders map[string]order) (*controlServer, error) {
	path, err := controlPath(n.cfg)
	if err != nil || path == "" {
		return nil, err
	}
	ln, err := n.listen("orders", path, func() (net.Listener, error) { return listenUnix(path, 0o600) })
	if err != nil {
		problem := &failure{config.Problem{
			Sentence: fmt.Sprintf("the control socket %s cannot be opened: %v", path, err),
			Hint:     "REVERB_GO_CONTROL names another one, or is off",
		}}
		if n.cfg.Control != "auto" && n.in == nil {
			return nil, problem
		}
		n.out.log.Warn(problem.Sentence, "hint", problem.Hint)
		return nil, nil
	}
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	n.hand("orders", path, ln)
	return serveControl(path, ln, orders, n.out.log), nil
}

func serveControl(path string, ln net.Listener, orders map[string]order, log *slog.Logger) *controlServer {
	c := &controlServer{path: path, ln: ln, done: make(chan struct{})}
	mux := http.NewServeMux()
	for name, do := range orders {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { answerOrder(w, r, do) })
	}
	c.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		defer close(c.done)
		if err := c.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			log.Error("the control socket takes no more orders", "err", err)
		}
	}()
	return c
}

// leave takes no more orders: another process listens on the same socket. Those that have come already are carried out.
func (c *controlServer) leave() {
	if c != nil {
		_ = c.ln.Close()
	}
}

// passOn gives an order to the process that has taken the place of this one, for whoever was not fast enough to reach
// that, or too fast. n.reloadMu must be held.
func (n *node) passOn(ctx context.Context, name string) (any, error) {
	if n.control == nil {
		return nil, n.hasMoved()
	}
	var result json.RawMessage
	err := giveTo(ctx, n.control.path, name, &result)
	return result, err
}

// controlAnswer is the body of an answer.
type controlAnswer struct {
	Result   json.RawMessage `json:"result,omitempty"`
	Sentence string          `json:"error,omitempty"`
	Hint     string          `json:"hint,omitempty"`
}

func answerOrder(w http.ResponseWriter, r *http.Request, do order) {
	result, err := do(r.Context())
	var a controlAnswer
	if err == nil {
		a.Result, err = json.Marshal(result)
	}
	if err != nil {
		p := problemOf(err)
		a = controlAnswer{Sentence: p.Sentence, Hint: p.Hint}
		w.WriteHeader(http.StatusConflict)
	}
	_ = json.NewEncoder(w).Encode(a) // the command has gone, if it fails
}

// goodbyeTime is how long the answer to an order may take that ends the server.
const goodbyeTime = time.Second

// close ends it. If the socket goes on in another process, its file stays.
func (c *controlServer) close(goesOn bool) {
	if !goesOn {
		os.Remove(c.path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	if c.http.Shutdown(ctx) != nil {
		c.http.Close()
	}
	<-c.done
}

// controlPath returns the socket's file, or "" for none.
func controlPath(cfg *config.Config) (string, error) {
	switch cfg.Control {
	case "off":
		return "", nil
	case "auto":
		if os.Getuid() < 0 { // no unix
			return "", nil
		}
		dir := controlFolders()[0]
		if ensurePrivate(dir) != nil {
			return "", nil
		}
		return filepath.Join(dir, controlFile(cfg.Port)), nil
	}
	return cfg.Control, nil
}

func controlFile(port int) string { return strconv.Itoa(port) + ".sock" }

// controlFolders are where sockets may be, the one for this process first.
func controlFolders() []string {
	var dirs []string
	if dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":"); dir != "" { // systemd's
		dirs = append(dirs, dir)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "reverb-go"))
	}
	return append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("reverb-go-%d", os.Getuid())), "/run/reverb-go")
}

// ensurePrivate makes a folder that nobody else can enter, or finds it to be one. Others could otherwise put
// their socket there.
func ensurePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir() || !isOwn(info):
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return nil
}

// give sends an order to the server that runs with this configuration, and decodes its result.
func give(ctx context.Context, cfg *config.Config, name string, result any) error {
	path, err := findControl(cfg)
	if err != nil {
		return err
	}
	return giveTo(ctx, path, name, result)
}

// giveTo sends an order to whoever listens on a control socket.
func giveTo(ctx context.Context, path, name string, result any) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control/"+name, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return &failure{config.Problem{Sentence: fmt.Sprintf("the server does not answer on %s: %v", path, errors.Unwrap(err)), Hint: "has it ended?"}}
	}
	defer resp.Body.Close()
	var a controlAnswer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return &failure{config.Problem{Sentence: fmt.Sprintf("the server does not know the order %q", name), Hint: "is it of another version?"}}
	}
	if a.Sentence != "" {
		return &failure{config.Problem{Sentence: a.Sentence, Hint: a.Hint}}
	}
	return json.Unmarshal(a.Result, result)
}

// findControl looks for the socket of a server that runs.
func findControl(cfg *config.Config) (string, error) {
	if cfg.Control != "auto" && cfg.Control != "off" {
		return cfg.Control, nil
	}
	for _, dir := range controlFolders() {
		path := filepath.Join(dir, controlFile(cfg.Port))
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return path, nil
		}
	}
	return "", &failure{config.Problem{
		Sentence: fmt.Sprintf("no server of this user listens on port %d", cfg.Port),
		Hint:     "give the options the server was started with; if REVERB_GO_CONTROL is set there, set it here",
	}}
}
