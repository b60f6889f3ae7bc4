// Package acme gets certificates from an authority that speaks ACME (RFC 8555), such as Let's Encrypt, and renews
// them in time.
//
// A [Manager] does the work of github.com/caddyserver/certmagic for a server that listens by itself: [New] opens the
// store, [Manager.TLS] is for the listeners, [Manager.Start] begins to get what is missing once they accept, and
// [Manager.Close] ends it.
//
// # Concurrency
//
// All methods but Close may be called from any goroutine. Start returns at once: what takes time goes on in the
// background, and is told to the log.
//
// # Not here
//
// Certificates of files are watched by package main. Challenges over DNS, and so wildcards, need a program of the name
// server's owner; there are good ones that write files.
package acme
