//go:build unix

package main

import "golang.org/x/sys/unix"

// openFiles returns how many files, connections among them, may be open; 0 is unknown. Package os has raised
// the limit as far as it goes when main starts.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur)
}
