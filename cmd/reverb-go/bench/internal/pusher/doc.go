// Package pusher is the other end of a Pusher server: a client of the WebSocket protocol and a publisher
// over the HTTP API, both on a netloop.
//
// An [App] holds what all connections to one app share. [App.Connect] makes a [Client], which reports
// to a [Handler]; [App.NewPublisher] makes a [Publisher]. They belong to their loop.
//
// # Not here
//
// What messages mean for a test, and when they are sent, is package crew's.
package pusher
