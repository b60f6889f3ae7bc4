// Package services starts the real databases that tests want, on free ports of the loopback interface, and stops
// them by their process ids. A server is started when a test first asks for it and is shared by the tests of its
// package, each of which gets a [Database] of its own. What is not installed skips the test by name;
// with CI=true that is a failure.
//
// A package that uses it has TestMain call [Main].
package services
