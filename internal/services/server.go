package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Main runs the tests of a package and then ends the servers they started.
func Main(m *testing.M) {
	code := m.Run()
	running.Lock()
	for _, s := range running.servers {
		s.Stop()
	}
	running.Unlock()
	os.Exit(code)
}

var running struct {
	sync.Mutex // guards servers
	servers    []*Server
}

// A Server is a process that was started for tests.
type Server struct {
	Addr string // host:port

	dir  string // its own, removed at the end
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Stop kills the process and waits until it is gone.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // fails if it is gone already
	<-s.done
	os.RemoveAll(s.dir)
}

// program says how to start a server.
type program struct {
	dir, addr, user string   // dir has its output, and is removed at the end
	workDir         string   // where it runs; dir if empty
	env             []string // nil is that of the tests
	isReady         func(context.Context) error
	path            string
	args            []string
}

// start runs the program and waits until it answers.
func (p program) start() (*Server, error) {
	output, err := os.Create(filepath.Join(p.dir, "output"))
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = cmp.Or(p.workDir, p.dir), p.env, output, output
	if err := as(cmd, p.user); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{Addr: p.addr, dir: p.dir, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = cmd.Wait() // how it ends does not matter
	}()
	running.Lock()
	running.servers = append(running.servers, s)
	running.Unlock()
	if err := s.await(p.isReady); err != nil {
		text, _ := os.ReadFile(output.Name())
		return nil, fmt.Errorf("start %s: %w\n%s", p.path, err, text)
	}
	return s, nil
}

func (s *Server) await(isReady func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := isReady(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// Output is what the process has written so far.
func (s *Server) Output() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "output"))
	return string(text)
}

// missing ends a test that cannot be run here.
func missing(t testing.TB, debian string) {
	t.Helper()
	message := fmt.Sprintf("%s is not installed; hint: apt-get install %[1]s", debian)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// tempDir makes a folder that belongs to the user a server runs as. It is not a test's own, since the
// server serves other tests after that one.
func tempDir(user string) (string, error) {
	dir, err := os.MkdirTemp("", "services-")
	if err != nil {
		return "", err
	}
	return dir, give(dir, user)
}

// prepare runs a program to its end.
func prepare(dir, user, path string, args ...string) error {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if err := as(cmd, user); err != nil {
		return err
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, output)
	}
	return nil
}
