package laravel

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestParseConfigCacheFile(t *testing.T) {
	src, err := os.ReadFile("testdata/config.php")
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseConfigCache(src)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want any
		line int
	}{
		{"app.name", `Bob's "Shop" \ $x`, 5},
		{"app.debug", false, 6},
		{"app.rate", 0.5, 7},
		{"app.huge", 1e25, 8},
		{"app.min", int64(math.MinInt64), 9},
		{"app.offset", int64(-3600), 10},
		{"app.nul", "a\x00b", 11},
		{"app.providers.1", `Laravel\Reverb\ReverbServiceProvider`, 15},
		{"app.enum", `\App\Enums\Level::Info`, 17},
		{"app.object.name", "Ann", 20},
		{"app.std.x", int64(1), 23},
		{"reverb.servers.reverb.port", "8080", 31},
		{"reverb.servers.reverb.hostname", nil, 32},
		{"reverb.apps.apps.0.allowed_origins.0", "*", 45},
	}
	root, _ := v.V.(*Map)
	for _, tt := range tests {
		got, ok := root.Get(tt.path)
		if !ok || got.V != tt.want || got.Line != tt.line {
			t.Errorf("%s = %#v (line %d, found %t), want %#v (line %d)", tt.path, got.V, got.Line, ok, tt.want, tt.line)
		}
	}
}

func TestParseConfigCacheLiterals(t *testing.T) {
	tests := []struct {
		in   string
		want any
	}{
		{`TRUE`, true}, {`False`, false}, {`null`, nil}, {`NULL`, nil},
		{`0`, int64(0)}, {`-12`, int64(-12)}, {`9223372036854775807`, int64(math.MaxInt64)},
		{`-9223372036854775807-1`, int64(math.MinInt64)}, {`9223372036854775808`, 9223372036854775808.0},
		{`1.0`, 1.0}, {`-1.5E-7`, -1.5e-7}, {`1.0E+25`, 1e25}, {`INF`, math.Inf(1)}, {`-INF`, math.Inf(-1)},
		{`'a\'b\\c\n$d'`, `a'b\c\n$d`}, {`''`, ``},
		{`"a\tb\"\\\$\x41\101\0\q"`, "a\tb\"\\$AA\x00\\q"},
		{`'a' . "\0" . 'b'`, "a\x00b"},
		{"/* ; */ 1 // ;\n# ;\n", int64(1)}, {"/*/*/ 1", int64(1)},
	}
	for _, tt := range tests {
		v, err := ParseConfigCache([]byte("<?php return " + tt.in + ";"))
		if err != nil || v.V != tt.want {
			t.Errorf("%s = %#v, %v, want %#v", tt.in, v.V, err, tt.want)
		}
	}
}

func TestParseConfigCacheKeys(t *testing.T) {
	v, err := ParseConfigCache([]byte(`<?php return array(5 => 'a', 'b', -2 => 'c', 'x' => ['d', 'e'], '5' => 'f',); ?>` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := `array('5' => 'f', '6' => 'b', '-2' => 'c', 'x' => array('0' => 'd', '1' => 'e'), )`
	if got := varExport(v.V); strings.ReplaceAll(got, ", )", ")") != strings.ReplaceAll(want, ", )", ")") {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseConfigCacheErrors(t *testing.T) {
	tests := []struct {
		name, in string
		line     int
		problem  string
	}{
		{"empty", "", 1, "<?php"},
		{"no return", "<?php\n\n$x = 1;", 3, "return"},
		{"a call", "<?php return array(\n 'a' => env('X'),\n);", 2, "no value"},
		{"a variable", "<?php return $x;", 1, "a value is missing"},
		{"a variable in a string", "<?php return \"a $x\";", 1, "a variable"},
		{"open string", "<?php return 'a;", 1, "no closing quote"},
		{"open array", "<?php return array(1;", 1, `"," or ")"`},
		{"open comment", "<?php return array(1 /* ", 1, `"," or ")"`},
		{"array as key", "<?php return array(array() => 1);", 1, "array key"},
		{"string and number joined", "<?php return 'a' . 1;", 1, "only strings"},
		{"not a number", "<?php return 1.2.3;", 1, "no number"},
		{"code after the array", "<?php return array();\nphpinfo();", 2, "code after"},
		{"an operator", "<?php return 1 + 1;", 1, "code after"},
		{"deep", "<?php return " + strings.Repeat("array(", 200), 1, "100 deep"},
		{"object without properties", "<?php return \\A::__set_state(1);", 1, "no properties"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseConfigCache([]byte(tt.in))
			wantSyntaxError(t, err, tt.line, tt.problem)
		})
	}
}

func TestMapOfNothing(t *testing.T) {
	var m *Map
	if _, ok := m.Get("a.b"); ok || m.Len() != 0 || m.Map("a") != nil {
		t.Error("a nil map is not empty")
	}
	for key := range m.All() {
		t.Errorf("a nil map yields %q", key)
	}
}

// FuzzParseConfigCache writes what it could read as var_export would, and reads that again.
func FuzzParseConfigCache(f *testing.F) {
	file, err := os.ReadFile("testdata/config.php")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(file))
	f.Add(`<?php return array(1, 'a' => -1.5, [NULL, true], 'x' . "\0\x41\u{e9}" . '\'');`)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseConfigCache([]byte(s))
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 {
				t.Errorf("error without a line: %#v", err)
			}
			return
		}
		want := varExport(v.V)
		again, err := ParseConfigCache([]byte("<?php return " + want + ";"))
		if err != nil {
			t.Fatalf("%v in %s", err, want)
		}
		if got := varExport(again.V); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// varExport renders a value like PHP's var_export, on one line.
func varExport(v any) string {
	switch v := v.(type) {
	case string:
		s := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v)
		return "'" + strings.ReplaceAll(s, "\x00", `' . "\0" . '`) + "'"
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return strings.ToUpper(strings.TrimPrefix(fmt.Sprint(v), "+"))
		}
		return strconv.FormatFloat(v, 'E', -1, 64)
	case *Map:
		var b strings.Builder
		for key, value := range v.All() {
			fmt.Fprintf(&b, "%s => %s, ", varExport(key), varExport(value.V))
		}
		return "array(" + b.String() + ")"
	case nil:
		return "NULL"
	case int64:
		if v == math.MinInt64 {
			return "-9223372036854775807-1"
		}
	}
	return fmt.Sprint(v)
}
