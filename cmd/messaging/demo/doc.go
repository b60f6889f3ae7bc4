// Package demo fills a database with people who have talked to each other, so that there is something to look at, and
// to measure with.
package demo
