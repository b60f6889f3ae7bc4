// Package api is the JSON that the messaging app speaks: the bodies of its HTTP requests and answers and
// the payloads of its events, which have the same shapes.
//
// # Requests
//
// Paths are those of [Routes]. Bodies are JSON objects with Content-Type application/json; names are
// matched exactly, and a name that is not known is refused. Ids are integers, notification ids and message
// uuids are strings, times are RFC 3339 in UTC ("2026-01-02T03:04:05.123456Z"), what may be absent is null.
//
// A browser is known by the HttpOnly cookie "messaging_session". Every answer sets, where it is not yet
// right, the readable cookie "XSRF-TOKEN"; its value goes into the header X-CSRF-TOKEN of every request
// that is not GET or HEAD, POST /login and POST /broadcasting/auth included. Logging in or out changes
// the token, so read the cookie anew for each request. [Config] and [Session] carry the token too. Other programs send "Authorization:
// Bearer TOKEN" and no CSRF token; they get the token by logging in with a device_name.
//
// The header X-Socket-ID names the sender's own connection, which then is told nothing of what it did.
//
// # Errors
//
// An answer of 400 and above is an [Error]. 401 is nobody signed in, 403 not allowed, 404 not there or
// not for this user, 419 a missing or outdated CSRF token, 422 a bad field, 429 too fast (wait the seconds
// in Retry-After), 503 a part of the app is away.
//
// # Events
//
// [Events] lists which event is carried by which channel and what its payload is. A payload may have been cut
// to what the websocket server takes: see [Message.Truncated] and [Conversation.Participants]. Nothing
// in an event may be taken as the whole truth; what counts is merged by id from the HTTP answers.
package api
