// Package poll waits until one of many sockets has something to read or room to write.
//
// A [Poller] belongs to one event loop. On Linux it is an epoll instance with an eventfd to wake it;
// elsewhere it can only be woken, and sockets are read by goroutines of their own. Sockets are
// registered once, edge-triggered: after an event the owner must read until a read comes back short
// or empty, and write until one is refused, before it waits again.
//
// Wait and Add are for the loop's goroutine, Wake is for any.
package poll

// An Event says that a socket is ready.
type Event struct {
	FD       int32
	Readable bool // something to read, or the end of it
	Writable bool
	Ended    bool // the peer has stopped sending, or the socket has failed: read to the end
}
