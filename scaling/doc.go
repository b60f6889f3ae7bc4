// Package scaling carries messages between nodes.
//
// A broker is given each message once, by the node where it was published, and hands it to the
// deliver function of every node, the publishing one too. [Local] is the broker of a node that is
// alone.
//
// # Order
//
// Messages of one publisher to one channel are delivered in the order they were published.
//
// # Not here
//
// Who is subscribed to what is known by package channels; sockets are package server's.
package scaling
