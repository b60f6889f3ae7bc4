//go:build !linux

package main

// memoryShare is not known here.
func memoryShare() (share float64, ok bool) { return 0, false }
