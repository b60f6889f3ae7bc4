package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

const (
	fewFiles  = 10_000
	manyFiles = 100_000
)

func checkFiles(_ context.Context, r *report, p Patient) {
	const fix = `raise it: "ulimit -n" in a shell, LimitNOFILE= in systemd, minfds in Supervisor, ulimits in Docker; the limit of the server counts, which may differ from that of this shell`
	switch {
	case p.OpenFiles == 0:
		r.ok("how many files may be open is not limited here")
	case p.OpenFiles < fewFiles:
		r.problem(fmt.Sprintf("only %d files may be open, and each connection is one", p.OpenFiles), fix)
	case p.OpenFiles < manyFiles:
		r.warn(fmt.Sprintf("%d files may be open, and each connection is one", p.OpenFiles), fix)
	default:
		r.ok(fmt.Sprintf("%d files may be open", p.OpenFiles))
	}
}

// pageSize is how much memory a page of the kernel has, nearly everywhere.
const pageSize = 4096

// A kernelCheck looks at one setting. judge gets its numbers.
type kernelCheck struct {
	name   string // as sysctl has it
	judge  func(n []int64) (sentence string, ok bool)
	wanted string // a value that would do
}

var kernelChecks = []kernelCheck{
	{"net.core.somaxconn", atLeast(0, 1024, "%d connections may wait to be accepted, and after a deploy all clients come at once"), "4096"},
	{"net.ipv4.tcp_max_syn_backlog", atLeast(0, 1024, "%d handshakes of TCP may be under way at once"), "4096"},
	{"net.ipv4.ip_local_port_range", func(n []int64) (string, bool) {
		ports := n[1] - n[0] + 1
		return fmt.Sprintf("a proxy on this machine can have %d connections to the server, for each needs a port of its own", ports), ports >= 28_000
	}, `"1024 65535"`},
	{"net.ipv4.tcp_mem", func(n []int64) (string, bool) {
		mb := n[2] * pageSize >> 20
		return fmt.Sprintf("all sockets of TCP together may use %d MiB", mb), mb >= 256
	}, `"190000 260000 380000"`},
	{"fs.file-max", atLeast(0, manyFiles, "%d files may be open on the whole machine"), "2097152"},
	{"fs.nr_open", atLeast(0, manyFiles, "a process cannot be allowed more than %d open files"), "1048576"},
	{"net.netfilter.nf_conntrack_max", atLeast(0, 65_536, "the firewall knows at most %d connections, and drops what comes then"), "1048576"},
}

func atLeast(i int, least int64, format string) func([]int64) (string, bool) {
	return func(n []int64) (string, bool) { return fmt.Sprintf(format, n[i]), n[i] >= least }
}

func checkKernel(_ context.Context, r *report, p Patient) {
	if p.Kernel == nil {
		return
	}
	for _, c := range kernelChecks {
		numbers, ok := readNumbers(p.Kernel, c.name)
		if !ok {
			continue // not in this kernel, or in a container
		}
		sentence, ok := c.judge(numbers)
		sentence = c.name + ": " + sentence
		if ok {
			r.ok(sentence)
		} else {
			r.warn(sentence, fmt.Sprintf("sysctl -w %s=%s, and the same in /etc/sysctl.d/ to keep it", c.name, c.wanted))
		}
	}
}

// readNumbers reads a setting of the kernel. It has as many numbers as judges look at.
func readNumbers(kernel fs.FS, name string) ([]int64, bool) {
	text, err := fs.ReadFile(kernel, strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return nil, false
	}
	var numbers []int64
	for _, word := range strings.Fields(string(text)) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			// fs.file-max may be larger than any number of ours.
			n = 1<<63 - 1
		}
		numbers = append(numbers, n)
	}
	least := map[string]int{"net.ipv4.ip_local_port_range": 2, "net.ipv4.tcp_mem": 3}[name]
	return numbers, len(numbers) >= max(least, 1)
}
