package usage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is in what the kernel counts processor time for /proc, on every architecture Go knows.
const clockTick = time.Second / 100

// A Process is a server on this machine with its children.
type Process struct {
	pid  int
	pids []int
}

// NewProcess looks at a process and who descends from it now.
func NewProcess(pid int) (*Process, error) {
	if _, err := readStat(pid); err != nil {
		return nil, lookError(pid, err)
	}
	return &Process{pid: pid, pids: descendants(pid)}, nil
}

// lookError says why there is nothing to be seen of a process.
func lookError(pid int, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("process %d: %w", pid, ErrEnded)
	}
	return fmt.Errorf("look at process %d: %w", pid, err)
}

// Sample implements Source.
func (p *Process) Sample(context.Context) (Sample, error) {
	var total Sample
	for _, pid := range p.pids {
		s, err := sample(pid)
		if err != nil && pid == p.pid {
			return total, lookError(pid, err)
		}
		total.CPU += s.CPU
		total.RSS += s.RSS
	}
	return total, nil
}

// OpenFiles returns how many files, connections among them, the process may have open; 0 is unknown.
func (p *Process) OpenFiles() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

func sample(pid int) (Sample, error) {
	st, err := readStat(pid)
	if err != nil {
		return Sample{}, err
	}
	rss, err := residentBytes(pid)
	return Sample{CPU: time.Duration(st.ticks) * clockTick, RSS: rss}, err
}

type stat struct {
	parent int
	ticks  int64 // utime and stime
}

// readStat reads /proc/PID/stat. The name, in parentheses, may have anything in it.
func readStat(pid int) (s stat, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return s, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	s.parent, _ = strconv.Atoi(fields[1])
	for _, i := range []int{11, 12} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return s, err
		}
		s.ticks += n
	}
	return s, nil
}

func residentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, nil // ended, and not yet buried
}

// descendants returns pid and all its children's children.
func descendants(pid int) []int {
	children := make(map[int][]int)
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if st, err := readStat(child); err == nil {
			children[st.parent] = append(children[st.parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}
