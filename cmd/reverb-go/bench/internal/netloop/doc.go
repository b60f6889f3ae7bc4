// Package netloop drives many client sockets from few goroutines, at less cost than what the server at
// the other end spends on them.
//
// A [Loop] owns connections: [Loop.Dial] makes one and its [Handler] is told what happens to it. On
// Linux sockets are watched by epoll, read into one shared buffer and written once for each turn of
// the loop. Where there is no epoll, and for TLS, each connection has goroutines that read and write
// it, and the loop still makes all calls.
//
// # Concurrency
//
// All calls of handlers, alarms and posted functions of a loop happen on its one goroutine, one after
// the other, and all methods are to be called there, except Post, Wake, Busy and Stop.
//
// # Memory
//
// Bytes given to a handler are valid during the call only. A connection with nothing half-received and
// nothing to be written has no buffers.
package netloop
