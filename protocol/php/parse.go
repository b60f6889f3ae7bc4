package php

import (
	"errors"
	"strconv"
	"strings"
)

// A Map is an array, or an object with its properties.
type Map struct {
	Class string   // "" of an array
	Keys  []string // in their order; an integer in decimal, a property without what says its visibility
	items map[string]any
}

// Get returns the value of a key, or nil. A nil Map has none.
func (m *Map) Get(key string) any {
	if m == nil {
		return nil
	}
	return m.items[key]
}

// Text returns the value of a key if it is a string, or an integer in decimal, else "".
func (m *Map) Text(key string) string {
	switch v := m.Get(key).(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// Map returns the value of a key if it is an array or an object, else nil.
func (m *Map) Map(key string) *Map {
	child, _ := m.Get(key).(*Map)
	return child
}

// An Enum is a case of an enum: its class, a colon and its name.
type Enum string

// ErrMalformed says that a text is not one serialized value.
var ErrMalformed = errors.New("not what PHP's serialize writes")

// maxDepth is how deep values may be nested.
const maxDepth = 64

// Parse reads one value: nil, bool, int64, float64, string, Enum or *Map. A reference to a value that came
// before is nil: nothing that is read here has any.
func Parse(s string) (any, error) {
	p := parser{s: s}
	v := p.value(maxDepth)
	if p.failed || p.s != "" {
		return nil, ErrMalformed
	}
	return v, nil
}

// A parser takes what it reads from the front of s. After a fault it reads nothing more.
type parser struct {
	s      string
	failed bool
}

func (p *parser) fail() any {
	p.failed, p.s = true, ""
	return nil
}

// until takes what stands before the next end, and end itself.
func (p *parser) until(end string) string {
	before, rest, ok := strings.Cut(p.s, end)
	if !ok {
		p.fail()
		return ""
	}
	p.s = rest
	return before
}

func (p *parser) expect(text string) {
	if rest, ok := strings.CutPrefix(p.s, text); ok {
		p.s = rest
	} else {
		p.fail()
	}
}

func (p *parser) value(depth int) any {
	if len(p.s) < 2 || depth == 0 {
		return p.fail()
	}
	kind := p.s[:2]
	p.s = p.s[2:]
	switch kind {
	case "N;":
		return nil
	case "b:":
		return p.until(";") == "1"
	case "i:":
		return p.integer(";")
	case "d:":
		return p.float()
	case "s:":
		return p.text(`";`)
	case "E:":
		return Enum(p.text(`";`))
	case "a:":
		return p.entries("", depth-1)
	case "O:":
		return p.entries(p.text(`":`), depth-1)
	case "r:", "R:":
		p.integer(";")
		return nil
	}
	return p.fail()
}

func (p *parser) integer(end string) int64 {
	n, err := strconv.ParseInt(p.until(end), 10, 64)
	if err != nil {
		p.fail()
	}
	return n
}

func (p *parser) float() float64 {
	f, err := strconv.ParseFloat(p.until(";"), 64) // which knows INF and NAN
	if err != nil {
		p.fail()
	}
	return f
}

// text takes a length and as many bytes in quotes.
func (p *parser) text(end string) string {
	n := p.integer(`:"`)
	if n < 0 || n > int64(len(p.s)) {
		p.fail()
		return ""
	}
	text := p.s[:n]
	p.s = p.s[n:]
	p.expect(end)
	return text
}

func (p *parser) entries(class string, depth int) any {
	n := p.integer(":{")
	if n < 0 || n > int64(len(p.s)) { // there cannot be as many
		return p.fail()
	}
	m := &Map{Class: class, items: make(map[string]any, min(n, 64))}
	for range n {
		key := p.key()
		v := p.value(depth)
		if p.failed {
			return nil
		}
		if _, known := m.items[key]; !known {
			m.Keys = append(m.Keys, key)
		}
		m.items[key] = v
	}
	p.expect("}")
	return m
}

// key takes the key of an entry. The name of a property that is not public has its visibility in front, between
// two NULs.
func (p *parser) key() string {
	switch v := p.value(1).(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		if i := strings.LastIndexByte(v, 0); i > 0 && v[0] == 0 {
			return v[i+1:]
		}
		return v
	}
	p.fail()
	return ""
}
