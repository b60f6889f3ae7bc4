//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// narrowSocket has the file of a unix socket, which is not bound yet, begin with no more permissions than those of mode. Linux does
// that; elsewhere it gets them a moment later.
func narrowSocket(fd uintptr, mode fs.FileMode) { _ = syscall.Fchmod(int(fd), uint32(mode.Perm())) }

// isOwn reports whether the file belongs to this process's user.
func isOwn(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
