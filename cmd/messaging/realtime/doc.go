// Package realtime tells browsers what happened, by way of a websocket server that speaks the Pusher protocol, and
// says who may listen.
//
// A [Pusher] publishes over the HTTP API with signed requests, so that the server may be reverb-go, Laravel Reverb,
// soketi or Pusher itself. [Log] and [Null] are what BROADCAST_CONNECTION=log and null mean. A
// [Gatekeeper] signs the subscriptions of users to channels that they may listen to.
//
// # Not here
//
// When to publish what is decided by package jobs, and for typing by package http.
package realtime
