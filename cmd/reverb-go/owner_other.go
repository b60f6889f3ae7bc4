//go:build !unix

package main

import "io/fs"

func narrowSocket(uintptr, fs.FileMode) {}

func isOwn(fs.FileInfo) bool { return false }
