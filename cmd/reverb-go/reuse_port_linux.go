package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort lets other processes of the same user listen on the same port. The kernel spreads connections over all of
// them.
func reusePort(_, _ string, c syscall.RawConn) error {
	var err error
	if controlErr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); controlErr != nil {
		return controlErr
	}
	return err
}
