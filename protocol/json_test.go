package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// equal reports a difference between what was got and what was wanted.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
	}
}

// nested returns n arrays inside each other.
func nested(n int) string {
	return strings.Repeat("[", n) + strings.Repeat("]", n)
}

// validValue reports whether b is one JSON value by our rules.
func validValue(b []byte) bool {
	return skipSpace(b, skipValue(b, skipSpace(b, 0), maxDepth)) == len(b)
}

func TestSkipValue(t *testing.T) {
	tests := []struct {
		json string
		want bool
	}{
		{`null`, true}, {`true`, true}, {`false`, true}, {`nul`, false}, {`truth`, false}, {`True`, false}, {``, false}, {` `, false},
		{`0`, true}, {`-0`, true}, {`10`, true}, {`-1.50`, true}, {`1e5`, true}, {`1E+05`, true}, {`0.0e-0`, true},
		{`01`, false}, {`-`, false}, {`+1`, false}, {`.5`, false}, {`1.`, false}, {`1.e5`, false}, {`1e`, false}, {`1e+`, false},
		{`0x10`, false}, {`NaN`, false}, {`Infinity`, false}, {`-Infinity`, false}, {`1 2`, false},
		{`1e308`, true}, {`1e309`, false}, {`-1e400`, false}, {`1e-400`, true}, {`0e400`, true}, {`0.001e310`, true}, // R:CE-17
		{`1e00000000000000000000000005`, true},
		{strings.Repeat("9", 308), true}, {strings.Repeat("9", 309), false}, {`0.` + strings.Repeat("1", 500), true},
		{`""`, true}, {`"a"`, true}, {`"`, false}, {`"a`, false}, {`'a'`, false}, {`"a"b`, false},
		{`"\"\\\/\b\f\n\r\t\u00e9"`, true}, {`"\x"`, false}, {`"\u12"`, false}, {`"\u12g4"`, false}, {`"\`, false}, {`"\"`, false},
		{`"\ud83d\ude00"`, true}, {`"\uD83D\uDE00"`, true},
		{`"\ud83d"`, false}, {`"\ude00"`, false}, {`"\ud83d\ud83d"`, false}, {`"\ud83dx"`, false}, {`"\ud83d\n"`, false}, {`"\ud83d\ude0"`, false},
		{"\"tab\t\"", false}, {"\"nul\x00\"", false}, {"\"del\x7f\"", true},
		{`"é😀"`, true}, {"\"\xe9\"", false}, {"\"\xc0\x80\"", false}, {"\"\xed\xa0\x80\"", false}, {"\"\xf4\x90\x80\x80\"", false}, {"\"\xc3", false},
		{`"exactly8"`, true}, {"\"exactly\x01\"", false}, {"\"1234567890123456\xff\"", false},
		{`[]`, true}, {`[ ]`, true}, {`[1]`, true}, {`[1,2 , 3]`, true}, {`[1,]`, false}, {`[,1]`, false}, {`[1 2]`, false}, {`[`, false}, {`[1`, false}, {`[}`, false}, {`]`, false},
		{`{}`, true}, {`{ }`, true}, {`{"a":1}`, true}, {`{"a" : 1 , "b":[{}]}`, true},
		{`{"a"}`, false}, {`{"a":}`, false}, {`{"a":1,}`, false}, {`{a:1}`, false}, {`{1:1}`, false}, {`{"a":1`, false}, {`{"a"`, false}, {`{`, false}, {`{]`, false}, {`{"a":1]`, false}, {`{"a":1{`, false},
		{nested(511), true}, {nested(512), false}, {nested(100000), false},
	}
	for _, tt := range tests {
		name := tt.json[:min(len(tt.json), 40)]
		equal(t, "valid: "+name, validValue([]byte(tt.json)), tt.want)
	}
}

func TestWalk(t *testing.T) {
	tests := []struct {
		json string
		want string // key=value of each entry, then whether complete
	}{
		{`{"a":1, "b" : [2, 3] ,"\u0063":"\u0063"}`, `a=1 b=[2, 3] c="\u0063" true`},
		{` [1, "x", {}] `, `=1 ="x" ={} true`},
		{`{}`, `true`},
		{`[ ]`, `true`},
		{`{"a":1`, `false`},
		{`{"a":1}x`, `a=1 false`},
		{`{"a":1,}`, `a=1 false`},
		{`{"a":1,"b":x}`, `a=1 false`},
		{`[1]]`, `=1 false`},
		{`5`, `false`},
		{``, `false`},
		{`{"a":` + nested(510) + `}`, `a=` + nested(510) + ` true`},
		{`{"a":` + nested(511) + `}`, `false`},
	}
	for _, tt := range tests {
		var got strings.Builder
		w := walkContainer([]byte(tt.json))
		for w.next() {
			got.WriteString(string(w.key) + "=" + string(w.value) + " ")
		}
		if w.complete() {
			got.WriteString("true")
		} else {
			got.WriteString("false")
		}
		equal(t, "walk: "+tt.json, got.String(), tt.want)
	}
}

func TestDecodeString(t *testing.T) {
	tests := []struct{ raw, want string }{
		{`""`, ``},
		{`"plain"`, `plain`},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"a\u00e9b\u20acc\ud83d\ude00d\u0000"`, "aéb€c😀d\x00"},
		{`"\uFFFD\uffff"`, "\uFFFD\uFFFF"},
		{`"{\"user_id\":\"1\"}"`, `{"user_id":"1"}`},
	}
	for _, tt := range tests {
		got := decodeString([]byte(tt.raw))
		equal(t, tt.raw, string(got), tt.want)
		if got == nil || cap(got) != len(got) {
			t.Errorf("%s: got nil or room behind the string, which belongs to others", tt.raw)
		}
	}
	for _, raw := range []string{``, `5`, `null`, `{}`} {
		if got := decodeString([]byte(raw)); got != nil {
			t.Errorf("%s: got %q, want nil", raw, got)
		}
	}
}

func TestAppendString(t *testing.T) {
	tests := []struct{ s, want string }{
		{``, `""`},
		{`plain`, `"plain"`},
		{`"\/`, `"\"\\/"`},
		{"\b\f\n\r\t\x00\x1f\x7f", `"\b\f\n\r\t\u0000\u001f` + "\x7f\""},
		{`<b>&'é😀` + "\u2028", `"<b>&'é😀` + "\u2028\""}, // R:API-46, P:EVT-03
		{`App\Events\X`, `"App\\Events\\X"`},            // P:EVT-04
	}
	for _, tt := range tests {
		equal(t, tt.s, string(AppendString([]byte("x"), tt.s)), "x"+tt.want)
		equal(t, tt.s, string(AppendString(nil, []byte(tt.s))), tt.want)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `"\/`, "\x00\x1f\x7f", "é😀\u2028", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		equal(t, "by encoding/json", got, string([]rune(s))) // each invalid byte becomes U+FFFD
		if utf8.ValidString(s) {
			equal(t, "end", skipString(b, 0), len(b))
			equal(t, "by decodeString", string(decodeString(b)), s)
		}
	})
}

// FuzzCompact compares what is valid, and what it looks like without white space, with
// encoding/json.
func FuzzCompact(f *testing.F) {
	for _, s := range []string{`{}`, ` { "a" : [ 1 , "b \" c" ] } `, "[1,\n\t2.5e3]", `" \\ \u00e9 "`, `1e400`, `"\ud800"`, nested(20)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		if !validValue(s) {
			if json.Valid(s) && !refusedOnPurpose(s) {
				t.Fatalf("refused %q", s)
			}
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, s); err != nil {
			t.Fatalf("accepted %q: %v", s, err)
		}
		equal(t, "compact", string(appendCompact(nil, s)), want.String())
		var got string
		if err := json.Unmarshal(appendCompactString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		equal(t, "compact string", got, want.String())
	})
}

// refusedOnPurpose reports whether valid JSON has (or may have) one of the things we refuse.
func refusedOnPurpose(s []byte) bool {
	var v any
	overflows := json.Unmarshal(s, &v) != nil
	surrogates := bytes.Contains(bytes.ToLower(s), []byte(`\ud`))
	deep := bytes.Count(s, []byte("["))+bytes.Count(s, []byte("{")) > maxDepth
	return overflows || surrogates || deep || !utf8.Valid(s)
}
