// Package explain says what a backend signs to let a connection into a channel or to sign a user in, and why a
// signature is not the one that is expected.
//
// [Sign] makes the proof, [Remarks] says what is unusual about what is signed, and [Check] compares a proof with it.
// What a wrong signature was made of cannot be read from it, so Check tries what backends get wrong: another
// secret, socket id, channel or data, and combinations of two of them. The more it is told in [Known], the more it
// finds.
//
// # Rules
//
// Everything here is a function of its arguments, and no secret is in any result, not even one that somebody has
// pasted where a key belongs. [Check] makes thousands of signatures and takes some tens of milliseconds: it is for
// people, not for every request.
//
// # Not here
//
// Whether a connection is let in is decided by package auth alone.
package explain
