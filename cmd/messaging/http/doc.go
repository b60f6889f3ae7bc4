// Package http serves the messaging app to browsers and programs: its API, the signatures for channels, the queue
// dashboard, health and numbers, and the page.
//
// A [Server] is made with [New] from what the other packages provide. What may be done by whom is
// decided by the store's methods, which all name the user: a handler reads a request, calls one or two of
// them, hands the jobs on, and writes what package api says.
//
// # Who asks
//
// A browser has a cookie whose value proves a session, a program a bearer token. Both are made from a secret of
// the session and the time of its last rotation, signed with the app's key; the store has only their hashes. A
// cookie is replaced every few minutes, and for a minute the old one is answered with the new one, since
// browsers ask for several things at once and lose answers.
//
// # Not here
//
// What is said over channels goes there by package jobs. Only typing, which is worth no job, is published here.
package http
