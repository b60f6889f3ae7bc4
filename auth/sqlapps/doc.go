// Package sqlapps keeps apps in a table of PostgreSQL, MySQL, MariaDB or SQLite.
//
// A [Store] reads and changes the table reverb_apps; [Open] takes its URL. A [Source] is what a server asks for
// apps: it remembers rows, so that most lookups do not reach the database.
//
// # What a Source remembers
//
// A row is believed for Options.TTL, and that there is none for Options.MissTTL. After that the
// database is asked again, once for all who ask at the same time. While it does not answer, apps that have been
// seen stay as they were last, however long that takes; only of others it is not known whether they exist.
// Rows are never forgotten until the database says that they are gone, so there are at most as many as the
// table has had; misses are bounded.
//
// # How long a lookup takes
//
// ByKey and ByID may be called from any goroutine that may wait a moment, so not from an event loop, for which there are
// RecallByKey and RecallByID. An app that has been
// seen waits for Options.Patience at most, any other for Options.Timeout. For a second after the database
// has failed or made somebody wait that long, nobody waits for it.
//
// # Secrets
//
// No error contains a secret or the password of the database.
//
// # Not here
//
// Nothing asks for apps by itself: a server that wants changes to reach live connections calls [Source.Expire]
// and looks its apps up again from time to time.
package sqlapps
