package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A parent is the process that whoever started the server watches. It may stay after a restart, and only wait for
// the process that serves then: Supervisor and Docker take its end for the end of the service.
type parent struct {
	stays bool     // this process is to stay
	pipe  *os.File // on which the parent is told which process serves; nil while there is none
	read  *os.File // the parent's end
}

// findParent returns the parent that has stayed above this process, if one has.
func findParent() parent {
	fd, err := strconv.Atoi(os.Getenv(parentEnv))
	if err != nil {
		return parent{}
	}
	os.Unsetenv(parentEnv)
	unix.CloseOnExec(fd)
	return parent{pipe: os.NewFile(uintptr(fd), "parent")}
}

// decide says whether this process is to stay, by the setting and by what is around.
func (p parent) decide(setting string) parent {
	switch {
	case p.pipe != nil || setting == "exit": // one that stays is enough
		return p
	case setting == "stay":
		return parent{stays: true}
	}
	// systemd follows to another main process, if it listens. Of whoever else started this it is not known.
	isFollowed := os.Getenv("NOTIFY_SOCKET") != "" && os.Getpid() != 1 && os.Getenv("SUPERVISOR_ENABLED") == ""
	return parent{stays: !isFollowed}
}

// open makes the pipe of a parent that is to stay.
func (p parent) open() (parent, error) {
	if !p.stays || p.pipe != nil {
		return p, nil
	}
	// Processes whose parent has ended become children of this one. It may be here still when the next two have
	// changed places, and would never hear of the second.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	var err error
	p.read, p.pipe, err = os.Pipe()
	return p, err
}

// standBy waits for the end of the process that serves, and of those that take its place later. Signals
// go to it.
func (n *node) standBy(signals <-chan os.Signal) error {
	w := newWard(n.heir.pid(), n.parent.read)
	_ = n.parent.pipe.Close()
	n.forget()
	ended := make(chan error, 1)
	go func() { ended <- w.wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			w.signal(s)
		}
	}
}

// forget lets go of what a server needs and a parent does not.
func (n *node) forget() {
	n.server, n.broker, n.hooks, n.numbers, n.control = nil, nil, nil, nil, nil
	debug.FreeOSMemory()
}

// A ward is the process that serves while this one stays.
type ward struct {
	lines *bufio.Reader

	mu  sync.Mutex // guards pid
	pid int
}

func newWard(pid int, pipe *os.File) *ward {
	return &ward{pid: pid, lines: bufio.NewReader(unwaiting{pipe})}
}

// unwaiting reads what there is. A deadline would not do: one that has passed by the time of the read, as on a busy machine, is an
// error whatever there is to read.
type unwaiting struct{ pipe *os.File }

func (u unwaiting) Read(b []byte) (n int, err error) {
	raw, err := u.pipe.SyscallConn()
	if err != nil {
		return 0, err
	}
	var errRead error
	err = raw.Read(func(fd uintptr) bool {
		n, errRead = unix.Read(int(fd), b)
		return true
	})
	if err = errors.Join(err, errRead); err != nil || n <= 0 {
		return 0, cmp.Or(err, io.EOF)
	}
	return n, nil
}

// wait returns when the process that serves has ended.
func (w *ward) wait() error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("wait for the process that serves: %w", err)
		case pid == w.current() && !status.Stopped():
			return statusError(status)
		}
	}
}

func statusError(status unix.WaitStatus) error {
	switch {
	case status.Signaled():
		return exitCode(128 + int(status.Signal()))
	case status.ExitStatus() != 0:
		return exitCode(status.ExitStatus())
	}
	return nil
}

// current returns which process serves: the last one that the pipe has named. A process names its heir before it
// ends.
func (w *ward) current() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		line, err := w.lines.ReadString('\n')
		if err != nil {
			return w.pid
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			w.pid = pid
		}
	}
}

func (w *ward) signal(s os.Signal) {
	if number, ok := s.(syscall.Signal); ok {
		_ = unix.Kill(w.current(), number)
	}
}

// forward passes a signal on to the process that has taken over.
func forward(h *heir, s os.Signal) { _ = h.cmd.Process.Signal(s) }
