// Package webhook tells the backends of apps what happens to their channels: over HTTP as Pusher does, as
// jobs on a Laravel queue, or in a Redis stream.
//
// A [Dispatcher] is given events by the server with Notify, and by a [Config] the destinations of each
// app, which [Dispatcher.Reload] replaces while it runs. What could not be delivered is kept in a file of
// dead letters, which [Retry] sends again.
//
// # An event's way
//
// Notify puts the event into the bounded intake and returns. The router takes it from there. It holds
// channel_vacated and member_removed back for a while, and drops them together with the channel_occupied or
// member_added that follows in that time, so that reloading a page is no news. Then it puts the event
// into the bounded queue of each destination whose filter lets it pass.
//
// # Goroutines
//
// There is one for the router, and one for each destination, the sender: it makes batches, sends them,
// and waits before it sends one again. Close ends them all. A destination that is slow, or down, keeps
// nobody waiting but its own events.
//
// Pause brings all to rest between two turns of their work, so that Export finds nothing under way, and a Dispatcher
// in another process can go on in the place of this one.
//
// # Order and loss
//
// Each destination is sent the events of a channel in the order they happened, except that those held back
// come later. What was sent but not confirmed is sent again, so an event may arrive twice. Queues are
// bounded; when one is full, the newest event is dropped and counted.
//
// # Not here
//
// Which events there are is decided by package channels, and by package server for client events and cache
// misses. Each node reports what it is told; that a cluster reports an event once is the broker's concern.
//
// The format is that of https://pusher.com/docs/channels/server_api/webhooks/.
package webhook
