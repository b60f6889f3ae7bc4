// Package plan says what a load test does: which connections there are and what they send, when, and for
// how long.
//
// A [Scenario] is how people say it, with the names of [Names] and defaults for everything; scenario
// files are lists of them ([Load]). [Scenario.Plan] turns one into a [Plan], which package crew carries
// out: [Group]s of connections that each play a [Role].
package plan
