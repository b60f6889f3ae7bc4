//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// handledSignals are those that do not have their usual effect. Ctrl-Z ends the server, as it does Reverb: one
// that is suspended keeps its port and answers nobody.
var handledSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGHUP, syscall.SIGUSR2}

func isReload(s os.Signal) bool { return s == syscall.SIGHUP }

func isRestart(s os.Signal) bool { return s == syscall.SIGUSR2 }

// outliveOutput keeps the end of whoever reads the output from being the end of the server.
func outliveOutput() { signal.Ignore(syscall.SIGPIPE) }
