// Package channels keeps track of which connections are subscribed to which channels, and says
// who is to receive a message.
//
// A [Registry] holds the channels of one app. A [Channel] appears with its first subscriber and
// is forgotten with its last, so an empty channel costs nothing. Its [Kind] follows from its name.
// A [Shard] holds the subscriptions of the connections of one event loop, densely, so that the loop
// can walk the subscribers of a channel without a lock. What all shards must agree on (counts,
// members, the order of messages) is in the Channel.
//
// # Order
//
// Every message to a channel gets the next number of that channel under the channel's lock, and is
// handed on as a [Note] under the same lock, so all shards are told in the same order. A subscriber
// remembers the number that was current when it joined and is sent only later ones: the reply it
// got and the messages after it fit together exactly, with nothing missing and nothing twice.
//
// # Concurrency
//
// A Registry may be used from any goroutine, a Shard and the Subscriptions of its connections from
// the goroutine of their loop alone. Lock order: a Channel's lock may be held while the Registry's
// or that of a loop's inbox is taken, never the other way round.
//
// # Not here
//
// Signatures are checked by package auth, sockets are written by package server, and other nodes
// are reached by package scaling.
package channels
