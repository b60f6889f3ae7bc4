//go:build !unix

package main

// passedSockets returns none: systemd is on Linux.
func passedSockets() []passedSocket { return nil }
