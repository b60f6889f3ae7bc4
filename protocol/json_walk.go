package protocol

// A walk goes through the entries of a JSON object or array, whose text it validates on the way.
type walk struct {
	b    []byte
	i    int // of the next entry, later of what follows the container; or fault
	open byte
	more bool

	// The current entry. Keys are decoded in place, so nothing can be walked twice.
	key   []byte // nil in an array
	value []byte // raw
}

// walkContainer starts a walk; a text that is no container makes one that is over and not
// complete.
func walkContainer(b []byte) walk {
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' && b[i] != '[' {
		return walk{i: fault}
	}
	w := walk{b: b, open: b[i]}
	w.i, w.more = enterContainer(b, i)
	return w
}

// next steps to the next entry and reports whether there is one.
func (w *walk) next() bool {
	if !w.more {
		return false
	}
	i := w.i
	if w.open == '{' {
		end := skipString(w.b, i)
		if end == fault {
			w.i, w.more = fault, false
			return false
		}
		w.key = unescape(w.b[i+1 : end-1])
		i = skipColon(w.b, end)
	}
	end := skipValue(w.b, i, maxDepth-1)
	w.i, w.more = skipSeparator(w.b, end, w.open)
	if w.i == fault {
		return false
	}
	w.value = w.b[i:end:end]
	return true
}

// complete reports, after the last entry, whether the container was valid and nothing follows it.
func (w *walk) complete() bool {
	return skipSpace(w.b, w.i) == len(w.b)
}
