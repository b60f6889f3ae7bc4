//go:build linux

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reverb-go/reverb-go/internal/services"
)

// startClusterOf starts servers that share a Redis and take a silent one for dead after three seconds.
func startClusterOf(t *testing.T, n int) []*loadServer {
	t.Helper()
	return startLoadServers(t, linkSelf(t), n, startRedis(t)...)
}

// startRedis starts a Redis, and returns what a server has to be told of it.
func startRedis(t *testing.T) (env []string) {
	_, env = startRedisProcess(t)
	return env
}

func startRedisProcess(t *testing.T) (process *os.Process, env []string) {
	t.Helper()
	program := lookFor(t, "redis-server")
	port := services.FreePort()
	redis := exec.Command(program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		redis.Process.Kill()
		redis.Wait()
	})
	return redis.Process, []string{"REVERB_SCALING_ENABLED=true", fmt.Sprintf("REDIS_PORT=%d", port), "REVERB_GO_LEASE=3s"}
}

// linkSelf returns a program that is this one: under that name it is the server, see TestMain.
func linkSelf(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "reverb-go")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestNodeKilled ends a node without warning: its members leave, once, everywhere.
func TestNodeKilled(t *testing.T) {
	servers := startClusterOf(t, 3)
	watcher := servers[0].join(t, "presence-room", "watcher")
	other := servers[1].join(t, "presence-room", "other")
	watcher.expect(t, `member_added`, `\"other\"`)
	servers[2].join(t, "presence-room", "victim")
	watcher.expect(t, `member_added`, `\"victim\"`)
	other.expect(t, `member_added`, `\"victim\"`)

	began := time.Now()
	servers[2].kill()
	watcher.expect(t, `member_removed`, `\"victim\"`)
	t.Logf("member_removed %.1f s after kill -9, with a lease of 3 s", time.Since(began).Seconds())
	other.expect(t, `member_removed`, `\"victim\"`)
	// Once: the next thing to be heard is something else.
	servers[0].join(t, "presence-room", "next")
	watcher.expect(t, `member_added`, `\"next\"`)
	other.expect(t, `member_added`, `\"next\"`)
}

// TestNodeFrozen stops a process until the others have taken it for dead, and lets it go on. Its client stays
// connected, and is a member again.
func TestNodeFrozen(t *testing.T) {
	servers := startClusterOf(t, 2)
	watcher := servers[0].join(t, "presence-room", "watcher")
	frozen := servers[1].join(t, "presence-room", "frozen")
	watcher.expect(t, `member_added`, `\"frozen\"`)

	began := time.Now()
	servers[1].signal(t, syscall.SIGSTOP)
	watcher.expect(t, `member_removed`, `\"frozen\"`)
	t.Logf("member_removed %.1f s after SIGSTOP", time.Since(began).Seconds())
	began = time.Now()
	servers[1].signal(t, syscall.SIGCONT)
	watcher.expect(t, `member_added`, `\"frozen\"`)
	t.Logf("member_added %.1f s after SIGCONT", time.Since(began).Seconds())
	servers[0].publish(t, `{"name":"n","channel":"presence-room","data":"still there"}`)
	for got := ""; !strings.Contains(got, "still there"); {
		if got = frozen.hear(); !strings.HasPrefix(got, "{") {
			t.Fatalf("the client of the frozen node heard %s", got)
		}
	}
}

// expect hears one message, which must have both words.
func (c *loadClient) expect(t *testing.T, event, word string) {
	t.Helper()
	if got := c.hear(); !strings.Contains(got, event) || !strings.Contains(got, word) {
		t.Fatalf("got %s, want %s of %s", got, event, word)
	}
}

// kill ends the process without giving it a chance.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

func (s *server) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
