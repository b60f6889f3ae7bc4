// Package ephemeral keeps, in Redis, what is true for seconds only: who is writing, who is online, and how often
// somebody has asked. None of it ever reaches the database, and losing it costs nothing that lasts.
//
// [Dial] connects to a Redis, [Embed] runs one in this process. [Redis] may be used from any goroutine.
package ephemeral
