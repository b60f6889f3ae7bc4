// Package crew carries out a plan, or one process's share of it: it makes the connections, sends what is to
// be sent when it is due, and notes what arrives and when.
//
// [Serve] is the whole of it for others: it takes [Order]s and gives [Answer]s, as JSON, over a pipe from
// another process or from a goroutine of the same one. The steps are always the same: connect everybody
// (answered by Ready), start at a given time, say how much was sent (Sent), compare with what all crews
// together sent, and report (Result).
//
// # Goroutines
//
// Each loop has one, and owns its members and what it counts. The last loop is the sender's: publishers and
// whoever else sends at a schedule are there alone, so that receiving does not make them late. Serve
// itself posts to the loops and waits.
//
// # Time
//
// A message carries when it was meant to be sent. Latency is counted from there, for messages meant for the
// measured time; warm-up before it is checked for losses, but not measured.
package crew
