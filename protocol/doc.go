// Package protocol is the Pusher protocol on the wire: the messages between clients and server,
// and the bodies of the HTTP API, read from and appended to byte slices.
//
// [Parse] reads one [Message] from a client; what its Data says is read by the parser of that
// event, such as [ParseSubscribe]. What the server says is appended by a function for each
// message, such as [AppendEvent], as JSON text without a websocket frame around it. What a client
// is told when something is wrong is an [Error]. [ParsePublish] and [ParseBatch] read events
// from the HTTP API, and a [Broadcast] is such an event, or a client's, on its way to subscribers.
//
// # Memory
//
// Parsers rewrite what they are given, because strings are unescaped in place, and what they
// return borrows from it. Copy what is to be kept. [ParseMember] is the exception: it neither
// rewrites nor borrows. A text that was rewritten cannot be parsed again.
//
// Neither Parse nor an AppendX function allocates, with three exceptions: growing dst, the
// iteration of [AppendPresenceSucceeded], and numbers that come near the end of float64.
//
// # JSON
//
// What is accepted is what PHP's json_decode accepts, which is RFC 8259 with valid UTF-8, without
// lone surrogates and with at most 511 containers inside each other; numbers that overflow a
// float64 are refused as well. So whatever passes through can be read by every client and by
// a Laravel Reverb on another node. What is written is compact, and escapes only what must be.
//
// # Not here
//
// Nothing in this package starts a goroutine, looks at a clock, logs or keeps state. Signatures
// are checked by package auth, kinds of channels are known to package channels, and what is done
// about a message is decided by package server.
//
// The protocol is described at https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/
// and the HTTP API at https://pusher.com/docs/channels/library_auth_reference/rest-api/.
package protocol
