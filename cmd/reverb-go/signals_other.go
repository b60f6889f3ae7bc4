//go:build !unix

package main

import (
	"os"
	"syscall"
)

var handledSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

func isReload(os.Signal) bool { return false }

func isRestart(os.Signal) bool { return false }

func outliveOutput() {}
