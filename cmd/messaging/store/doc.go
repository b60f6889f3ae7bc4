// Package store keeps the messaging app's data in SQLite, PostgreSQL, MySQL or MariaDB.
//
// [Open] connects, [Store.Migrate] makes the tables, and a [Store] is a [domain.Store].
//
// # Rules
//
// Whatever writes to a conversation locks its row first. So the messages of a conversation become visible
// in the order of their ids, which is what lets a client ask for those after an id and miss none; markers
// and unread counts are exact; and no two writers can wait for each other.
//
// What others must be told is written to the outbox in the same transaction.
//
// Every query that lists something has an index that gives its order, and stops at its limit: none grows with
// the history. For this a participant's row repeats when its conversation was last active and how much
// of it is unread. A test reads the plan of every query on each database.
//
// # Not here
//
// Passwords and tokens come hashed, times and limits are arguments.
package store
