//go:build !linux

package main

func reloadingState() string { return "RELOADING=1" }
