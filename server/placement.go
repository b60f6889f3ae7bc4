package server

// arrivalsRun is how many connections that come one after another go to the same loop. They lie close together in the
// kernel's memory, and those who come together often subscribe to the same channel: a loop that writes to them in
// turn takes a tenth less time than one that has every other of them (docs/performance.md).
const arrivalsRun = 16

// nextLoop returns the loop for a connection that comes. None gets more than a run ahead of the others, and while
// there are few connections, none gets ahead at all.
func (s *Server) nextLoop() *loop {
	least := s.loops[0]
	for _, l := range s.loops[1:] {
		if l.load.Load() < least.load.Load() {
			least = l
		}
	}
	next := s.loops[int(s.arrivals.Add(1)/arrivalsRun)%len(s.loops)]
	if base := least.load.Load(); next.load.Load() > base+min(base/arrivalsRun, arrivalsRun) {
		return least
	}
	return next
}
