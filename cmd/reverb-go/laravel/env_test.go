package laravel

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestParseEnv(t *testing.T) {
	process := map[string]string{"HOME": "/home/me", "PORT": "1"}
	tests := []struct {
		name, in string
		want     map[string]string
	}{
		{"plain", "A=1\nB=two\n", map[string]string{"A": "1", "B": "two"}},
		{"no newline at the end", "A=1", map[string]string{"A": "1"}},
		{"windows and old mac line ends", "A=1\r\nB=2\rC=3", map[string]string{"A": "1", "B": "2", "C": "3"}},
		{"byte order mark", "\uFEFFA=1", map[string]string{"A": "1"}},
		{"comments and blank lines", "# A=0\n\n  # x\nA=1", map[string]string{"A": "1"}},
		{"a comment does not need white space", "A=foo# bar\nB=foo #bar\nC=#x\nD= # x", map[string]string{"A": "foo", "B": "foo", "C": "", "D": ""}},
		{"export", "export A=1\nexport\tBC=2\nexported=3", map[string]string{"A": "1", "BC": "2", "exported": "3"}},
		{"white space around the name and the value", "  A = 1 \nB\t=\t\"2\"\t", map[string]string{"A": "1", "B": "2"}},
		{"quoted names", "'A'=1\n\"B\"=2", map[string]string{"A": "1", "B": "2"}},
		{"empty values", "A=\nB=\"\"\nC=''", map[string]string{"A": "", "B": "", "C": ""}},
		{"single quotes are literal", `A='a $B ${HOME} \n \ #"'`, map[string]string{"A": `a $B ${HOME} \n \ #"`}},
		{"double quotes with escapes", `A="a\tb\\ \"q\" \${HOME} # 'x'"`, map[string]string{"A": "a\tb\\ \"q\" ${HOME} # 'x'"}},
		{"all escapes", `A="\f\n\r\t\v"`, map[string]string{"A": "\f\n\r\t\v"}},
		{"a backslash without quotes", `A=c:\new`, map[string]string{"A": `c:\new`}},
		{"quotes inside", `A=a"b'c`, map[string]string{"A": `a"b'c`}},
		{"an equals sign in the value", "A=base64:x==", map[string]string{"A": "base64:x=="}},
		{"several lines", "A=\"one\n# two\r\nthree\"\nB=1", map[string]string{"A": "one\n# two\nthree", "B": "1"}},
		{"earlier keys are expanded", `A=1` + "\n" + `B="x${A}y"` + "\nC=${A}${B}", map[string]string{"A": "1", "B": "x1y", "C": "1x1y"}},
		{"later and unknown keys stay", "A=${B}/${NO-DASH}/${}/${B\nB=1", map[string]string{"A": "${B}/${NO-DASH}/${}/${B", "B": "1"}},
		{"the process environment comes first", "PORT=2\nA=${PORT}\nB=\"${HOME}\"", map[string]string{"PORT": "2", "A": "1", "B": "/home/me"}},
		{"what was expanded is not expanded again", "A='${HOME}'\nB=${A}", map[string]string{"A": "${HOME}", "B": "${HOME}"}},
		{"the last of two lines counts", "A=1\nB=${A}\nA=2", map[string]string{"A": "2", "B": "1"}},
		{"a name alone forgets", "A=1\nA", map[string]string{}},
		{"typical app", "REVERB_HOST=\"localhost\"\nREVERB_PORT=8080\n\nVITE_REVERB_HOST=\"${REVERB_HOST}\"\n",
			map[string]string{"REVERB_HOST": "localhost", "REVERB_PORT": "8080", "VITE_REVERB_HOST": "localhost"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, err := ParseEnv(tt.in, from(process))
			if err != nil {
				t.Fatal(err)
			}
			if got := values(env); !maps.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// joho/godotenv reads these four as "pa", "", "x" and "/y"; in Laravel they mean what stands here.
func TestParseEnvWhereLibrariesDiffer(t *testing.T) {
	process := map[string]string{"SET": "process"}
	in := "A=pa$word\nB=${UNKNOWN}\nSET=x\nC=${SET}\nD=$SET/y\n"
	want := map[string]string{"A": "pa$word", "B": "${UNKNOWN}", "SET": "x", "C": "process", "D": "$SET/y"}
	env, err := ParseEnv(in, from(process))
	if err != nil {
		t.Fatal(err)
	}
	if got := values(env); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseEnvLines(t *testing.T) {
	env, err := ParseEnv("\n# c\nA=1\nB=\"x\ny\"\nC=3\n", from(nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"A": 3, "B": 4, "C": 6} {
		if got := env[name].Line; got != want {
			t.Errorf("line of %s = %d, want %d", name, got, want)
		}
	}
}

func TestParseEnvErrors(t *testing.T) {
	tests := []struct {
		name, in string
		line     int
		problem  string
	}{
		{"merge conflict", "A=1\n<<<<<<< HEAD\n", 2, "no variable name"},
		{"no name", "=1", 1, "no variable name"},
		{"dash in a name", "A-B=1", 1, "no variable name"},
		{"two words", "\nA=secret word", 2, "of A goes on"},
		{"after a quote", `A="secret"x`, 1, "of A goes on"},
		{"open single quote", "A='secret\nB=1'", 1, "no closing single quote"},
		{"open double quote", "B=1\nA=\"secret\n\n", 2, "no closing double quote"},
		{"unknown escape", "A=\"x\n\\secret\"", 2, "unknown escape"},
		{"escape at the end", `A="\`, 1, "unknown escape"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseEnv(tt.in, from(nil))
			wantSyntaxError(t, err, tt.line, tt.problem)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a value: %v", err)
			}
		})
	}
}

func TestEnvValue(t *testing.T) {
	tests := []struct {
		in   string
		want any
	}{
		{"true", true}, {"True", true}, {"(TRUE)", true},
		{"false", false}, {"(false)", false},
		{"empty", ""}, {"(Empty)", ""},
		{"null", nil}, {"(NULL)", nil},
		{"'null'", "null"}, {`"x"`, "x"}, {`"x'`, `"x'`}, {`"`, `"`}, {`''`, ""},
		{"8080", "8080"}, {"", ""}, {"on", "on"},
	}
	for _, tt := range tests {
		if got := EnvValue(tt.in); got != tt.want {
			t.Errorf("EnvValue(%q) = %#v, want %#v", tt.in, got, tt.want)
		}
	}
}

// FuzzParseEnv feeds its input twice: as a file, which must not panic, and as a value, which must come
// back however it is quoted.
func FuzzParseEnv(f *testing.F) {
	f.Add("A=1\nexport B=\"${A}\\n\" # c\nC='x'\nA")
	f.Add("A=\"multi\nline\"\r\nB=$A${B}")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseEnv(s, from(nil)); err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Hint == "" {
				t.Errorf("error without a line or hint: %#v", err)
			}
		}
		if strings.ContainsRune(s, '\r') {
			return // line ends become \n
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s)
		env, err := ParseEnv("A=\""+quoted+"\" # c\nB=${A}", from(nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := env["A"].Value; got != s {
			t.Errorf("got %q, want %q", got, s)
		}
		if got := env["B"].Value; got != s {
			t.Errorf("expanded: got %q, want %q", got, s)
		}
	})
}

func from(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

func values(env Env) map[string]string {
	got := make(map[string]string)
	for name, v := range env {
		got[name] = v.Value
	}
	return got
}

func wantSyntaxError(t *testing.T, err error, line int, problem string) {
	t.Helper()
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("got error %v, want a syntax error", err)
	}
	if syntax.Line != line || !strings.Contains(syntax.Problem, problem) || syntax.Hint == "" {
		t.Errorf("got line %d: %q (hint %q), want line %d: …%s…", syntax.Line, syntax.Problem, syntax.Hint, line, problem)
	}
}
