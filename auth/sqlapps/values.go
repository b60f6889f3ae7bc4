package sqlapps

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reverb-go/reverb-go/auth"
)

// The types below read and write columns (sql.Scanner, driver.Valuer), and most of them text ([Value]). NULL is
// def, and the other way round.

// nullable is a column whose zero value is NULL.
type nullable[T comparable] struct{ p *T }

func (n nullable[T]) Scan(src any) error {
	var v sql.Null[T]
	err := v.Scan(src)
	*n.p = v.V
	return err
}

func (n nullable[T]) Value() (driver.Value, error) {
	var zero T
	if *n.p == zero {
		return nil, nil
	}
	return *n.p, nil
}

// enabled is the opposite of its target.
type enabled struct{ isDisabled *bool }

func (e enabled) Scan(src any) error {
	var v sql.Null[bool]
	err := v.Scan(src)
	*e.isDisabled = v.Valid && !v.V
	return err
}

func (e enabled) Value() (driver.Value, error) { return !*e.isDisabled, nil }

// number is a whole number.
type number struct {
	p   *int
	def int
}

func (n *number) Scan(src any) error { return scanOr(src, n.p, n.def) }

func (n *number) Value() (driver.Value, error) {
	if *n.p == n.def {
		return nil, nil
	}
	return int64(*n.p), nil
}

func (n *number) Set(text string) (err error) {
	if *n.p, err = strconv.Atoi(text); err != nil {
		return errors.New("write a whole number")
	}
	return nil
}

func (n *number) String() string { return strconv.Itoa(*n.p) }
func (n *number) Type() string   { return "number" }

// seconds is a time span, in seconds.
type seconds struct {
	p   *time.Duration
	def time.Duration
}

func (s *seconds) Scan(src any) error {
	n := 0
	err := scanOr(src, &n, int(s.def/time.Second))
	*s.p = time.Duration(n) * time.Second
	return err
}

func (s *seconds) Value() (driver.Value, error) {
	if *s.p == s.def {
		return nil, nil
	}
	return int64(*s.p / time.Second), nil
}

func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, notNumber := strconv.Atoi(text); notNumber == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d%time.Second != 0 {
		return errors.New("write whole seconds, or a span like 1m30s")
	}
	*s.p = d
	return nil
}

func (s *seconds) String() string { return s.p.String() }
func (s *seconds) Type() string   { return "seconds" }

// boolean is true or false.
type boolean struct {
	p   *bool
	def bool
}

func (b *boolean) Scan(src any) error { return scanOr(src, b.p, b.def) }

func (b *boolean) Value() (driver.Value, error) {
	if *b.p == b.def {
		return nil, nil
	}
	return *b.p, nil
}

func (b *boolean) Set(text string) (err error) {
	if *b.p, err = strconv.ParseBool(text); err != nil {
		return errors.New("write true or false")
	}
	return nil
}

func (b *boolean) String() string   { return strconv.FormatBool(*b.p) }
func (b *boolean) Type() string     { return "bool" }
func (b *boolean) IsBoolFlag() bool { return true }

// list is a list of texts; in the table, JSON.
type list struct {
	p   *[]string
	def []string
}

func (l *list) Scan(src any) error {
	var text sql.Null[string]
	if err := text.Scan(src); err != nil {
		return err
	}
	*l.p = l.def
	if !text.Valid {
		return nil
	}
	var items []string
	if err := json.Unmarshal([]byte(text.V), &items); err != nil {
		return errors.New("no list in JSON")
	}
	if items != nil { // JSON has a null of its own
		*l.p = items
	}
	return nil
}

func (l *list) Value() (driver.Value, error) {
	if slices.Equal(*l.p, l.def) {
		return nil, nil
	}
	text, err := json.Marshal(*l.p)
	return string(text), err
}

func (l *list) Set(text string) error {
	*l.p = nil
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l.p = append(*l.p, item)
		}
	}
	if *l.p == nil {
		return errors.New("write one or more hosts, with commas between them")
	}
	return nil
}

func (l *list) String() string { return strings.Join(*l.p, ",") }
func (l *list) Type() string   { return "list" }

// word is one of some words, each of which stands for its index.
type word[T ~uint8] struct {
	p     *T
	def   T
	words []string
}

var (
	clientEventWords = []string{auth.ClientEventsNone: "none", auth.ClientEventsMembers: "members", auth.ClientEventsAll: "all"}
	compressionWords = []string{auth.CompressionOff: "off", auth.CompressionAuto: "auto"}
)

func (w *word[T]) Scan(src any) error {
	said := ""
	if err := scanOr(src, &said, w.words[w.def]); err != nil {
		return err
	}
	return w.Set(said)
}

func (w *word[T]) Value() (driver.Value, error) {
	if *w.p == w.def {
		return nil, nil
	}
	return w.String(), nil
}

func (w *word[T]) Set(said string) error {
	i := slices.Index(w.words, said)
	if i < 0 {
		return fmt.Errorf("write %s", strings.Join(w.words, ", "))
	}
	*w.p = T(i)
	return nil
}

func (w *word[T]) String() string { return w.words[*w.p] }
func (w *word[T]) Type() string   { return "word" }

// scanOr reads a value, or the default if it is NULL.
func scanOr[T any](src any, into *T, def T) error {
	var v sql.Null[T]
	if err := v.Scan(src); err != nil {
		return err
	}
	*into = def
	if v.Valid {
		*into = v.V
	}
	return nil
}
