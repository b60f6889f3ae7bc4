//go:build linux

package main_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRestartUnderSystemd lets a service of Type=notify restart: systemd is told of the new main process, and
// the old one ends.
func TestRestartUnderSystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	_ = systemd.SetReadDeadline(time.Now().Add(time.Minute))
	hear := func(want string) []string {
		t.Helper()
		buf := make([]byte, 200)
		n, err := systemd.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(want).FindStringSubmatch(string(buf[:n]))
		if got == nil {
			t.Fatalf("systemd was told %q, want %s", buf[:n], want)
		}
		return got
	}
	srv := startHandoverServers(t, 1, "NOTIFY_SOCKET="+path)[0]
	hear("^READY=1$")
	c := srv.dial(t, "a")
	srv.restart(t)
	hear(`^RELOADING=1\nMONOTONIC_USEC=\d+$`)
	pid, _ := strconv.Atoi(hear(`^MAINPID=(\d+)$`)[1])
	hear("^READY=1$")
	awaitEnd(t, srv.cmd.Process.Pid)
	c.say(`{"event":"pusher:ping"}`)
	if got := c.hear(); got != `{"event":"pusher:pong"}` {
		t.Errorf("heard %s", got)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("^STOPPING=1$")
	awaitEnd(t, pid)
	<-srv.exited // now that nobody has its output any more
	if code := srv.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the old process has ended with %v", srv.cmd.ProcessState)
	}
	srv.cmd = nil
}

// awaitEnd waits until a process that is no child of this one is gone.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); syscall.Kill(pid, 0) == nil; <-tick.C {
		if state, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); strings.Contains(string(state), ") Z ") {
			return // nobody waits for it here
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d has not ended", pid)
		}
	}
}

// TestRestartSignals restarts by SIGUSR2, and by what "php artisan reverb:restart" leaves in the file cache.
// R:CLI-14
func TestRestartSignals(t *testing.T) {
	srv := startHandoverServers(t, 1, "CACHE_STORE=file")[0]
	a := newAudience(t, []*loadServer{srv})
	c := srv.dial(t, "a")
	if err := srv.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	a.waitFor("the first restart", func() bool { return len(srv.pauses()) == 1 })

	file := filepath.Join(srv.dir, "storage/framework/cache/data/4f/e4/4fe44729b03e0a0a2586ebe0d445f50c083d0ff3")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("9999999999i:1795346697;"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.waitFor("the second restart", func() bool { return len(srv.pauses()) == 2 })
	c.say(`{"event":"pusher:ping"}`)
	if got := c.hear(); got != `{"event":"pusher:pong"}` {
		t.Errorf("heard %s", got)
	}
}

// TestDrainOrder ends a server by "reverb-go drain", after a restart has put another process in its place.
func TestDrainOrder(t *testing.T) {
	srv := startHandoverServers(t, 1)[0]
	c := srv.dial(t, "a")
	srv.restart(t)
	if out, err := srv.order(t, srv.binary, "drain"); err != nil || !strings.Contains(out, "Closing 1 connections") {
		t.Errorf("drain: %v %s", err, out)
	}
	if got := c.hear(); !strings.Contains(got, "4200") {
		t.Errorf("heard %s, want a goodbye", got)
	}
	<-srv.exited // the process that was started ends with the one that serves
	if code := srv.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ended with %v", srv.cmd.ProcessState)
	}
	srv.cmd = nil
}
