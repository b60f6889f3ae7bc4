// Package auth holds the apps a server serves and checks what is proved with their secrets.
//
// Start with [App]: [DefaultApp] has the stock settings, [NewApp] checks them and makes an app ready
// for use. [App.VerifyChannel] lets a connection into a private or presence channel,
// [App.VerifyRequest] lets a request into the HTTP API, [App.AllowsOrigin] lets a browser connect.
// The Sign methods make the proofs, as a backend does. [Apps] finds an app by key or id.
//
// # Rules
//
// An App and an Apps never change once made and may be used from any goroutine. Nothing here keeps a
// slice it is given, blocks, or reads the clock: the time is an argument. Signatures are compared
// in constant time. An App prints, logs and marshals as its id and key only; keep it behind a pointer,
// since fmt cannot ask a value in another struct's unexported field not to show its secret.
//
// # Not here
//
// Where settings come from is up to the command, what a signed message says to package protocol, and
// rate limits, quotas and timeouts are applied by package server.
//
// # Protocol
//
// Channels: https://pusher.com/docs/channels/library_auth_reference/auth-signatures/.
// Requests: https://pusher.com/docs/channels/library_auth_reference/rest-api/#authentication.
package auth
