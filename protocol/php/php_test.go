package php

import (
	"reflect"
	"strings"
	"testing"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"string, in bytes", AppendString(nil, "é\""), `s:3:"é"";`},
		{"empty string", AppendString(nil, ""), `s:0:"";`},
		{"integer", AppendInt(nil, -7), `i:-7;`},
		{"true", AppendBool(nil, true), `b:1;`},
		{"false", AppendBool(nil, false), `b:0;`},
		{"null", AppendNull(nil), `N;`},
		{"enum", AppendEnum(nil, `A\B:C`), `E:5:"A\B:C";`},
		{"list", AppendList(nil, []string{"a", "b"}), `a:2:{i:0;s:1:"a";i:1;s:1:"b";}`},
		{"no list", AppendList(nil, nil), `a:0:{}`},
		{"object", append(AppendNull(AppendProtected(AppendObject(nil, `A\B`, 1), "id")), '}'), "O:3:\"A\\B\":1:{s:5:\"\x00*\x00id\";N;}"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want any
	}{
		{`N;`, nil},
		{`b:1;`, true},
		{`b:0;`, false},
		{`i:-42;`, int64(-42)},
		{`d:1.5;`, 1.5},
		{`s:3:"é"";`, `é"`},
		{`E:5:"A\B:C";`, Enum(`A\B:C`)},
		{`r:2;`, nil},
	} {
		got, err := Parse(c.text)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q): got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestParseMap(t *testing.T) {
	const text = "O:1:\"C\":4:{s:5:\"\x00*\x00id\";s:1:\"a\";s:4:\"\x00C\x00k\";i:7;s:1:\"l\";a:2:{i:0;s:1:\"x\";s:1:\"n\";d:INF;}s:1:\"o\";O:1:\"D\":0:{}}"
	v, err := Parse(text)
	m, _ := v.(*Map)
	if err != nil || m == nil {
		t.Fatalf("got %v, %v", v, err)
	}
	if want := []string{"id", "k", "l", "o"}; m.Class != "C" || !reflect.DeepEqual(m.Keys, want) {
		t.Errorf("got class %q with %v, want C with %v", m.Class, m.Keys, want)
	}
	for _, c := range []struct{ what, got, want string }{
		{"protected string", m.Text("id"), "a"},
		{"private integer", m.Text("k"), "7"},
		{"list", m.Map("l").Text("0"), "x"},
		{"object", m.Map("o").Class, "D"},
		{"what is not there", m.Map("no").Text("x"), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	for _, text := range []string{
		"", "N", "x:1;", "i:;", "i:1", "i:1;i:2;", `s:9:"a";`, `s:-1:"a";`, `s:1:"ab";`, `s:99999999999999999999:"a";`,
		"a:1:{}", "a:1:{i:0;}", "a:1:{i:0;i:1;", "a:-1:{}", "a:9999999999:{}", "a:1:{N;i:1;}", "a:1:{d:1;i:1;}", `O:1:"C":1:{}`, `O:1:"C"`,
		`C:1:"C":0:{}`, strings.Repeat("a:1:{i:0;", maxDepth) + "N;" + strings.Repeat("}", maxDepth),
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%q): got %v, want an error", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{`i:1;`, `a:1:{i:0;s:1:"x";}`, "O:1:\"C\":1:{s:5:\"\x00*\x00id\";s:1:\"a\";}", `E:3:"A:B";`, `d:0.1;`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if s, ok := v.(string); ok && err == nil {
			again, err := Parse(string(AppendString(nil, s)))
			if err != nil || again != s {
				t.Errorf("%q comes back as %q, %v", s, again, err)
			}
		}
	})
}
