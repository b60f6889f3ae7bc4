//go:build unix

package server_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	faultSeed = flag.Uint64("faults-seed", 0, "seed of TestRandomFaults; 0 is another one each time")
	faultTime = flag.Duration("faults-time", 5*time.Second, "how long TestRandomFaults has things go wrong")
)

// TestRandomFaults has one thing after the other go wrong, in an order that a seed decides, while visitors
// come and go. In the end every client must have heard everything once and see exactly who is there.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-faults-seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := startRedis(t)
	r := newRig(t, 3, false, plainClient(s.addr))
	r.open(2)
	r.run()
	for end := time.Now().Add(*faultTime); time.Now().Before(end); {
		r.misfortune(t, random, s)
	}
	for _, n := range r.nodes {
		n.link.mend()
	}
	r.finish(false)
}

// misfortune is one thing that goes wrong, for a while.
func (r *rig) misfortune(t *testing.T, random *rand.Rand, s *redisServer) {
	t.Helper()
	n := r.nodes[random.IntN(len(r.nodes))]
	span := time.Duration(random.Int64N(int64(400 * time.Millisecond)))
	switch random.IntN(6) {
	case 0:
		n.link.reset()
	case 1:
		n.link.cut()
		during(span)
		n.link.mend()
	case 2:
		n.link.cut()
		n.link.reset() // what was on its way is lost
		during(span)
		n.link.mend()
	case 3:
		s.do(t, "CLIENT", "KILL", "TYPE", "pubsub")
	case 4:
		s.do(t, "SCRIPT", "FLUSH")
	case 5:
		v := r.newEar(n, fmt.Sprintf("visitor-%d", random.Uint32()))
		during(span)
		v.conn.Close()
	}
	during(span / 4)
}
