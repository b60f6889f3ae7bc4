// Package check finds out whether messages arrived once, all of them, and in order.
//
// A [Book] has a line for each stream of messages a subscriber is to receive; messages of a stream are
// numbered from 1. Each message that arrives is entered with [Book.Enter], and [Book.Close] is told at
// the end how many were sent. A Book belongs to one goroutine.
package check

// Counts are the findings.
type Counts struct {
	Delivered  int64 `json:"delivered"`  // that arrived, each once
	Lost       int64 `json:"lost"`       // that never arrived
	Duplicated int64 `json:"duplicated"` // arrivals of what had arrived before
	Reordered  int64 `json:"reordered"`  // that arrived after a later one of their stream
	Stray      int64 `json:"stray"`      // arrivals at a subscriber they were not meant for
}

// Add adds the findings of another Book.
func (c *Counts) Add(d Counts) {
	c.Delivered += d.Delivered
	c.Lost += d.Lost
	c.Duplicated += d.Duplicated
	c.Reordered += d.Reordered
	c.Stray += d.Stray
}

// Clean reports whether nothing is wrong.
func (c Counts) Clean() bool { return c.Lost+c.Duplicated+c.Reordered+c.Stray == 0 }

// A Book keeps the lines.
type Book struct {
	Counts
	next  []uint32 // by line: number of the next message; 0 when none is expected
	holes map[hole]struct{}
}

// A hole is a message that was overtaken by a later one and may still come.
type hole struct {
	line int32
	seq  uint32
}

// maxHoles bounds memory. Of messages beyond it that do come late, those are counted as duplicated.
const maxHoles = 1 << 20

// Open adds n lines and returns the first one's number.
func (b *Book) Open(n int) int {
	first := len(b.next)
	for range n {
		b.next = append(b.next, 1)
	}
	return first
}

// Refuse says that nothing is expected on a line: whatever arrives is stray.
func (b *Book) Refuse(line int) { b.next[line] = 0 }

// Lines returns how many lines there are.
func (b *Book) Lines() int { return len(b.next) }

// Enter notes that message seq of a line has arrived.
func (b *Book) Enter(line int, seq uint32) {
	next := b.next[line]
	switch {
	case seq == next && next != 0:
		b.next[line] = next + 1
		b.Delivered++
	case next == 0 || seq == 0:
		b.Stray++
	case seq > next:
		b.skip(line, next, seq)
		b.next[line] = seq + 1
		b.Delivered++
	default:
		b.late(line, seq)
	}
}

// skip notes that seq came where next was expected.
func (b *Book) skip(line int, next, seq uint32) {
	if b.holes == nil {
		b.holes = make(map[hole]struct{})
	}
	for s := next; s < seq && len(b.holes) < maxHoles; s++ {
		b.holes[hole{int32(line), s}] = struct{}{}
	}
	b.Lost += int64(seq - next)
}

func (b *Book) late(line int, seq uint32) {
	h := hole{int32(line), seq}
	if _, missing := b.holes[h]; !missing {
		b.Duplicated++
		return
	}
	delete(b.holes, h)
	b.Lost--
	b.Reordered++
	b.Delivered++
}

// Missing returns how many of the first sent messages of a line have not arrived, as far as they can
// still come in order.
func (b *Book) Missing(line int, sent uint32) int64 {
	next := b.next[line]
	if next == 0 || next > sent {
		return 0
	}
	return int64(sent-next) + 1
}

// Close counts as lost what has not arrived of the first sent messages of a line.
func (b *Book) Close(line int, sent uint32) {
	b.Lost += b.Missing(line, sent)
	b.next[line] = 0
}

// Holes returns how many messages have been overtaken and not come yet.
func (b *Book) Holes() int { return len(b.holes) }
