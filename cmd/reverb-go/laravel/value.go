package laravel

import (
	"fmt"
	"iter"
	"strings"
)

// Value is a value of a configuration array.
type Value struct {
	V    any // nil, bool, int64, float64, string or *Map
	Line int // where it starts in its file
}

// Map is a PHP array: keys in order of insertion, each either a string or an integer in decimal, which
// PHP does not tell apart either.
type Map struct {
	keys   []string
	values map[string]Value
	next   int64 // the key of an element that comes without one
}

// NewMap returns an empty map.
func NewMap() *Map { return &Map{values: make(map[string]Value)} }

// Set adds or replaces the value of a key; a replaced one keeps its place.
func (m *Map) Set(key string, v Value) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// Len returns the number of keys; a nil map has none.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return len(m.keys)
}

// All yields keys and values in order; a nil map has none.
func (m *Map) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if m == nil {
			return
		}
		for _, key := range m.keys {
			if !yield(key, m.values[key]) {
				return
			}
		}
	}
}

// Get follows a path of keys in Laravel's dot notation ("reverb.servers.reverb.port") and reports
// whether there is a value, null included.
func (m *Map) Get(path string) (Value, bool) {
	if m == nil {
		return Value{}, false
	}
	head, rest, deeper := strings.Cut(path, ".")
	v, ok := m.values[head]
	if !ok || !deeper {
		return v, ok
	}
	child, _ := v.V.(*Map)
	return child.Get(rest)
}

// Map returns the array at a path, or nil.
func (m *Map) Map(path string) *Map {
	v, _ := m.Get(path)
	child, _ := v.V.(*Map)
	return child
}

// SyntaxError is a fault in a file, told to the person who keeps the file.
type SyntaxError struct {
	Line    int
	Problem string
	Hint    string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }
