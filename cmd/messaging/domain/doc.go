// Package domain says what the messaging app is about: users, conversations, messages, how far somebody
// has read, notifications, and the jobs that tell others. It has the words, the limits, the errors and the
// interfaces; how data is kept, sent and served is up to the packages that import it.
//
// Start with [Message] and [Store]. A Store method that names a user does only what that user may do: a
// conversation the user is not in is [ErrNotFound], as if it were not there.
//
// # Jobs
//
// Whatever others must be told of is written down as [Job]s in the transaction that made it so. A job
// is gone from the store once it has run, so what a crash or an empty Redis forgets is still known.
package domain
