package server

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var seed = flag.Uint64("seed", 0, "seed of the tests that do things in random order; 0 is another one each time")

// Seeded returns random numbers from a seed that is printed when the test fails, to be given as -seed.
func Seeded(t *testing.T) *rand.Rand {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the order of things was that of -seed=%d", chosen)
		}
	})
	return rand.New(rand.NewPCG(chosen, 0))
}
