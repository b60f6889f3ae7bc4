//go:build !unix

package main

import "io/fs"

func isOwn(fs.FileInfo) bool { return false }
