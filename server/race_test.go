//go:build race

package server

// underRace: with the race detector, a sync.Pool forgets some of what it is given.
const underRace = true
