// Package bench is the command "reverb-go bench": it load-tests any server that speaks the Pusher
// protocol, so that people can compare before they believe.
//
// [NewCommand] is all there is to call. The work is below internal, from the outside in: report says what
// was found, conduct leads a test, crew carries it out as plan says, on connections of pusher, which
// netloop drives; target is the server, usage is what it costs.
//
// # Honest numbers
//
// Messages have times they are meant to be sent at, fixed beforehand, and latency counts from those
// (package pace). Each message is numbered, and each subscriber's arrivals are checked for lost, repeated
// and exchanged ones (package check); a run in which there is one has failed. What the client itself
// costs, how late it is and how busy stands beside each result, with a warning where it matters.
//
// # Not here
//
// Nothing of the server: only the Pusher protocol, the HTTP API, and the operating system's word on what
// the process uses.
package bench
