//go:build !unix

package main

import "os"

// signals are those that scripts can send. The scripts that need one are skipped.
var signals = map[string]os.Signal{}
