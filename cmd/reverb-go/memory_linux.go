package main

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// memoryShare returns how much of the memory that this process may use is used: of its control groups, whichever
// is fullest, and of the machine.
func memoryShare() (share float64, ok bool) { return memoryShareAt("/") }

// memoryShareAt reads the files of the kernel below root.
func memoryShareAt(root string) (share float64, ok bool) {
	share, ok = machineShare(readText(root, "proc/meminfo"))
	for line := range strings.Lines(readText(root, "proc/self/cgroup")) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		for ; ; group = path.Dir(group) {
			s, found := groupShare(root, controllers, group)
			if found {
				share, ok = max(share, s), true
			}
			if group == "/" || group == "." {
				break
			}
		}
	}
	return share, ok
}

// groupShare returns how full one control group is, if it has a limit. Files that could be given back, which
// the kernel counts as used, are not.
func groupShare(root, controllers, group string) (float64, bool) {
	var dir, limit, usage, files string
	switch {
	case controllers == "": // version 2
		dir, limit, usage, files = "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
	case strings.Contains(controllers, "memory"):
		dir, limit, usage, files = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
	default:
		return 0, false
	}
	dir = path.Join(dir, group)
	most, err := strconv.ParseFloat(strings.TrimSpace(readText(root, dir, limit)), 64)
	if err != nil || most <= 0 || most > 1<<60 { // "max", or version 1's way to say so
		return 0, false
	}
	used, err := strconv.ParseFloat(strings.TrimSpace(readText(root, dir, usage)), 64)
	if err != nil {
		return 0, false
	}
	return (used - numberAfter(readText(root, dir, "memory.stat"), files)) / most, true
}

func machineShare(meminfo string) (float64, bool) {
	total, available := numberAfter(meminfo, "MemTotal:"), numberAfter(meminfo, "MemAvailable:")
	if total == 0 || available == 0 {
		return 0, false
	}
	return 1 - available/total, true
}

// numberAfter returns the number that stands in the line beginning with name, or 0.
func numberAfter(text, name string) float64 {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}

func readText(parts ...string) string {
	b, err := os.ReadFile(path.Join(parts...))
	if err != nil {
		return ""
	}
	return string(b)
}
