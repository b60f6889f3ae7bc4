// Package doctor looks for what keeps a server from being reached, or from working well.
//
// [Examine] looks at a [Patient] and returns a [Finding] for each thing it has looked at: what is well, too, so that
// one sees what was looked at.
//
// # Rules
//
// Nothing is changed, neither on the machine nor at the server, but that connections are opened and closed. No
// finding has a secret in it.
//
// # Not here
//
// Where the configuration comes from, and what start itself warns of, is handed in by the command.
package doctor
