//go:build unix

package usage

import "golang.org/x/sys/unix"

// OpenFiles raises how many files this process may have open as far as it goes, and returns how far that is.
// Processes started from now on inherit it. want is enough, where only the superuser may go.
func OpenFiles(want int) int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return want
	}
	if limit.Max < uint64(want) {
		higher := unix.Rlimit{Cur: uint64(want), Max: uint64(want)}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &higher) == nil {
			return want
		}
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(limit.Cur, 1<<30))
}
