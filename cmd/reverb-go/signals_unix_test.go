//go:build unix

package main

import (
	"os"
	"syscall"
)

// signals are those that scripts can send.
var signals = map[string]os.Signal{
	"HUP":  syscall.SIGHUP,
	"INT":  syscall.SIGINT,
	"KILL": syscall.SIGKILL,
	"TERM": syscall.SIGTERM,
	"TSTP": syscall.SIGTSTP,
}
