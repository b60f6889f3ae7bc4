// Package pusher is the other end of a Pusher server, for commands that speak to one.
//
// A [Server] says where it is and as which app it is spoken to. [Server.Do] makes one signed request to its HTTP
// API, [Server.Connect] opens a [Socket], and [Server.Follow] keeps one open and subscribed.
//
// # Rules
//
// A Server may be used from any goroutine, a Socket from one. All of it ends with the context it is given.
//
// # Not here
//
// Where a server is found in the configuration, and what is printed, is up to the commands. Loads are made by
// others: one Socket costs more than a server pays for it.
package pusher
