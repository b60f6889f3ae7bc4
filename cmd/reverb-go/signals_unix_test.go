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
	"TERM": syscall.SIGTERM,
	"TSTP": syscall.SIGTSTP,
}
