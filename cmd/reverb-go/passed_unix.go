//go:build unix

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstPassed is the first descriptor that systemd passes.
const firstPassed = 3

// passedSockets returns the sockets that systemd has opened for this process, as sd_listen_fds(3) says. It may be called
// once: who is started later is told nothing of them.
func passedSockets() (all []passedSocket) {
	pid, count, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"} {
		os.Unsetenv(name)
	}
	n, err := strconv.Atoi(count)
	if err != nil || pid != strconv.Itoa(os.Getpid()) {
		return nil
	}
	for i := range n {
		s := passedSocket{}
		if i < len(names) {
			s.name = names[i]
		}
		syscall.CloseOnExec(firstPassed + i)
		s.file = os.NewFile(uintptr(firstPassed+i), s.name)
		all = append(all, s)
	}
	return all
}
