package sqlapps

import (
	"maps"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// lookup is what is asked for.
type lookup struct {
	column column
	value  string
}

// entry is a row that has been seen. It is not changed once it is in the cache, but for asked.
type entry struct {
	record     *Record
	now, later *auth.App // later is from when the previous secret has expired
	asked      time.Time // when the database was last asked for it; zero if it is to be asked again
}

func newEntry(r *Record, asked time.Time) (*entry, error) {
	now, later, err := r.apps()
	if err != nil {
		return nil, &rowError{r.ID, err}
	}
	return &entry{r, now, later, asked}, nil
}

// finding is the result of a lookup: an app; that there is none; why it cannot be used; or nothing.
type finding struct {
	entry     *entry
	err       error
	isMissing bool
}

func (f finding) result(now time.Time) (*auth.App, error) {
	switch e := f.entry; {
	case e == nil && f.err == nil && !f.isMissing:
		return nil, ErrUnavailable
	case e == nil:
		return nil, f.err
	case now.Before(e.record.PreviousSecretExpiresAt):
		return e.now, nil
	default:
		return e.later, nil
	}
}

// cache is what has been found. It is not safe for use by several goroutines.
type cache struct {
	byID, byKey map[string]*entry
	misses      map[lookup]miss // and rows that cannot be used
}

type miss struct {
	asked time.Time
	err   error // why the row cannot be used; nil if there is none
}

func newCache() *cache {
	return &cache{byID: make(map[string]*entry), byKey: make(map[string]*entry), misses: make(map[lookup]miss)}
}

// entries returns the map that a lookup is about.
func (c *cache) entries(l lookup) map[string]*entry {
	if l.column == byKey {
		return c.byKey
	}
	return c.byID
}

// get returns what is known, and whether that is so for sure.
func (c *cache) get(l lookup, now time.Time, o Options) (f finding, isFresh bool) {
	if m, ok := c.misses[l]; ok && now.Sub(m.asked) < o.MissTTL {
		return finding{entry: c.entries(l)[l.value], err: m.err, isMissing: m.err == nil}, true
	}
	e := c.entries(l)[l.value]
	return finding{entry: e}, e != nil && now.Sub(e.asked) < o.TTL
}

// put remembers a row, and returns what is now known: if nothing has changed, the same app as before, so that
// others can tell by comparing pointers; if a later question has been answered already, that answer.
func (c *cache) put(e *entry) finding {
	old := c.byID[e.record.ID]
	if old != nil && (old.asked.After(e.asked) || old.record.isSame(e.record)) {
		if e.asked.After(old.asked) {
			old.asked = e.asked
		}
		e = old
	} else if old != nil && c.byKey[old.record.Key] == old {
		delete(c.byKey, old.record.Key)
	}
	c.byID[e.record.ID], c.byKey[e.record.Key] = e, e
	delete(c.misses, lookup{byID, e.record.ID})
	delete(c.misses, lookup{byKey, e.record.Key})
	return finding{entry: e}
}

// miss remembers that there is no row, unless a later question has found one.
func (c *cache) miss(l lookup, asked time.Time) finding {
	if e := c.entries(l)[l.value]; e != nil && e.asked.After(asked) {
		return finding{entry: e}
	}
	delete(c.entries(l), l.value)
	c.remember(l, miss{asked: asked})
	return finding{isMissing: true}
}

// refuse remembers that the row cannot be used. What it was before, if that was seen, can.
func (c *cache) refuse(l lookup, err error, asked time.Time) finding {
	c.remember(l, miss{asked, err})
	return finding{entry: c.entries(l)[l.value], err: err}
}

// maxMisses bounds what clients with made-up keys can have remembered.
const maxMisses = 10_000

// remember forgets all misses when there are too many: asking again costs little, finding the oldest would not.
func (c *cache) remember(l lookup, m miss) {
	if len(c.misses) >= maxMisses {
		clear(c.misses)
	}
	c.misses[l] = m
}

func (c *cache) expire() {
	for _, entries := range []map[string]*entry{c.byID, c.byKey} {
		for e := range maps.Values(entries) {
			e.asked = time.Time{}
		}
	}
	clear(c.misses)
}
