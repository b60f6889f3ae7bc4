package server

// wheelSlots is how many seconds the wheel looks ahead. What is due later goes into the last slot
// and is looked at again there.
const wheelSlots = 64

// lingerTime is how long a closing connection may take, in seconds.
const lingerTime = 3

// A wheel holds the connections of a loop in buckets of one second, by the time at which each has to
// be looked at again. Activity does not move a connection: when its time comes, it is put where its
// last activity says. So a message costs nothing here, and there is no timer per connection.
type wheel struct {
	slots [wheelSlots][]*conn
	now   uint32 // the second up to which slots have been handled
}

const noSlot = 255

// insert puts a connection that is in no slot where it will be looked at in second due, or earlier.
func (w *wheel) insert(c *conn, due uint32) {
	ahead := min(max(int64(due)-int64(w.now), 1), wheelSlots-1)
	c.slot = uint8((int64(w.now) + ahead) % wheelSlots)
	c.pos = int32(len(w.slots[c.slot]))
	w.slots[c.slot] = append(w.slots[c.slot], c)
}

// remove takes a connection out of its slot, if it is in one.
func (w *wheel) remove(c *conn) {
	if c.slot == noSlot {
		return
	}
	slot := w.slots[c.slot]
	last := len(slot) - 1
	slot[c.pos] = slot[last]
	slot[c.pos].pos = c.pos
	slot[last] = nil
	w.slots[c.slot] = slot[:last]
	c.slot = noSlot
}

func (w *wheel) move(c *conn, due uint32) {
	w.remove(c)
	w.insert(c, due)
}

// advance calls due for each connection whose second has come; due puts it back or ends it.
func (w *wheel) advance(now uint32, due func(*conn)) {
	// After a jump of the clock one round reaches every slot.
	if now-w.now > wheelSlots {
		w.now = now - wheelSlots
	}
	for w.now != now {
		w.now++
		slot := w.now % wheelSlots
		waiting := w.slots[slot]
		w.slots[slot] = nil
		for _, c := range waiting {
			c.slot = noSlot
		}
		for _, c := range waiting {
			due(c)
		}
		if w.slots[slot] == nil && cap(waiting) <= 1024 {
			clear(waiting)
			w.slots[slot] = waiting[:0]
		}
	}
}
