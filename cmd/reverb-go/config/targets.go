package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// not is truth for a setting whose name says the opposite of its field.
func not(p *bool) target {
	var is bool
	t := truth(&is)
	return target{
		set: func(v any) error {
			err := t.set(v)
			*p = !is
			return err
		},
		show: t.show,
	}
}

// oneOf takes one of the words.
func oneOf(p *string, words ...string) target {
	return target{
		set: func(v any) error {
			if b, ok := v.(bool); ok { // as YAML and .env have on and off
				v = map[bool]string{true: "on", false: "off"}[b]
			}
			s, _ := scalar(v)
			if !slices.Contains(words, s) {
				return &Problem{"which means nothing here", "write " + strings.Join(words, ", ")}
			}
			*p = s
			return nil
		},
		show: func() any { return *p },
	}
}

// minPassword is how short a password may be: shorter ones are found by trying.
const minPassword = 16

// password is a text that nobody must guess; empty is none.
func password(p *string) target {
	read := text(p)
	return target{
		set: func(v any) error {
			if err := read.set(v); err != nil {
				return err
			}
			if *p != "" && len(*p) < minPassword {
				return &Problem{fmt.Sprintf("which is shorter than %d characters", minPassword), `make up another one, for instance with "openssl rand -hex 16"`}
			}
			return nil
		},
		show: read.show,
	}
}

// words is a list, or a text with commas.
func words[S ~string](p *[]S) target {
	return target{
		set: func(v any) error {
			var items []string
			if s, ok := v.(string); ok {
				items = strings.Split(s, ",")
			} else if err := list(&items).set(v); err != nil {
				return err
			}
			*p = nil
			for _, item := range items {
				if item = strings.TrimSpace(item); item != "" {
					*p = append(*p, S(item))
				}
			}
			return nil
		},
		show: func() any { return texts(*p) },
	}
}

func texts[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}

// each is a list, or a text with commas, whose entries are taken one after the other, after begin.
func each(begin func(), take func(string) error) target {
	var said []string
	read := words(&said)
	return target{
		set: func(v any) error {
			if err := read.set(v); err != nil {
				return err
			}
			begin()
			for _, s := range said {
				if err := take(s); err != nil {
					return err
				}
			}
			return nil
		},
		show: func() any { return said },
	}
}

// proxies is a list of addresses and networks; "unix" is whoever connects to a unix socket, and * is all of them.
func proxies(p *[]netip.Prefix, unix *bool) target {
	begin := func() { *p, *unix = nil, false }
	return each(begin, func(s string) error {
		*unix = *unix || s == "unix" || s == "*"
		if s == "unix" {
			return nil
		}
		networks, err := parseNetworks(s)
		if err != nil {
			return &Problem{fmt.Sprintf("where %q is no address", s), "write addresses and networks, such as 10.0.0.0/8, unix for unix sockets, or * for any"}
		}
		*p = append(*p, networks...)
		return nil
	})
}

func parseNetworks(s string) ([]netip.Prefix, error) {
	if s == "*" {
		return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return []netip.Prefix{netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())}, nil
	}
	network, err := netip.ParsePrefix(s)
	return []netip.Prefix{network.Masked()}, err
}

// share is a percentage, or nothing.
func share(p *float64) target {
	return target{
		set: func(v any) error {
			s, _ := scalar(v)
			n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
			if err != nil || n < 0 || n > 100 {
				return &Problem{"which is no percentage", "write one like 90%, or 0 to do without"}
			}
			*p = n / 100
			return nil
		},
		show: func() any { return strconv.FormatFloat(*p*100, 'f', -1, 64) + "%" },
	}
}

// A field is one key of a block in a list of blocks.
type field struct {
	name string
	to   target
}

// blocks is a list of blocks of keys, or a single one. fields are the keys of one; describe is what is shown
// of it.
func blocks[T any](p *[]T, fields func(*T) []field, describe func(T) string) target {
	return target{
		set: func(v any) error {
			*p = nil
			m, ok := v.(*laravel.Map)
			if !ok {
				if s, _ := scalar(v); s == "" {
					return nil
				}
				return &Problem{"which is no list of blocks", "write its keys below it, each block after a dash"}
			}
			for _, block := range listOf(m) {
				var t T
				if err := fill(block, fields(&t)); err != nil {
					return err
				}
				*p = append(*p, t)
			}
			return nil
		},
		show: func() any {
			shown := make([]string, len(*p))
			for i, t := range *p {
				shown[i] = describe(t)
			}
			return shown
		},
	}
}

// listOf returns the blocks of a list; a block alone is a list of one.
func listOf(m *laravel.Map) []*laravel.Map {
	var all []*laravel.Map
	for _, v := range m.All() {
		block, ok := v.V.(*laravel.Map)
		if !ok {
			return []*laravel.Map{m}
		}
		all = append(all, block)
	}
	if _, isList := m.Get("0"); !isList && m.Len() > 0 {
		return []*laravel.Map{m}
	}
	return all
}

// fill sets the fields that the block has.
func fill(block *laravel.Map, fields []field) error {
	for name, v := range block.All() {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			names := make([]string, len(fields))
			for i, f := range fields {
				names[i] = f.name
			}
			return &Problem{fmt.Sprintf("which has the unknown key %q", name), "did you mean " + nearest(names, name) + "?"}
		}
		if err := fields[i].to.set(v.V); err != nil {
			return err
		}
	}
	return nil
}

// table is a block of texts.
func table(p *map[string]string) target {
	return target{
		set: func(v any) error {
			m, ok := v.(*laravel.Map)
			if !ok {
				return &Problem{"which is no block of texts", "write one name: value on each line"}
			}
			*p = make(map[string]string, m.Len())
			for name, v := range m.All() {
				(*p)[name], _ = scalar(v.V)
			}
			return nil
		},
		show: func() any { return len(*p) },
	}
}
