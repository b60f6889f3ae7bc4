//go:build !linux

package main

import (
	"syscall"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// reusePort is of no use where the kernel does not spread connections.
func reusePort(string, string, syscall.RawConn) error {
	return &config.Problem{Sentence: "this system does not let several processes share a port", Hint: "unset REVERB_GO_REUSE_PORT"}
}
