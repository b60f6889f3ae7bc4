// Package inspector is the page at /inspector, for whoever carries the pager: nodes, loops, connections, channels,
// rates, what passes on one channel or connection, a test event, and why a signature is refused.
//
// [New] makes an [Inspector], whose Handle is a server.Inspector. The files of the page are in the folder page, as
// they are served: nothing is built.
//
// It stands beside package server and not in it, because it needs what only the command knows: the other nodes, the
// configured apps and the token. What it needs of the server is a server.Inspection.
//
// # Who may
//
// With a token everybody who has it, wherever from; the files, which say nothing, are for all. Without a token only
// who asks from this machine, for this machine by name, and not through a proxy: for all others there is no such
// path. See access.go.
//
// # What it costs
//
// Nothing while nobody looks: no goroutine, no timer, no sample is taken. The page asks once a second, and the answer
// is shared: see overview.go. Searches run one at a time, a part of a loop's connections after another. Viewers, their
// requests, taps and what waits in a tap are bounded by the constants of this package. A tap ends by itself when it is
// not read.
//
// Requests and answers are plain HTTP, no stream: a proxy in between has nothing to hold back, a restart nothing to
// wait for, and the token travels in a header, which an EventSource cannot send.
//
// # What is not shown
//
// No secret and no signature. What is said about a user but its id, and the data of events, only to who asks for it;
// that is logged.
package inspector
