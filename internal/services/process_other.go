//go:build !linux

package services

import "os/exec"

// Elsewhere nobody tests as root.
func as(*exec.Cmd, string) error { return nil }

func give(string, string) error { return nil }
