// Package report says what tests have found: as a table, as JSON that can be read again and compared, and
// as one HTML page to show to others.
//
// A [Report] is a list of [Run]s, each made from a conduct.Outcome by [NewRun]. What can be compared are a
// run's [Metric]s; everything with "median", "ratio" or "worse" in it is calculated from those: [Compare]
// for servers tested in turn, [Diff] for two reports.
//
// A Run with Failures has not measured what it was to measure: messages were lost, say. One with Warnings
// has, but the numbers say less than they seem to.
package report
