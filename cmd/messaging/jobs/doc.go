// Package jobs runs what is to be told to others after something was stored.
//
// A [Runner] does what a [domain.Job] says. A [Queue] puts jobs into asynq's queues on Redis, and a [Worker] takes
// them out and has the Runner do them, each queue with workers of its own. A [Sweeper] looks for jobs that the
// store knows and the queues do not. [Horizon] is what the dashboard shows.
//
// # One try, and nothing lost
//
// A job is in the store from the transaction that caused it until it has run. It is tried once: if it fails it
// stays, marked, until somebody retries or forgets it. That is not so for a job which never came to its end. If
// the process died before it was queued, if Redis forgot it, or if its worker was killed, the sweeper
// queues it again. It may then have been published already. So every event may come twice, and says
// enough (an id, a marker, a whole state) for the second time to change nothing; and a notification has
// an id made from its message and recipient.
//
// # Not here
//
// Typing is not worth a job. It is published by package http.
package jobs
