package handover

import (
	"encoding/binary"
	"errors"
	"time"
)

// errMalformed says that bytes are no encoding of what they were to be.
var errMalformed = errors.New("handover: not what a process of this version writes")

// A coder walks over the fields of a value, and either appends them to buf or reads them from it.
type coder struct {
	buf       []byte
	isReading bool
	hasFailed bool // what was to be read is not there; all fields from here on stay zero
}

// Coded is what can be sent: the types of this package, which name their fields to a coder.
type Coded interface{ code(*coder) }

// encode appends v.
func encode(dst []byte, v Coded) []byte {
	c := coder{buf: dst}
	v.code(&c)
	return c.buf
}

// decode reads v, which is all that b may hold. What v keeps is copied, except byte slices: they borrow from b.
func decode(b []byte, v Coded) error {
	c := coder{buf: b, isReading: true}
	v.code(&c)
	if c.hasFailed || len(c.buf) != 0 {
		return errMalformed
	}
	return nil
}

func (c *coder) fail() {
	c.buf, c.hasFailed = nil, true
}

// integer is for every whole number; negative ones are long.
func integer[T ~int | ~int32 | ~int64 | ~uint8 | ~uint32 | ~uint64](c *coder, p *T) {
	if !c.isReading {
		c.buf = binary.AppendUvarint(c.buf, uint64(*p))
		return
	}
	n, size := binary.Uvarint(c.buf)
	if size <= 0 || uint64(T(n)) != n {
		c.fail()
		return
	}
	*p, c.buf = T(n), c.buf[size:]
}

func (c *coder) flag(p *bool) {
	var n uint8
	if *p {
		n = 1
	}
	integer(c, &n)
	if n > 1 {
		c.fail()
	}
	*p = n == 1 && !c.hasFailed
}

func (c *coder) duration(p *time.Duration) { integer(c, p) }

// bytes keeps nil and empty apart no more than append does.
func (c *coder) bytes(p *[]byte) {
	n := len(*p)
	integer(c, &n)
	switch {
	case !c.isReading:
		c.buf = append(c.buf, *p...)
	case n < 0 || n > len(c.buf):
		c.fail()
	case n > 0:
		*p, c.buf = c.buf[:n:n], c.buf[n:]
	}
}

func (c *coder) text(p *string) {
	if !c.isReading {
		c.buf = append(binary.AppendUvarint(c.buf, uint64(len(*p))), *p...)
		return
	}
	var b []byte
	c.bytes(&b)
	*p = string(b)
}

// list is for slices. An item takes a byte at least, which bounds what a wrong length can reserve.
func list[T any](c *coder, p *[]T, item func(*T, *coder)) {
	n := len(*p)
	integer(c, &n)
	if c.isReading {
		if n < 0 || n > len(c.buf) {
			c.fail()
			return
		}
		if n > 0 {
			*p = make([]T, 0, min(n, 1024))
		}
		for range n {
			var v T
			if item(&v, c); c.hasFailed {
				return
			}
			*p = append(*p, v)
		}
		return
	}
	for i := range *p {
		item(&(*p)[i], c)
	}
}

// optional is for pointers that may be nil.
func optional[T any](c *coder, p **T, item func(*T, *coder)) {
	isThere := *p != nil
	c.flag(&isThere)
	if !isThere {
		return
	}
	if c.isReading {
		*p = new(T)
	}
	item(*p, c)
}

func text(p *string, c *coder)  { c.text(p) }
func bytes(p *[]byte, c *coder) { c.bytes(p) }
