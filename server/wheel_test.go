package server

import "testing"

// A wheelModel knows when each connection has to be looked at, and sees to it that it is.
type wheelModel struct {
	t     *testing.T
	wheel wheel
	now   uint32
	due   map[*conn]uint32
}

// TestWheel compares with a map: whoever is due is looked at in that second, and nobody is forgotten or
// looked at after having been removed.
func TestWheel(t *testing.T) {
	random := Seeded(t)
	m := &wheelModel{t: t, due: make(map[*conn]uint32)}
	conns := make([]*conn, 200)
	for i := range conns {
		conns[i] = &conn{slot: noSlot}
	}
	for range 20_000 {
		c := conns[random.IntN(len(conns))]
		due := m.now + random.Uint32N(200)
		switch _, isIn := m.due[c]; {
		case random.IntN(10) == 0:
			seconds := 1 + random.Uint32N(3)
			if random.IntN(10) == 0 {
				seconds = 1 + random.Uint32N(300) // the clock jumps
			}
			m.advance(m.now + seconds)
		case !isIn:
			m.wheel.insert(c, due)
			m.due[c] = due
		case random.IntN(2) == 0:
			m.wheel.move(c, due)
			m.due[c] = due
		default:
			m.wheel.remove(c)
			delete(m.due, c)
		}
		m.check()
		if t.Failed() {
			return
		}
	}
}

func (m *wheelModel) advance(now uint32) {
	m.now = now
	m.wheel.advance(now, func(c *conn) {
		due, isIn := m.due[c]
		switch {
		case !isIn:
			m.t.Error("a connection that was removed was looked at")
		case due > now: // it lies further ahead than the wheel reaches
			m.wheel.insert(c, due)
		default:
			delete(m.due, c)
		}
	})
	for c, due := range m.due {
		if due <= now {
			m.t.Errorf("a connection due in second %d is still in slot %d in second %d", due, c.slot, now)
		}
	}
}

// check looks whether each connection is where it believes to be, and nobody else.
func (m *wheelModel) check() {
	count := 0
	for i, slot := range m.wheel.slots {
		for pos, c := range slot {
			count++
			if _, isIn := m.due[c]; !isIn || int(c.slot) != i || int(c.pos) != pos {
				m.t.Errorf("a connection in slot %d at %d believes to be in slot %d at %d", i, pos, c.slot, c.pos)
			}
		}
	}
	if count != len(m.due) {
		m.t.Errorf("%d connections in the wheel, want %d", count, len(m.due))
	}
}
