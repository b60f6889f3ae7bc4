package server

// ringMin is how many connections there must be to write to for a ring to cost less than single writes.
const ringMin = 4

// flush ends the output of a turn: every connection that got something is written once.
func (l *loop) flush() {
	for len(l.dirty) > 0 {
		dirty := l.dirty
		l.dirty = l.spare[:0]
		if l.ring != nil && len(dirty) >= ringMin {
			l.writeTogether(dirty)
		} else {
			for _, c := range dirty {
				l.writeAlone(c)
			}
		}
		clear(dirty)
		l.spare = dirty
		l.reap() // saying goodbye makes connections dirty again
	}
	for i, f := range l.held {
		f.release()
		l.held[i] = nil
	}
	l.held, l.heldRoom = l.held[:0], 0
}

func (l *loop) writeAlone(c *conn) {
	c.out.isDirty = false
	l.write(c)
	l.settle(c)
}

// writeTogether writes to many connections with few system calls.
func (l *loop) writeTogether(dirty []*conn) {
	for _, c := range dirty {
		if c.stream != nil || c.out.head == len(c.out.frames) || !l.addToRing(c) {
			l.writeAlone(c)
		}
	}
	l.sendRing()
}

// addToRing has the ring send what waits for c, and reports false if there is no ring any more.
func (l *loop) addToRing(c *conn) bool {
	if l.ring == nil {
		return false
	}
	if !l.ring.Add(int(c.fd), l.gather(c.out)) {
		l.sendRing()
		// Gathered again: what sendRing has written itself went through the same vector.
		if l.ring == nil || !l.ring.Add(int(c.fd), l.gather(c.out)) {
			return false
		}
	}
	l.sending = append(l.sending, c)
	return true
}

// sendRing sends what the ring has, which is for the connections in l.sending.
func (l *loop) sendRing() {
	if len(l.sending) == 0 {
		return
	}
	sent, err := l.ring.Send()
	for i, c := range l.sending {
		c.out.isDirty = false
		l.sent(c, sent[i])
		if err != nil {
			l.write(c)
		}
		l.settle(c)
	}
	clear(l.sending)
	l.sending = l.sending[:0]
	if err != nil {
		l.server.log.Error("writing without io_uring from now on", "loop", l.index, "err", err)
		l.closeRing()
	}
}

// sent does with what the ring says what write does after a system call.
func (l *loop) sent(c *conn, n int) {
	switch {
	case n < 0:
		l.write(c) // meets the same error, or there was only a signal
	case n > 0:
		l.stats.writes++
		l.stats.bytesOut += n
		c.out.wrote(n)
		if c.out.offset == 0 {
			l.write(c) // what one vector has no room for
		}
	}
}

// settle keeps what could not be written beyond the turn, or gives the queue back.
func (l *loop) settle(c *conn) {
	q := c.out
	if q == nil {
		return
	}
	l.account(q)
	if q.head == len(q.frames) {
		l.returnQueue(c)
		if c.state == closing {
			l.shutdownWrite(c)
		}
		return
	}
	for ; q.owned < len(q.frames); q.owned++ {
		q.frames[q.owned].retain()
	}
	q.compact()
	// Beyond the node's limit whoever is slow is closed, however little waits for it.
	if l.server.queued.Load() > int64(l.server.cfg.MaxNodeQueued) {
		l.doom(c, closedNodeQueue)
	}
}
