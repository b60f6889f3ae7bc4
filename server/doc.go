// Package server owns sockets and their lives: it accepts, upgrades, reads, dispatches, writes, pings
// and closes the connections of clients, and answers the HTTP API of apps.
//
// A [Server] is made from a [Config] and a [Broker], is given listeners with Serve, and ends with
// Shutdown.
//
// # Goroutines
//
//   - Each event loop has one. It owns its connections: their fields are touched on it alone, and
//     others reach it through its inbox.
//   - fasthttp has one for each listener and one for each connection whose HTTP requests no loop answers. Where there is
//     epoll, loops answer those that never have to wait, which are handshakes and most events: see [visitor].
//   - A stream, which is a connection that no loop can read and write itself, has one that reads, and
//     another one while there is something to write.
//
// Shutdown ends them all. Nothing on a loop blocks; publishers over HTTP do, on fasthttp's goroutines, while a loop is behind.
//
// # A message's way
//
// A turn of a loop reads all sockets that are ready ([loop.readReady]), takes all notes from the inbox
// ([loop.takeNotes]) and writes each connection that got something once ([loop.flush]). A message
// from a client goes loop.feed → handleFrame → handleMessage → dispatch; an event, from a client or
// from the HTTP API, goes Broker.Publish → Server.Deliver → channels.Registry.Publish → Server.post,
// which puts one shared frame into the inbox of each loop with subscribers → loop.broadcast → flush.
//
// # Memory
//
// Bytes that were read are lent downwards and copied where they are kept. An idle connection has no
// buffers. Frames to be sent are shared and counted; see [frame] and [outQueue].
//
// # Not here
//
// What messages look like is package protocol's, who is subscribed is package channels', proofs are
// package auth's, and other nodes are behind the Broker.
package server
